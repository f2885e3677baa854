"""One move from its first batch to its end: wait until it may begin, start, watch, and take the throttle away.

Kafka's own list says what is under way. Nothing here prints: what is to be said is handed to a `MoveListener`.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from kafkactl.cluster.changes import elect_preferred
from kafkactl.cluster.client import Cluster
from kafkactl.cluster.metadata import Present, read_present
from kafkactl.cluster.reassignments import Reassignments
from kafkactl.cluster.storage import read_replica_sizes
from kafkactl.errors import KafkactlError, UnreachableError
from kafkactl.placement.batches import batches_of, too_few_in_sync
from kafkactl.placement.model import ReplicaMove
from kafkactl.process import interrupts_deferred
from kafkactl.replicas.progress import Progress
from kafkactl.replicas.saved_plan import SavedPlan
from kafkactl.replicas.throttle import free_moves, remove_throttle, set_throttle, throttle_moves
from kafkactl.text.words import and_more, many
from kafkactl.topics import LiveTopic, Place

PATIENCE_SECONDS = 60.0  # without any answer; a broker that is down is waited for without end
_SLOWEST_LOOK = 2.0  # seconds between two looks
_SETTLE_SECONDS = 15.0  # until every broker knows what the controller has finished
_STILL_SECONDS = 60.0  # without a byte copied


class MoveListener(NamedTuple):
    """Who is told: `note` a sentence; `progress` a line that is worth nothing when the next one comes."""

    note: Callable[[str], None]
    progress: Callable[[str], None]


@dataclass
class MoveOutcome:
    """What became of a plan's moves, each of which is in one of these; and what is left of the throttle."""

    done: list[ReplicaMove] = field(default_factory=list)
    failed: dict[Place, str] = field(default_factory=dict)
    left: list[ReplicaMove] = field(default_factory=list)
    started: list[ReplicaMove] = field(default_factory=list)  # of those left: Kafka goes on with them
    throttle_left: list[str] = field(default_factory=list)
    not_elected: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


