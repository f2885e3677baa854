"""What a plan for replicas is asked for: which topics, and what is to become of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kafkactl.errors import NoTopicError, UsageError
from kafkactl.placement.batches import DEFAULT_BATCH
from kafkactl.placement.model import Assigned, Placement, Wish
from kafkactl.placement.planning import plan_placement
from kafkactl.replicas.scene import ReplicaScene, moved_by_default
from kafkactl.text.remedies import kafkactl
from kafkactl.text.suggest import suggest
from kafkactl.text.words import and_more, many
from kafkactl.topics import is_glob, matches


@dataclass(frozen=True)
class WantedMoves:
    """The options of replicas plan and move. `throttle` in bytes a second, `batch` in bytes."""

    topics: tuple[str, ...]
    drain: frozenset[int]
    fill: frozenset[int]
    spread: bool
    replication: int | None
    throttle: int | None
    batch: int


def wanted(
    topics: Sequence[str] | None,
    drain: Sequence[int] | None,
    fill: Sequence[int] | None,
    spread: bool,
    replication: int | None,
    throttle: int | None,
    batch: int | None,
) -> WantedMoves:
    """The options, if they go together. Raises UsageError."""
    given = {"--from or --to": bool(drain or fill), "--spread": spread, "--replication": replication is not None}
    named = [name for name, is_given in given.items() if is_given]
    if not named:
        raise UsageError(
            "Nothing says what is to become of the replicas.", hint="Use --from, --to, --spread or --replication."
        )
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} cannot be combined.", hint="Do one after the other.")
    if replication is not None and not topics:
        raise UsageError("--replication needs topics.", hint="Name them, or use a glob: '*'")
    if both := set(drain or ()) & set(fill or ()):
        raise UsageError(f"Broker {min(both)} cannot be in both --from and --to.")
    return WantedMoves(
        tuple(topics or ()),
        frozenset(drain or ()),
        frozenset(fill or ()),
        spread,
        replication,
        throttle,
        batch or DEFAULT_BATCH,
    )


@dataclass(frozen=True)
class FoundPlan:
    """A plan with what it was made of. `left_out`: topics of Kafka's own on drained brokers, which nobody named."""

    placement: Placement
    partitions: list[Assigned]
    chosen: tuple[str, ...]
    left_out: tuple[str, ...]


def find_plan(want: WantedMoves, scene: ReplicaScene) -> FoundPlan:
    """Plan. Raises NoTopicError and UsageError for topics and brokers that are not there."""
    chosen = chosen_topics(want.topics, scene.topics)
    _require_brokers(want, scene)
    partitions = scene.assigned()
    mine = [p for p in partitions if p.place.topic in chosen]
    rest = [p for p in partitions if p.place.topic not in chosen]
    wish = Wish(
        replication=dict.fromkeys(chosen, want.replication) if want.replication is not None else {},
        drain=want.drain,
        fill=want.fill,
        spread=want.spread,
    )
    placement = plan_placement(mine, scene.hosts, wish, rest)
    stay = () if want.topics else tuple(sorted({p.place.topic for p in rest if want.drain & set(p.replicas)}))
    return FoundPlan(placement, partitions, tuple(sorted(chosen)), stay)


def chosen_topics(names: Sequence[str], there: Mapping[str, object]) -> frozenset[str]:
    """The topics that are named or match; all but Kafka's own where none is. Raises NoTopicError."""
    if not names:
        return frozenset(filter(moved_by_default, there))
    found: set[str] = set()
    for name in names:
        hits = [topic for topic in there if matches(topic, name)]
        if not hits:
            what = f"No topic matches {name}." if is_glob(name) else f"There is no topic {name}."
            raise NoTopicError(
                f"{what}{suggest(name, there)}", hint=kafkactl("describe", options=["-o", "name"], note="List them")
            )
        found |= set(hits)
    return frozenset(found)


def _require_brokers(want: WantedMoves, scene: ReplicaScene) -> None:
    ids = {host.id for host in scene.hosts}
    for option, given in (("--from", want.drain - set(scene.down)), ("--to", want.fill)):
        if unknown := sorted(given - ids):
            raise UsageError(
                f"{option}: there is no broker {unknown[0]} that is up: there are {and_more(sorted(ids), 30)}.",
            )
    if want.replication is not None and want.replication > len(ids):
        raise UsageError(
            f"--replication {want.replication} needs as many brokers, and {many(len(ids), 'is', 'are')} up."
        )
