"""The services that `ps` and `logs` show: the stack's containers and the brokers of sandboxes."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from kafkactl.containers.endpoint import EngineError
from kafkactl.containers.engine import Engine, connect_engine
from kafkactl.containers.model import Container, LogLine, Memory, Port, merged_by_time, nanoseconds
from kafkactl.containers.stack import Stack, find_stacks
from kafkactl.errors import KafkactlError, UsageError
from kafkactl.sandbox.broker import log_tail, whole_lines
from kafkactl.sandbox.model import Node
from kafkactl.text.remedies import command, kafkactl
from kafkactl.text.suggest import suggest

if TYPE_CHECKING:
    from kafkactl.sandbox.detached import BrokerStatus


Condition = Literal["fine", "wait", "bad"]


@dataclass(frozen=True)
class RunningService:
    """One service. `since` is when it began to be in this state; memory is in bytes, the limit 0 where none is known.

    `condition`: fine, not yet (it is starting), or bad.
    """

    name: str
    project: str | None  # the compose project; None for containers started by hand, and for sandboxes
    state: str
    health: str
    condition: Condition
    restarts: int
    ports: tuple[Port, ...]
    memory: Memory | None
    since: datetime | None
    exit_code: int | None = None


@dataclass(frozen=True)
class Found:
    """The stacks and the sandboxes' brokers. `problem` is why the engine could not be asked, if it could not."""

    engine: Engine | None
    stacks: list[Stack]
    brokers: "dict[str, BrokerStatus]"
    problem: EngineError | None

    @property
    def names(self) -> list[str]:
        """Every service's name."""
        return [*(container.service for container in self.containers), *self.brokers]

    @property
    def containers(self) -> tuple[Container, ...]:
        """The containers of every stack."""
        return tuple(container for stack in self.stacks for container in stack.containers)

    def only(self, names: Sequence[str]) -> "tuple[list[Container], dict[str, Node]]":
        """The containers and brokers of these names (of services, or of containers); all where none is named.

        Raises UsageError for a name that is not there.
        """
        for name in names:
            if name not in self.names and name not in {container.name for container in self.containers}:
                raise UsageError(
                    f"There is no service {name}.{suggest(name, self.names, quoted=False)}",
                    where=f"Services: {', '.join(self.names)}.",
                )
        chosen = [c for c in self.containers if not names or c.service in names or c.name in names]
        return chosen, {name: broker.node for name, broker in self.brokers.items() if not names or name in names}


def find_services(project: str | None, directory: Path) -> Found:
    """The services; `project` is a compose project's name. Raises UsageError (unknown project).

    Where there is nothing at all: EngineError if the engine could not be asked, else KafkactlError.
    """
    engine, problem = None, None
    stacks: list[Stack] = []
    try:
        engine = connect_engine()
        stacks = find_stacks(engine, project, directory)
    except EngineError as error:
        if project is not None:
            raise
        problem = error
    brokers = {} if project else _brokers()
    if not stacks and not brokers:
        raise problem or KafkactlError(
            "No Kafka containers and no sandbox were found.",
            where=f"The Docker engine at {engine.endpoint.address} was checked." if engine else "",
            hint=[
                command("docker", "compose", "up", "-d", note="Start one"),
                kafkactl("sandbox up", note="Or without Docker"),
            ],
        )
    return Found(engine, stacks, brokers, problem)


def _brokers() -> "dict[str, BrokerStatus]":
    """The brokers of the sandboxes that are up, by the name each is shown under."""
    from kafkactl.sandbox import detached, store

    found = {}
    for port in store.ports():
        status = detached.status(port)
        if status and status.state != "kept":
            middle = "" if port == detached.DEFAULT_PORT else f"{port}-"
            found.update({f"sandbox-{middle}{broker.node.id}": broker for broker in status.brokers})
    return found


def services(found: Found) -> list[RunningService]:
    """Every service as it is now. Raises EngineError."""
    memory = found.engine.memory(found.containers) if found.engine and found.containers else {}
    shown = [_service(container, memory.get(container.id)) for container in found.containers]
    return [*shown, *(_broker(name, node) for name, node in found.brokers.items())]


def _service(container: Container, memory: Memory | None) -> RunningService:
    ended = container.status in ("exited", "dead")
    if memory and not container.memory_limit:
        memory = Memory(memory.used, 0)  # the machine's memory does not count as a limit
    return RunningService(
        name=container.service,
        project=container.project,
        state="done" if container.finished_well else container.status,
        health=container.health.status if container.health else "",
        condition=_condition(container),
        restarts=container.restarts,
        ports=container.ports if container.status in ("running", "paused") else (),
        memory=memory,
        since=container.finished if ended else container.started or container.created,
        exit_code=container.exit_code if ended else None,
    )


def _condition(container: Container) -> Condition:
    if container.finished_well:
        return "fine"
    if container.status != "running" or (container.health and container.health.status == "unhealthy"):
        return "bad"
    return "wait" if container.health and container.health.status == "starting" else "fine"


def _broker(name: str, broker: "BrokerStatus") -> RunningService:
    from kafkactl.sandbox.store import usage

    used = usage(broker.pid) if broker.pid else None
    serves = broker.state == "serving"
    return RunningService(
        name=name,
        project=None,
        state="running" if used else "exited",
        health=("healthy" if serves else "unhealthy") if used else "",
        condition="fine" if serves else "bad",
        restarts=0,
        ports=tuple(Port(port, "tcp", "127.0.0.1", port) for port in broker.node.ports or (broker.node.port,)),
        memory=Memory(used.memory, 0) if used else None,
        since=datetime.fromtimestamp(used.created, UTC) if used else None,
    )


_POLL_SECONDS = 0.2


class BrokerLogs:
    """The logs of some brokers, by the name each is shown under."""

    unreadable: Mapping[str, str] = MappingProxyType({})  # files can always be read; containers' logs cannot

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self._nodes = nodes
        self._ends: dict[str, int] = {}
        self._last: dict[str, int] = dict.fromkeys(nodes, 0)

    def so_far(self, lines: int | None, since: float | None, keep: Callable[[str], bool] | None) -> list[LogLine]:
        """The last `lines` lines of each broker (None: all) since a time (s since the epoch), merged by time.

        `keep` chooses lines before the last ones are taken.
        """
        found = []
        for name, node in self._nodes.items():
            texts, self._ends[name] = log_tail(node.log, sys.maxsize if keep or since or lines is None else lines)
            kept = [
                line
                for line in self._timed(name, texts)
                if line.time >= (since or 0.0) * 1e9 and (keep is None or keep(line.text))
            ]
            found += kept[max(0, len(kept) - lines) :] if lines is not None else kept
        return merged_by_time(found)

    def follow(self) -> Iterator[list[LogLine]]:
        """What is added from now on, in batches in the order of time, until the logs are removed."""
        while any(node.log.exists() for node in self._nodes.values()):
            batch = []
            for name, node in self._nodes.items():
                texts, self._ends[name] = whole_lines(node.log, self._ends[name])
                batch += list(self._timed(name, texts))
            yield merged_by_time(batch)
            time.sleep(_POLL_SECONDS)

    def _timed(self, name: str, texts: list[str]) -> Iterator[LogLine]:
        """Lines with the time each begins with; one that has none (a stack trace) gets that of the line before."""
        for text in texts:
            self._last[name] = nanoseconds(text.partition(" ")[0]) or self._last[name]
            yield LogLine(self._last[name], name, text)
