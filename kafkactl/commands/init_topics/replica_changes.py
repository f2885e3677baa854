"""Declared replication made so: replicas are moved as `replicas move` moves them, and accounted for topic by topic."""

import time
from collections.abc import Iterable, Mapping, Sequence

from kafkactl import consent
from kafkactl.cluster.client import Cluster
from kafkactl.cluster.metadata import read_topics
from kafkactl.cluster.reassignments import Reassignments
from kafkactl.errors import KafkactlError, Terminated
from kafkactl.placement.batches import DEFAULT_BATCH, min_in_sync
from kafkactl.placement.model import Placement, Wish
from kafkactl.placement.planning import plan_placement
from kafkactl.plan.account import Ledger
from kafkactl.plan.differences import Change
from kafkactl.replicas.beginning import (
    clean_up,
    new_plan,
    require_all_up,
    require_calm,
    require_fast_enough,
    require_room,
)
from kafkactl.replicas.run import MoveListener, MoveOutcome, MoveRun
from kafkactl.replicas.saved_plan import only_mover, saved_plan
from kafkactl.replicas.scene import ReplicaScene, read_scene
from kafkactl.settings import Target
from kafkactl.text.remedies import kafkactl, with_flags
from kafkactl.text.words import many
from kafkactl.view import move_report, output
from kafkactl.view.placement_report import ShownPlan, placement_summary

_PROPAGATION_SECONDS = 5.0  # until every broker knows of a setting that was changed a moment ago
_SILENT = MoveListener(lambda _: None, lambda _: None)


class ReplicaChanges:
    """How one run of init-topics moves replicas. `rate`: bytes a second, None for no throttle."""

    def __init__(self, kafka: Cluster, target: Target, rate: int | None, *, quiet: bool) -> None:
        self._kafka = kafka
        self._target = target
        self._rate = rate
        self._quiet = quiet
        self._told: set[str] = set()

    def refusals(self, changes: Iterable[Change]) -> list[tuple[Change, str]]:
        """The changes that would not be begun now, and why; what the others copy is told."""
        wanted = list(changes)
        if not wanted:
            return []
        try:
            with Reassignments(self._kafka) as reassignments:
                scene = read_scene(self._kafka, reassignments)
            require_all_up(scene)
            require_calm(scene, saved_plan(self._kafka.info.id))
        except KafkactlError as error:
            why = error.message.removeprefix("Nothing was changed: ")
            return [(change, why) for change in wanted]
        up = len(scene.hosts)
        short = [change for change in wanted if _number(change) > up]
        refused = [(c, f"{c.new} replicas need as many brokers, and {many(up, 'is', 'are')} up") for c in short]
        rest = [change for change in wanted if change not in short]
        placement = _placement(scene, rest)
        environment = consent.protection(self._target, self._kafka.info.id, self._kafka.info.addresses)
        if environment is not None and self._rate is None and any(move.added for move in placement.moves):
            why = f"{environment.name} is protected, and copying replicas there needs --throttle, such as 50MB/s"
            return [*refused, *((change, why) for change in rest)]
        self._tell_cost(scene, placement, rest)
        return refused

    def _tell_cost(self, scene: ReplicaScene, placement: Placement, changes: Sequence[Change]) -> None:
        if not changes or self._quiet:
            return
        shown = ShownPlan(
            placement, scene.assigned(), scene.hosts, scene.leaders, DEFAULT_BATCH, self._rate, scene.unsized
        )
        words = f"Replicas: {placement_summary(shown)}"
        if words not in self._told:
            self._told.add(words)
            output.note(words)

    def make_so(self, changes: Sequence[Change], ledger: Ledger) -> None:
        """Move the replicas of these topics, and write down what became of each. Raises KafkactlError."""
        ready = self._without_unmet(changes, ledger)
        if not ready:
            return
        with Reassignments(self._kafka) as reassignments, only_mover(self._kafka.info.id):
            scene = read_scene(self._kafka, reassignments)
            saved = saved_plan(self._kafka.info.id)
            placement = _placement(scene, ready)
            try:
                require_all_up(scene)
                require_calm(scene, saved)
                require_room(scene, placement.moves)
                if self._rate is not None:
                    require_fast_enough(self._kafka, placement.moves, self._rate)
            except KafkactlError as error:
                why = error.message.removeprefix("Nothing was changed: ")
                ledger.answer(failed=[(change, why) for change in ready])
                return
            for text in clean_up(self._kafka, saved):
                output.warn(f"What an earlier run throttled is not free yet: {text}.")
            plan = new_plan(self._kafka, placement.moves, self._rate, DEFAULT_BATCH, saved)
            listener = _SILENT if self._quiet else move_report.move_listener()
            run = MoveRun(self._kafka, reassignments, plan, scene.topics, [host.id for host in scene.hosts], listener)
            stopped: BaseException | None = None
            try:
                run.go()
            except (KafkactlError, KeyboardInterrupt, Terminated) as error:
                stopped = error
            self._account(ready, run.outcome, placement, ledger)
            if stopped is not None:
                raise stopped

    def _without_unmet(self, changes: Sequence[Change], ledger: Ledger) -> list[Change]:
        """Those that leave enough replicas for min.insync.replicas, which was lowered before where it has to be."""
        until = time.monotonic() + _PROPAGATION_SECONDS
        while changes:
            topics = read_topics(self._kafka, config_of=[change.topic for change in changes]).found
            needed = {c.topic: min_in_sync(topics[c.topic]) for c in changes if c.topic in topics}
            unmet = [change for change in changes if needed.get(change.topic, 1) > _number(change)]
            if not unmet or time.monotonic() > until:
                why = "min.insync.replicas is {} still"
                ledger.answer(failed=[(change, why.format(needed[change.topic])) for change in unmet])
                return [change for change in changes if change not in unmet]
            time.sleep(0.1)
        return []

    def _account(self, changes: Sequence[Change], outcome: MoveOutcome, placement: Placement, ledger: Ledger) -> None:
        if not self._quiet:
            move_report.tell_outcome(outcome, interrupted=bool(outcome.left))
        for change in changes:
            why = [
                text
                for place, text in (*outcome.failed.items(), *placement.stuck.items())
                if place.topic == change.topic
            ]
            left = sum(move.place.topic == change.topic for move in outcome.left)
            if left:
                on = with_flags(kafkactl("replicas move"), self._target.flags).text
                why.append(f"{many(left, 'partition')} left, interrupted; to go on: {on}")
            ledger.answer(**({"failed": [(change, why[0])]} if why else {"done": [change]}))


def _number(change: Change) -> int:
    return int(change.new or 0)


def _placement(scene: ReplicaScene, changes: Sequence[Change]) -> Placement:
    wanted: Mapping[str, int] = {change.topic: _number(change) for change in changes}
    mine = scene.assigned(lambda name: name in wanted)
    return plan_placement(mine, scene.hosts, Wish(replication=wanted), scene.assigned(lambda name: name not in wanted))
