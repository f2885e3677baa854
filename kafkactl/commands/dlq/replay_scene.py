"""What a plan of dlq replay is made of: what was typed, the letters' topic, its notes, and where they may go."""

import time
from dataclasses import dataclass
from typing import NamedTuple

from kafkactl.cluster.client import Cluster, connect
from kafkactl.cluster.metadata import Topics, read_configs, read_topics
from kafkactl.commands.dlq.selection import Selection
from kafkactl.deadletters.doubts import doubts, look_for_copies
from kafkactl.deadletters.ledger import LetterLedger, LetterNote
from kafkactl.deadletters.ledger_topic import read_ledger
from kafkactl.deadletters.letters import DeadLetterTopic, Letter, find_dead_letter_topic
from kafkactl.deadletters.origin import HeaderReading
from kafkactl.deadletters.replay import may_transact
from kafkactl.deadletters.replay_plan import DEDUP_WINDOW, Decision, ReplayTarget, ReplayWish, decide
from kafkactl.deadletters.sessions import transactional_id
from kafkactl.errors import NotPermittedError, UsageError
from kafkactl.records.outgoing import rules
from kafkactl.settings import Target
from kafkactl.text.remedies import kafkactl
from kafkactl.topics import LiveTopic, impossible_name
from kafkactl.view import output, replay_report


@dataclass(frozen=True)
class SendingBack:
    """What to send back and how, as the user typed it; `rate` is in records a second."""

    topic: str
    chosen: Selection
    limit: int | None
    to: str | None
    to_env: str | None
    rate: float | None
    max_replays: int
    parked: bool
    keep_error_headers: bool
    keep_timestamp: bool
    edit: bool
    duplicates: bool
    take_over: bool


class Scene(NamedTuple):
    """What a plan is made of.

    `there` is another cluster that records go to, None where it is the dead-letter topic's own. `ledger` is as it was
    read, `settled` as it will be once it is noted what became of letters that an interrupted replay may have sent.
    """

    kafka: Cluster
    there: Cluster | None
    topic: DeadLetterTopic
    ledger: LetterLedger
    settled: LetterLedger
    reading: HeaderReading
    wish: ReplayWish
    targets: "_Targets"
    now: int

    def decide(self, letter: Letter, noted: LetterNote | None) -> Decision:
        return decide(letter, noted, self.wish, self.targets, self.reading, self.topic.id, self.now)

    @property
    def goal(self) -> Cluster:
        """The cluster that records go to."""
        return self.there or self.kafka

    @property
    def doubted(self) -> int:
        """How many letters it will be noted of what became of them."""
        old, new = self.ledger.entries, self.settled.entries
        return sum(new.get(spot) is not old[spot] for spot in old)


class _Targets:
    """What is known of the topics that records go to; each is looked at once."""

    def __init__(self, kafka: Cluster) -> None:
        self._kafka = kafka
        self._topics: Topics = read_topics(kafka, config_of=())
        self.known: dict[str, ReplayTarget] = {}

    def __call__(self, name: str) -> ReplayTarget:
        if name not in self.known:
            self.known[name] = self._look(name)
        return self.known[name]

    def _look(self, name: str) -> ReplayTarget:
        if impossible_name(name) is not None:
            return ReplayTarget(name)
        found = self._topics.found.get(name)
        if found is None:
            asked = read_topics(self._kafka, [name], config_of=())
            if name in asked.denied:
                return ReplayTarget(name, missing=asked.denied[name])
            found = asked.found.get(name)
        if found is None:
            return ReplayTarget(name)
        config = read_configs(self._kafka, [name]).get(name)
        return ReplayTarget(name, rules(LiveTopic(name, found.partitions, config)))


def may_be_transactional(scene: Scene) -> bool | None:
    """Whether records and notes can be in one transaction; None where that is not known."""
    return False if scene.there else may_transact(scene.kafka, transactional_id(scene.topic.id))


def _other_cluster(kafka: Cluster, target: Target, name: str) -> Cluster:
    """The cluster of an environment. Raises UsageError where it is the one the dead letters are in."""
    there = connect(target.elsewhere(name).connection)
    if there.info.id == kafka.info.id:
        raise UsageError(
            f"--to-env {name} is the cluster that the dead letters are in ({kafka.connection.label}).",
            hint="Leave it out: inside a cluster records and notes are sent in transactions.",
        )
    return there


def set_scene(kafka: Cluster, target: Target, what: SendingBack) -> Scene:
    """What the plan is made of, read from the clusters. Raises KafkactlError where it cannot be known."""
    catalog = target.catalog
    there = _other_cluster(kafka, target, what.to_env) if what.to_env else None
    topic = find_dead_letter_topic(kafka, what.topic)
    ledger = read_ledger(kafka, topic.id, lambda text: output.note(f"{text}."))
    if ledger.missing:
        raise NotPermittedError(
            f"Which dead letters were replayed is not known: {ledger.missing}.",
            where="A replay reads and writes the ledger (Read, Write and Describe on it).",
            hint=kafkactl("whoami", note="To see what this user may do"),
        )
    cluster = there.info.id if there else ""
    declared = catalog.topics.get(what.topic) if catalog else None
    window = catalog.dedup_window if catalog else None
    wish = ReplayWish(
        to=what.to,
        max_replays=what.max_replays,
        keep_error_headers=what.keep_error_headers,
        keep_timestamp=what.keep_timestamp,
        parked=what.parked,
        duplicates=what.duplicates,
        window=DEDUP_WINDOW if window is None else window,
        value_path=tuple(declared.dlq_value.split(".")) if declared and declared.dlq_value else (),
        cluster=cluster,
    )
    reading = HeaderReading.of(catalog)
    settled = _settled(there or kafka, topic.id, ledger, cluster)
    now = int(time.time() * 1000)
    return Scene(kafka, there, topic, ledger, settled, reading, wish, _Targets(there or kafka), now)


def _settled(goal: Cluster, topic_id: str, ledger: LetterLedger, cluster: str) -> LetterLedger:
    """The ledger, once it is noted what became of the letters that an interrupted replay may have sent."""
    doubtful = doubts(ledger, cluster)
    if not doubtful:
        return ledger
    try:
        notes = look_for_copies(goal, topic_id, doubtful, lambda text: output.note(f"{text}."))
    except NotPermittedError:
        notes = {}
    output.note(replay_report.doubts_line(doubtful, notes))
    return ledger.settled(notes)
