"""What a user may not see. Brokers leave it out of their lists without a word, so a list alone never tells.

A name that nothing has is asked for: where even that is refused, the user may see named things only, and a list of
them need not be whole. What a rule denies by its very name stays hidden, and nothing tells of it.
"""

import secrets
from collections.abc import Iterable, Sequence

from confluent_kafka import KafkaError

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.metadata import Topics, read_topics, topic_answers
from kafkactl.errors import KafkactlError, NoTopicError, NotPermittedError
from kafkactl.text.remedies import kafkactl
from kafkactl.text.suggest import suggest
from kafkactl.topics import OFFSETS_TOPIC, LiveTopic, beginning, is_glob, matches

AMONG_VISIBLE = ", among those that this user may describe"
_ROOM = 200  # characters of a beginning: with what is made up, a name stays shorter than Kafka allows


def require_topic(cluster: Cluster, name: str) -> LiveTopic:
    """One topic with its settings. Raises KafkactlError if it does not exist, or is hidden from us."""
    topics = read_topics(cluster, [name], config_of=[name])
    if name not in topics.found:
        raise no_such_topic(cluster, name, topics)
    return topics.found[name]


def matching_topics(cluster: Cluster, topics: Topics, pattern: str) -> list[str]:
    """The topics of this name or glob, in order. Raises KafkactlError where there is none, or it is hidden from us."""
    names = sorted(name for name in topics.found if matches(name, pattern))
    if not names:
        raise no_such_topic(cluster, pattern, topics)
    return names


def no_such_topic(cluster: Cluster, wanted: str, topics: Topics) -> KafkactlError:
    """The error for a topic, or a glob, that is not among these: it does not exist, or it is hidden from this user."""
    if wanted in topics.denied:
        return NotPermittedError(
            f"{wanted}: {topics.denied[wanted]}.", hint=kafkactl("whoami", note="To see what this user may do")
        )
    kind = "no topic that matches" if is_glob(wanted) else "no topic"
    hides = is_glob(wanted) and topics_may_hide(cluster, [beginning(wanted)])
    slip = suggest(wanted, topics.found, quoted=False)
    return NoTopicError(
        f"There is {kind} {wanted} on {cluster.connection.address}{AMONG_VISIBLE if hides else ''}.{slip}",
        hint=kafkactl("describe", options=["-o", "name"], note="List them"),
    )


def hidden_topics(cluster: Cluster, names: Sequence[str]) -> frozenset[str]:
    """Which of these topics the user may not describe, whether they exist or not."""
    answers = topic_answers(cluster, names).items()
    return frozenset(name for name, answer in answers if _is(answer, KafkaError.TOPIC_AUTHORIZATION_FAILED))


def topics_may_hide(cluster: Cluster, beginnings: Iterable[str] = ("",)) -> bool:
    """Whether there may be topics, with names that begin so, which the user may not describe."""
    return bool(hidden_topics(cluster, _made_up(beginnings)))


def groups_may_hide(cluster: Cluster, beginnings: Iterable[str] = ("",)) -> bool:
    """Whether there may be groups, with names that begin so, which the user may not describe."""
    return "DESCRIBE" not in cluster.info.operations and bool(hidden_groups(cluster, _made_up(beginnings)))


def hidden_groups(cluster: Cluster, names: Sequence[str]) -> frozenset[str]:
    """Which of these groups the user may not describe, whether they exist or not."""
    if not names or no_group_ever(cluster):
        return frozenset()
    asked = cluster.admin.describe_consumer_groups(list(names), request_timeout=cluster.connection.timeout)
    answers = cluster.gather(asked, limit=cluster.connection.timeout)
    return frozenset(name for name, answer in answers.items() if _is(answer, KafkaError.GROUP_AUTHORIZATION_FAILED))


def no_group_ever(cluster: Cluster) -> bool:
    """Whether no group ever was on the cluster: then asking for one would make Kafka create its topic of offsets."""
    answer = topic_answers(cluster, [OFFSETS_TOPIC])[OFFSETS_TOPIC]
    return _is(answer, KafkaError.UNKNOWN_TOPIC_OR_PART)


def _made_up(beginnings: Iterable[str]) -> list[str]:
    return [f"{beginning[:_ROOM]}{secrets.token_hex(16)}" for beginning in dict.fromkeys(beginnings)]


def _is(answer: object, code: int) -> bool:
    return isinstance(answer, KafkaError) and answer.code() == code
