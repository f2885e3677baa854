"""KD4: do brokers, ZooKeeper and controllers find each other, as far as containers and their logs show? Pure."""

import math
from collections.abc import Iterator, Sequence

from kafkactl.containers.broker_settings import setting, told_by_what
from kafkactl.containers.model import Container
from kafkactl.containers.sought import names
from kafkactl.doctor.checks.container_remedies import docker, recreate, show_log, stack, with_settings
from kafkactl.doctor.checks.lifecycle import log_line, severity, suffering
from kafkactl.doctor.checks.troubles import told_by
from kafkactl.doctor.codes import Finding, check
from kafkactl.doctor.facts import Facts
from kafkactl.text.remedies import Advice, Remedy, command
from kafkactl.text.units import is_number
from kafkactl.text.words import and_more


@check("KD401")
def zookeeper(facts: Facts) -> Iterator[Finding]:
    there = stack(facts)
    keepers = there.of_role("zookeeper")
    for trouble in told_by(facts, "KD401"):
        container = trouble.container
        if container.role == "zookeeper":
            restart = docker("restart", container)
            for broker in there.of_role("broker"):
                # With time to end its session: else ZooKeeper holds the registration against the broker's next start.
                restart = restart.then(command("docker", "restart", "-t", "60", broker.name))
            heal: list[Remedy] = [restart]
            words = f"ZooKeeper ({container.name}) is running but does not answer."
            evidence = [("tried", "the command srvr at its published port: no answer")]
        else:
            wanted = setting(container, "ZOOKEEPER_CONNECT")
            words = f"{container.name} cannot reach ZooKeeper at {wanted or '?'}."
            if container.status == "exited" and _is_ready(facts, keepers, wanted) and not _apart(container, keepers):
                words = f"{container.name} ended because ZooKeeper at {wanted} was not ready; it is by now."
            heal = _reach_zookeeper(facts, container, wanted, keepers)
            evidence = []
        yield Finding(
            container.name,
            {"words": words},
            [*evidence, *log_line(trouble), *suffering(trouble)],
            heal,
        )


def _is_ready(facts: Facts, keepers: Sequence[Container], wanted: str) -> bool:
    """Whether the ZooKeeper that a broker is told to use answers."""
    answering = stack(facts).zookeeper
    return any(
        keeper.status == "running"
        and any(f"{name}:" in wanted for name in (keeper.service, keeper.name))
        and "Mode:" in answering.get(keeper.name, "")
        for keeper in keepers
    )


def _reach_zookeeper(facts: Facts, broker: Container, wanted: str, keepers: Sequence[Container]) -> list[Remedy]:
    """What to do where a broker cannot reach ZooKeeper at the address that it was given."""
    there_is = [f"{name}:2181" for keeper in keepers for name in dict.fromkeys((keeper.service, keeper.name))]
    given = {address.strip() for address in wanted.partition("/")[0].split(",")}
    if given & set(there_is):
        if apart := _apart(broker, keepers):
            return [apart, recreate(facts, broker, "recreates it")]
        return [
            docker("restart", broker).noted("the address is right: ZooKeeper was not ready when it started"),
            Advice(
                f"for good: give {broker.service} a restart policy (restart: on-failure), or depends_on with "
                f"the condition service_healthy"
            ),
        ]
    if keepers:
        _, slash, root = wanted.partition("/")
        right = ",".join(f"{keeper.service}:2181" for keeper in keepers) + slash + root
        return with_settings(facts, broker, {"ZOOKEEPER_CONNECT": right})
    name = told_by_what(broker, "ZOOKEEPER_CONNECT") or "its address of ZooKeeper"
    return [Advice(f"start a ZooKeeper there, or correct {name}"), recreate(facts, broker)]


def _apart(broker: Container, keepers: Sequence[Container]) -> Advice | None:
    """What to do where a broker and ZooKeeper are in no network together."""
    networks = {network for keeper in keepers for network in keeper.networks}
    if not networks or not broker.networks or networks & set(broker.networks):
        return None
    wanted = and_more(sorted(networks))
    return Advice(
        f"{broker.service} is in {and_more(broker.networks)} and ZooKeeper in {wanted}: put {broker.service} into a "
        f"network of ZooKeeper's as well, then"
    )


@check("KD402")
def stale_registration(facts: Facts) -> Iterator[Finding]:
    for trouble in told_by(facts, "KD402"):
        container = trouble.container
        told = [*log_line(trouble), *suffering(trouble)]
        if other := _of_the_same_id(facts, container):
            id = setting(container, "BROKER_ID")
            yield Finding(
                container.name,
                {"words": f"{container.name} cannot start: {other.name} is running as broker {id}, too."},
                [("seen", f"{told_by_what(container, 'BROKER_ID')}: {id} of both"), *told],
                with_settings(facts, container, {"BROKER_ID": _free_id(facts, container)}, "recreates it"),
            )
            continue
        milliseconds = setting(container, "ZOOKEEPER_SESSION_TIMEOUT_MS")
        seconds = math.ceil(int(milliseconds) / 1000) if is_number(milliseconds) else _SESSION
        words = f"{container.name} restarted too soon: ZooKeeper still holds its previous registration."
        yield Finding(container.name, {"words": words, "seconds": seconds}, told)


_SESSION = 18  # seconds, Kafka's default of zookeeper.session.timeout.ms


def _of_the_same_id(facts: Facts, container: Container) -> Container | None:
    """Another broker that runs with the id that this one has been given."""
    id = setting(container, "BROKER_ID")
    others = (other for other in stack(facts).of_role("broker") if other.name != container.name)
    return next((o for o in others if id and o.status == "running" and setting(o, "BROKER_ID") == id), None)


def _free_id(facts: Facts, container: Container) -> str:
    """An id for a broker whose own is taken: what the voters say of it, else one above all others."""
    for voter in setting(container, "CONTROLLER_QUORUM_VOTERS").split(","):
        id, _, address = voter.strip().partition("@")
        if address.rpartition(":")[0] in names(container):
            return id
    told = [setting(one, name) for one in stack(facts).containers for name in ("NODE_ID", "BROKER_ID")]
    return str(max((int(id) for id in told if is_number(id)), default=0) + 1)


@check("KD404")
def registration_refused(facts: Facts) -> Iterator[Finding]:
    for trouble in told_by(facts, "KD404"):
        container = trouble.container
        found = trouble.sign.found if trouble.sign else {}
        id, name = found.get("id", "?"), told_by_what(container, "NODE_ID")
        twins = [
            other.name
            for other in stack(facts).of_role("broker")
            if other.name != container.name and setting(other, "NODE_ID") == id
        ]
        seen = [("seen", f"{name}: {id} of {and_more([container.name, *twins])}")] if twins else []
        heal = with_settings(facts, container, {"NODE_ID": _free_id(facts, container)}, "recreates it")
        told = [*log_line(trouble), *seen, *suffering(trouble)]
        yield Finding(container.name, {"id": id, "why": found.get("why", "?")}, told, heal, severity(container))


@check("KD405")
def fatal(facts: Facts) -> Iterator[Finding]:
    for trouble in told_by(facts, "KD405"):
        container = trouble.container
        why = (trouble.sign.found.get("cause") if trouble.sign else "") or "its log does not say why"
        evidence = [*log_line(trouble), *suffering(trouble)]
        yield Finding(container.name, {"why": why.rstrip(".")}, evidence, [show_log(container)], severity(container))
