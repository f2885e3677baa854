"""What the doctor heals itself (`--fix`): only where nothing can be lost by it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kafkactl.catalog.model import Catalog
from kafkactl.cluster import Cluster, changes
from kafkactl.cluster.elections import elect_preferred
from kafkactl.cluster.topics import read_topics
from kafkactl.doctor.findings import Told
from kafkactl.plan import make_plan


@dataclass(frozen=True)
class Repair:
    """How one code is healed. `act` returns what did not succeed, in lines; it raises KafkactlError."""

    code: str
    words: str  # what it does: "create the missing topics"
    act: Callable[[Cluster], list[str]]


def repairs(found: Sequence[Told], catalog: Catalog | None) -> list[Repair]:
    """The repairs for these findings, in the order in which they are made."""
    codes = {told.code for told in found}
    possible = [Repair("KD511", "let every partition be led by its preferred replica", _elect)]
    if catalog is not None:
        possible.insert(0, Repair("KD513", "create the missing topics", lambda kafka: _create(kafka, catalog)))
    return [repair for repair in possible if repair.code in codes]


def _elect(kafka: Cluster) -> list[str]:
    return [f"{place}: {why}" for place, why in elect_preferred(kafka).items()]


def _create(kafka: Cluster, catalog: Catalog) -> list[str]:
    topics = read_topics(kafka, catalog.topics, config_of=())
    plan = make_plan(catalog, topics.found, unreadable=topics.denied)
    missing = [change for change in plan.changes if change.kind == "create"]
    outcome = changes.apply(kafka, missing)
    changes.wait_for_leaders(kafka, [*(change.topic for change in outcome.done), *outcome.raced])
    return [f"{topic}: {why}" for (topic, _), why in outcome.failed.items()]
