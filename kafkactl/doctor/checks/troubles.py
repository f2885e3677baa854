"""Which containers are in trouble, and which code reports each: one container is reported by one code. Pure.

What only follows from another container's trouble (a broker without its ZooKeeper) is reported with that one.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from kafkactl.containers.broker_listeners import bound, listens_by_rule
from kafkactl.containers.broker_settings import setting
from kafkactl.containers.families import heap_of
from kafkactl.containers.model import Container
from kafkactl.doctor.checks.container_remedies import stack
from kafkactl.doctor.facts import Facts, StackFacts
from kafkactl.doctor.listeners import published
from kafkactl.doctor.signs import Kind, Sign, first

KAFKA = ("broker", "controller", "zookeeper")
_KILLED = 137
_LOOPING_SECONDS = 20  # a container restarted less than this long ago may exit again
_STARTING_SECONDS = 15  # a ZooKeeper that was started less than this long ago may still be starting
_SILENT_SECONDS = 60  # a broker answers by then
_RECENT_SECONDS = 10  # a log line of this age still describes what a running container does
_NOT_FOUND = (
    "executable file not found",
    "OCI runtime exec failed",
    "Port already in use",
    ": not found",
    "command not found",
)

# The code for each sign in the log, worst first: a sign further down may only be a consequence.
_CODES: dict[Kind, str] = {
    "no-memory": "KD108",
    "heap-exhausted": "KD111",
    "cluster-id": "KD205",
    "node-id": "KD206",
    "unformatted": "KD207",
    "disk-full": "KD203",
    "not-writable": "KD204",
    "log-dir-failed": "KD203",
    "listener": "KD311",
    "required": "KD114",
    "ephemeral": "KD402",
    "registration": "KD404",
    "zookeeper": "KD401",
    "fatal": "KD405",
}
# Codes that may follow from another container's trouble, and codes that never do.
_FOLLOWS = frozenset({"KD101", "KD105", "KD106", "KD107", "KD112", "KD401", "KD405"})


@dataclass(frozen=True)
class Trouble:
    """A container in trouble, the code that says why, the log line that shows it, and the containers it affects."""

    container: Container
    code: str
    sign: Sign | None = None
    followers: tuple[Container, ...] = ()


def told_by(facts: Facts, code: str) -> Iterator[Trouble]:
    """The troubles that this code reports. Raises NotApplicableError if there is no stack."""
    yield from (trouble for trouble in troubles(facts) if trouble.code == code)


def troubles(facts: Facts) -> list[Trouble]:
    """Every container in trouble that nothing else explains."""
    found = [trouble for container in stack(facts).containers if (trouble := _trouble(facts, container))]
    causes = [(trouble, _cause_of(trouble, found)) for trouble in found]
    return [
        replace(trouble, followers=tuple(other.container for other, cause in causes if cause is trouble))
        for trouble, cause in causes
        if cause is None
    ]


def _cause_of(trouble: Trouble, found: list[Trouble]) -> Trouble | None:
    """The trouble this one follows from: the first among the containers it depends on."""
    if trouble.code not in _FOLLOWS or _is_own(trouble):
        return None
    role = trouble.container.role
    deeper = {"zookeeper": (), "controller": (), "broker": ("zookeeper", "controller")}.get(role, KAFKA)
    needed = [other for other in found if other.container.role in deeper]
    if role in ("broker", "controller") and trouble.code in ("KD106", "KD112", "KD405"):
        # If the majority is gone, the remaining controllers cannot work either.
        needed += [other for other in found if other.container.role == role and _is_own(other)]
    return next((other for other in needed if other is not trouble), None)


def _is_own(trouble: Trouble) -> bool:
    """Whether the trouble is its own: somebody stopped or paused it, or its settings are refused."""
    container = trouble.container
    if trouble.code not in _FOLLOWS:
        return True
    if trouble.code == "KD405" and trouble.sign and "ConfigException" in trouble.sign.found.get("cause", ""):
        return True  # a setting that Kafka refuses, whoever else is unwell
    return container.status == "paused" or (container.role in KAFKA and was_stopped(container))


def was_stopped(container: Container) -> bool:
    """Whether somebody stopped it: it exited with 0 or by a signal, and no restart policy applies."""
    return container.status == "exited" and container.exit_code in (0, 130, 143)


def _trouble(facts: Facts, container: Container) -> Trouble | None:
    if container.finished_well:
        return None
    sign = _sign(facts, container)
    code = _code(facts, container, sign)
    return Trouble(container, code, sign) if code else None


def _sign(facts: Facts, container: Container) -> Sign | None:
    found = stack(facts).signs.get(container.name, ())
    if container.status == "running" and not is_looping(facts, container):
        since = (facts.taken - _RECENT_SECONDS * 1000) * 1_000_000
        found = tuple(sign for sign in found if sign.time >= since or sign.kind in ("disk-full", "log-dir-failed"))
    return first(found, *_CODES)


_SESSION = 18  # seconds: zookeeper.session.timeout.ms


def session_left(facts: Facts, container: Container) -> int:
    """For how many more seconds ZooKeeper holds the registration of a killed broker; 0 if it holds none."""
    if not setting(container, "ZOOKEEPER_CONNECT") or container.finished is None or was_stopped(container):
        return 0
    gone = facts.taken / 1000 - container.finished.timestamp()
    return max(0, math.ceil(_SESSION - gone))


def is_looping(facts: Facts, container: Container) -> bool:
    """Whether the engine keeps restarting it."""
    if container.status == "restarting":
        return True
    if (container.health and container.health.status == "healthy") or stack(facts).answers_kafka(container):
        return False
    up = facts.taken / 1000 - container.started.timestamp() if container.started else 0
    return (
        container.status == "running" and container.restarts > 0 and up < _LOOPING_SECONDS * min(container.restarts, 3)
    )


def last_exit_code(facts: Facts, container: Container) -> int:
    """Its last exit code, even if it is running again."""
    death = stack(facts).deaths.get(container.name)
    return death.exit_code if death else container.exit_code


def _code(facts: Facts, container: Container, sign: Sign | None) -> str:
    if container.status == "paused":
        return "KD101"
    if container.status == "created":
        return "KD102" if _wants_a_taken_port(facts, container) else "KD101"
    looping = is_looping(facts, container)
    if looping or container.status in ("exited", "dead"):
        return _why_it_ended(facts, container, sign, looping=looping)
    return _why_it_is_unwell(facts, container, sign)


def _wants_a_taken_port(facts: Facts, container: Container) -> bool:
    if "port is already allocated" in container.error or "address already in use" in container.error:
        return True
    # Podman does not record why a container did not start.
    return any(str(port) in stack(facts).holders for port in published(container).values())


def _why_it_ended(facts: Facts, container: Container, sign: Sign | None, *, looping: bool) -> str:
    death = stack(facts).deaths.get(container.name)
    if container.oom_killed or (looping and death and death.oom):
        # A heap that the limit cannot hold is the cause; more memory alone would only hide it.
        heap, limit = heap_of(container), container.memory_limit
        return "KD108" if heap and limit and heap >= limit else "KD103"
    if was_stopped(container):
        return "KD101"
    if container.role in KAFKA and sign:
        return _CODES[sign.kind]
    if last_exit_code(facts, container) == _KILLED:
        return "KD104"
    return "KD105" if looping else "KD101"


def _why_it_is_unwell(facts: Facts, container: Container, sign: Sign | None) -> str:
    """The code for a running container; "" if it is healthy."""
    health, there = container.health.status if container.health else "", stack(facts)
    told = _CODES[sign.kind] if sign and container.role in KAFKA else ""
    serves = container.role == "broker" and there.answers_kafka(container)
    up = facts.taken / 1000 - container.started.timestamp() if container.started else _STARTING_SECONDS
    if container.role == "zookeeper" and "Mode:" not in there.zookeeper.get(container.name, "Mode:"):
        told = "KD112" if health == "starting" or (not health and up < _STARTING_SECONDS) else "KD401"
    elif health == "unhealthy":
        told = _why_its_check_fails(container, told, serves=serves)
    elif serves or health == "healthy" or (health == "starting" and container.role not in KAFKA):
        told = ""
    elif health == "starting":
        told = told or "KD112"
    elif container.role == "broker" and not health and not told and up >= _SILENT_SECONDS:
        told = "KD106" if _should_answer(container, there) else ""
    return told


def _should_answer(container: Container, there: StackFacts) -> bool:
    """Whether a broker publishes a port at which its rules say that it listens, and none speaks Kafka's protocol."""
    listens = {listener.port for listener in bound(container)} if listens_by_rule(container) else set()
    dials = there.dials.get(container.name, ())
    return bool(dials) and bool(listens & set(published(container))) and not any(dial.is_kafka for dial in dials)


def _why_its_check_fails(container: Container, told: str, *, serves: bool) -> str:
    if is_broken(container):
        return "KD107"
    if serves:  # the engine may not have run the check again yet
        return "KD107" if container.health and container.health.failing_streak else ""
    return told or "KD106"


def is_broken(container: Container) -> bool:
    """Whether the health check itself cannot run."""
    health = container.health
    return health is not None and any(words in health.output for words in _NOT_FOUND)