class MoveRun:
    """A plan that is carried out. `topics` with their settings; `brokers` are those that were up when it was made.

    `over`: moves that an earlier run began and Kafka has finished, whose leaders are still to be elected.
    """

    def __init__(
        self,
        kafka: Cluster,
        reassignments: Reassignments,
        plan: SavedPlan,
        topics: Mapping[str, LiveTopic],
        brokers: Collection[int],
        listener: MoveListener,
        over: Sequence[ReplicaMove] = (),
    ) -> None:
        self.kafka = kafka
        self.reassignments = reassignments
        self.plan = plan
        self.topics = {m.place.topic: topics[m.place.topic] for m in plan.moves if m.place.topic in topics}
        self.brokers = frozenset(brokers)
        self.listener = listener
        self.outcome = MoveOutcome(left=list(plan.moves))
        self._over = tuple(over)
        self._told = ""
        self._silent_since: float | None = None

    def go(self) -> None:
        """Carry it out. However it ends, the throttle is taken away as far as it can be, and `outcome` is true.

        Raises KafkactlError where it cannot go on; KeyboardInterrupt and Terminated pass through.
        """
        start = time.monotonic()
        self.reassignments.patience = PATIENCE_SECONDS
        try:
            self._carry_out()
            self.plan.over = True
        finally:
            with interrupts_deferred():
                self._unthrottle()
            self.outcome.seconds = time.monotonic() - start

    def _carry_out(self) -> None:
        self.plan.keep()
        copying = any(move.added for move in self.plan.moves)
        batches = list(batches_of(self.plan.moves, self.plan.batch))
        progress = Progress(len(batches))
        for number, batch in enumerate(batches):
            self._begin(throttled=copying)
            progress.next_batch(sum(move.to_copy for later in batches[number + 1 :] for move in later))
            self._move(batch, progress)
        self._elect()

    def _begin(self, *, throttled: bool) -> None:
        """Wait for the moment at which a batch may be started, with the throttle set on every broker."""
        deadline = None
        while True:
            self._await_calm()
            try:
                if throttled:
                    set_throttle(self.kafka, self.plan, sorted(self.brokers))
            except UnreachableError:  # a broker went down in this very moment
                deadline = deadline or time.monotonic() + PATIENCE_SECONDS
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)
            else:
                return

    def _await_calm(self) -> None:
        """Wait until every broker is up, and every partition of the plan has as many in sync as it must have."""
        while True:
            present = self._look()
            trouble = self._trouble(present) if present else ""
            if present and not trouble:
                self._tell("")
                return
            self._tell(f"{trouble}: no batch is started until that is over." if trouble else "")
            time.sleep(1)

    def _trouble(self, present: Present) -> str:
        down = sorted(self.brokers - present.brokers)
        if down:
            return (
                f"{'Broker' if len(down) == 1 else 'Brokers'} {and_more(down)} {'is' if len(down) == 1 else 'are'} down"
            )
        now = {
            name: replace(topic, partitions=present.topics[name])
            for name, topic in self.topics.items()
            if name in present.topics
        }
        short = too_few_in_sync(now, {move.place: move.added for move in self.plan.moves})
        if not short:
            return ""
        place, why = next(iter(short.items()))
        more = f" and {many(len(short) - 1, 'more partition')}" if len(short) > 1 else ""
        return f"{place}{more} has too few replicas in sync ({why})"

    def _look(self) -> Present | None:
        """The cluster as it is. None where it does not answer; raises UnreachableError if that lasts."""
        try:
            present = read_present(self.kafka)
        except UnreachableError as error:
            self._silent_since = self._silent_since or time.monotonic()
            if time.monotonic() - self._silent_since > PATIENCE_SECONDS:
                raise
            self._tell(f"{error.message.rstrip('.')}: waiting.")
            return None
        self._silent_since = None
        return present

    def _tell(self, text: str) -> None:
        """Say what is waited for, once; "" when nothing is."""
        if text and text != self._told:
            self.listener.note(text)
        elif self._told and not text:
            self.listener.note("Going on.")
        self._told = text

    def _move(self, batch: Sequence[ReplicaMove], progress: Progress) -> None:
        throttle_moves(self.kafka, self.plan, batch)
        refused = self.reassignments.start({move.place: move.after for move in batch})
        self.outcome.started = [move for move in batch if move.place not in refused]
        self._settle({move.place: move for move in batch if move.place in refused}, refused)
        moving = {move.place: move for move in batch if move.place not in refused}
        over: list[ReplicaMove] = []
        pause, quiet_since, before = 0.1, time.monotonic(), -1
        while moving:
            time.sleep(pause)
            pause = min(_SLOWEST_LOOK, pause * 1.5)
            if (present := self._look()) is None:
                continue
            listed = self.reassignments.listed()
            ended = {place: move for place, move in moving.items() if place not in listed}
            if ended:
                self._settle(ended)
                over += ended.values()
                moving = {place: move for place, move in moving.items() if place not in ended}
                pause = 0.1
            now = time.monotonic()
            if pause > 0.3:
                progress.look(moving.values(), over, read_replica_sizes(self.kafka).of, now)
            trouble = self._trouble(present) if moving else ""
            if progress.have != before or not moving:
                before, quiet_since = progress.have, now
            if not trouble and moving and now - quiet_since > _STILL_SECONDS:
                trouble = f"Nothing was copied for {_STILL_SECONDS:.0f} s"
            self._tell(f"{trouble}: waiting; {many(len(moving), 'partition')} of this batch to go." if trouble else "")
            if moving and pause > 0.3:
                self.listener.progress(progress.text)
        for text in free_moves(self.kafka, self.plan):
            self.listener.note(f"{text}.")

    def _settle(self, ended: Mapping[Place, ReplicaMove], refused: Mapping[Place, str] | None = None) -> None:
        """Write down what became of moves that are not under way any more."""
        wrong = dict(refused or {})
        deadline = time.monotonic() + _SETTLE_SECONDS
        while refused is None:
            present = self._look()
            wrong = {} if present is None else _not_so(present, ended)
            if present and (not wrong or time.monotonic() > deadline):
                break
            time.sleep(0.1)
        self.outcome.failed |= wrong
        self.outcome.done += [move for place, move in ended.items() if place not in wrong]
        self.outcome.left = [move for move in self.outcome.left if move.place not in ended]
        self.outcome.started = [move for move in self.outcome.started if move.place not in ended]

    def _elect(self) -> None:
        """Let the first replica lead what was moved, where it does not lead yet; loses nothing."""
        present = self._look()
        wanted = []
        for move in (*self._over, *self.outcome.done):
            found = (
                [p for p in present.topics.get(move.place.topic, ()) if p.id == move.place.partition] if present else []
            )
            if not found or found[0].leader != move.after[0]:
                wanted.append(move.place)
        if not wanted:
            return
        try:
            self.outcome.not_elected = elect_preferred(self.kafka, wanted)
        except KafkactlError as error:
            self.outcome.not_elected = {str(place): error.message.rstrip(".") for place in wanted}

    def _unthrottle(self) -> None:
        try:
            up = read_present(self.kafka).brokers if self.plan.throttled else self.brokers
            self.outcome.throttle_left = remove_throttle(self.kafka, self.plan, up)
        except KafkactlError as error:
            self.outcome.throttle_left = [f"it could not be taken away: {error.message.rstrip('.')}"]


def _not_so(present: Present, ended: Mapping[Place, ReplicaMove]) -> dict[Place, str]:
    """The places whose replicas are not those of the plan though nothing moves them any more."""
    wrong = {}
    for place, move in ended.items():
        partitions = present.topics.get(place.topic)
        found = next((p for p in partitions or () if p.id == place.partition), None)
        if found is None:
            wrong[place] = "the topic no longer exists"
        elif found.replicas != move.after:
            wrong[place] = f"it has replicas on {and_more(found.replicas, 9)}: somebody cancelled or changed the move"
    return wrong
