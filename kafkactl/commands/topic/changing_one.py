"""topic create and topic set: what the plan of each is."""

from kafkactl.carrying_out.topic_changes import TopicChange, carry_out_topics
from kafkactl.cluster.client import Cluster, connect
from kafkactl.cluster.metadata import read_default_replication, read_topic_ids, read_topics
from kafkactl.consent import Asked
from kafkactl.errors import NoTopicError, NotPermittedError, UsageError
from kafkactl.plan.differences import Plan, with_topic_ids
from kafkactl.plan.one_topic import TypedTopic, plan_one
from kafkactl.text.remedies import kafkactl
from kafkactl.topics import LiveTopic


def create_one(asked: Asked, wanted: TypedTopic) -> None:
    """Create a topic that is not there. Raises UsageError where it is."""
    kafka = connect(asked.target.connection)

    def look() -> Plan:
        if _read(kafka, wanted.name) is not None:
            shown = kafkactl("describe", wanted.name, note="To see it")
            raise UsageError(f"Nothing was changed: {wanted.name} exists already.", hint=shown)
        open_ = wanted.replication is None and "min.insync.replicas" in wanted.config
        return plan_one(wanted, None, read_default_replication(kafka) if open_ else None)

    carry_out_topics(kafka, asked, TopicChange(wanted.name, look, f"Create {wanted.name}"))


def set_one(asked: Asked, wanted: TypedTopic) -> None:
    """Change a topic that is there. Raises NoTopicError where it is not."""
    kafka = connect(asked.target.connection)

    def look() -> Plan:
        live = _read(kafka, wanted.name)
        if live is None:
            raise NoTopicError(
                f"There is no topic {wanted.name}.", hint=kafkactl("describe", options=["-o", "name"], note="List them")
            )
        if live.config is None and (wanted.config or wanted.unset):
            raise NotPermittedError(
                f"Nothing was changed: no permission to read the settings of {wanted.name} "
                "(needs DescribeConfigs on the topic)."
            )
        return with_topic_ids(plan_one(wanted, live), read_topic_ids(kafka, [wanted.name]))

    carry_out_topics(kafka, asked, TopicChange(wanted.name, look, f"Change {wanted.name}"))


def _read(kafka: Cluster, name: str) -> LiveTopic | None:
    """A topic with its settings; None where there is none. Raises NotPermittedError where that is not told."""
    topics = read_topics(kafka, [name], config_of=[name])
    if name in topics.denied:
        raise NotPermittedError(f"Nothing was changed: {name} cannot be looked at: {topics.denied[name]}.")
    return topics.found.get(name)
