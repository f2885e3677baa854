"""One run of topic delete: what would be lost and who reads it, the name typed, and the deletion."""

from kafkactl import consent
from kafkactl.carrying_out.topic_changes import TopicChange, carry_out_topics
from kafkactl.cluster.client import Cluster, connect
from kafkactl.cluster.metadata import read_topic_ids
from kafkactl.cluster.offsets import read_ranges
from kafkactl.cluster.visibility import require_topic
from kafkactl.consent import Asked
from kafkactl.errors import UsageError
from kafkactl.groups.fetch import describe_groups, groups_by_topic
from kafkactl.plan.differences import Change, Plan, with_topic_ids
from kafkactl.plan.risk import Risk
from kafkactl.text.words import and_more, many
from kafkactl.topics import LiveTopic
from kafkactl.view import output


def delete_one(asked: Asked, name: str, *, readers: bool) -> None:
    """Delete a topic. Raises NoTopicError where there is none, UsageError where nobody agrees."""
    kafka = connect(asked.target.connection)
    first = require_topic(kafka, name)
    records = _records(kafka, first)
    if not asked.json:
        output.note(f"{name} · {many(len(first.partitions), 'partition')} · {records}")
    reading, active = _readers(kafka, name)
    for line in reading:
        output.note(line)

    def look() -> Plan:
        live = require_topic(kafka, name)
        change = Change(name, "delete", risks=frozenset({Risk.DELETE}), was=live)
        return with_topic_ids(Plan((change,), names=(name,)), read_topic_ids(kafka, [name]))

    def agree() -> None:
        if active and not readers and not consent.agrees(f"\nMembers of {and_more(active)} read it. Delete it?"):
            raise UsageError(
                f"Nothing was changed: members of {and_more(active)} read {name}.",
                where="They fail, or create it again where the brokers have auto.create.topics.enable.",
                hint="To agree in advance: --allow readers --yes",
            )
        if not asked.yes:
            consent.require_name(f"\nDelete {name} and {records} on {asked.target.connection.label}?", name)

    carry_out_topics(kafka, asked, TopicChange(name, look, f"Delete {name}", agree))


def _records(kafka: Cluster, topic: LiveTopic) -> str:
    """How many records it holds at most, in words."""
    ranges = read_ranges(kafka, [topic])
    known = [found.span for found in ranges.values() if found.span is not None]
    total, unknown = sum(known), len(topic.partitions) - len(known)
    if unknown and not known:
        return "an unknown number of records"
    if not total and not unknown:
        return "no records"
    return f"up to {many(total, 'record')}" + (
        f" and those of {many(unknown, 'partition')} without an answer" if unknown else ""
    )


def _readers(kafka: Cluster, name: str) -> tuple[list[str], list[str]]:
    """Who reads it, a line each, and the groups whose members do so at this moment."""
    committers = groups_by_topic(kafka, [name])
    sample = describe_groups(kafka)
    active = {group.id: group for group in sample.groups if any(place.topic == name for place in group.owners())}
    idle = [group for group in committers.by_topic[name] if group not in active]
    lines = [f"{group.id} reads it: {many(len(group.members), 'member')}." for group in active.values()]
    if idle:
        lines.append(
            f"{and_more(idle)} {'has' if len(idle) == 1 else 'have'} offsets in it and no member that reads it."
        )
    gaps = [*committers.missing.values(), *sample.missing.values()]
    if gaps:
        lines.append(f"Who else reads it is not known: {gaps[0]}.")
    return lines, sorted(active)
