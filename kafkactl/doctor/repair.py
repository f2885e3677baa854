"""What the doctor fixes itself (`--fix`): only what cannot lose anything.

Containers come first, in the order of their dependencies; then Kafka itself. Nothing that answers is restarted.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from kafkactl.catalog.model import Catalog
from kafkactl.cluster import changes
from kafkactl.cluster.changes import elect_preferred
from kafkactl.cluster.client import Cluster, connect
from kafkactl.cluster.metadata import read_topics
from kafkactl.connection import Connection
from kafkactl.containers import engine as engines
from kafkactl.containers.engine import Engine
from kafkactl.containers.model import Container
from kafkactl.doctor.checks.troubles import session_left
from kafkactl.doctor.codes import Told
from kafkactl.doctor.dialling import dial
from kafkactl.doctor.facts import Facts
from kafkactl.doctor.listeners import published
from kafkactl.plan.differences import make_plan
from kafkactl.settings import Target

_GRACE = 30  # seconds that a container has to stop cleanly
_SPEECH = 2.0  # seconds in which a broker answers
_START = ("KD101", "KD104", "KD402")
_RESTART = ("KD106", "KD401", "KD702")


class Treatment(NamedTuple):
    """What came of a repair: what did not succeed, in lines; and whether anything was done that may heal."""

    failed: list[str]
    done: bool = True


@dataclass(frozen=True)
class Repair:
    """How a finding is fixed. `act` raises KafkactlError."""

    code: str
    words: str  # what it does: "create the missing topics"
    act: Callable[[], Treatment]
    target: str = ""  # the container of the finding, where each finding has a repair of its own

    @property
    def name(self) -> str:
        return f"{self.code} of {self.target}" if self.target else self.code

    def is_of(self, told: Told) -> bool:
        """Whether it repairs this finding."""
        return told.code == self.code and self.target in ("", told.target)


def repairs(found: Sequence[Told], facts: Facts, target: Target) -> list[Repair]:
    """The repairs for these findings, in the order in which they run."""
    codes, catalog, connection = {told.code for told in found}, target.catalog, target.connection
    possible = list(_of_containers(found, facts))
    if catalog is not None:
        act = partial(_create, connection, catalog)
        possible.append(Repair("KD513", "create the missing topics", act))
    possible.append(Repair("KD511", "elect the preferred leader of every partition", partial(_elect, connection)))
    return [repair for repair in possible if repair.code in codes]


def _of_containers(found: Sequence[Told], facts: Facts) -> Iterator[Repair]:
    """The stack's containers are in the order in which they start."""
    codes = {told.target: told.code for told in found}
    for container in facts.stack.containers if facts.stack else ():
        code = codes.get(container.name, "")
        if code in _START:
            verb = "unpause" if container.status == "paused" else "start"
            left = session_left(facts, container)
            wait = f" in {left} s, when ZooKeeper drops its old registration" if left else ""
            yield Repair(code, f"{verb} {container.name}{wait}", partial(_start, container, left), container.name)
        elif code in _RESTART and _may_be_restarted(facts, container):
            yield Repair(code, f"restart {container.name}", partial(_restart, container), container.name)
            if code == "KD401" and container.role == "zookeeper" and facts.stack:
                for broker in facts.stack.of_role("broker"):
                    if broker.status == "running" and not facts.stack.answers_kafka(broker):
                        yield Repair(code, f"then restart {broker.name}", partial(_restart, broker), container.name)


def _may_be_restarted(facts: Facts, container: Container) -> bool:
    return facts.stack is not None and not (container.role == "broker" and facts.stack.answers_kafka(container))


def _start(container: Container, wait: int) -> Treatment:
    time.sleep(wait)
    engines.connect_engine().start(container.name)
    return Treatment([])


def _restart(container: Container) -> Treatment:
    engine = engines.connect_engine()
    if container.role == "broker" and _answers(engine, container):
        return Treatment([f"{container.name} answers again and was left alone."])
    engine.restart(container.name, _GRACE)
    return Treatment([])


def _answers(engine: Engine, container: Container) -> bool:
    ports = published(container).values()
    return any(dial(engine.host, port, _SPEECH).is_kafka for port in ports)


def _elect(connection: Connection) -> Treatment:
    return Treatment([f"{place}: {why}" for place, why in elect_preferred(connect(connection)).items()])


def _create(connection: Connection, catalog: Catalog) -> Treatment:
    kafka: Cluster = connect(connection)
    topics = read_topics(kafka, catalog.topics, config_of=())
    plan = make_plan(catalog, topics.found, unreadable=topics.denied)
    failed: list[str] = []
    created: list[str] = []
    missing = [change for change in plan.changes if change.kind == "create" and not change.impossible]
    for batch in changes.batches(missing):
        outcome = changes.apply(kafka, batch)
        created += [change.topic for change in (*outcome.done, *outcome.raced)]
        failed += [f"{refusal.change.topic}: {refusal.why}" for refusal in outcome.failed]
        failed += [
            f"{change.topic}: no answer in time, so whether it is there is not known" for change in outcome.unanswered
        ]
    changes.wait_for_leaders(kafka, created)
    return Treatment(failed, bool(created or not failed))
