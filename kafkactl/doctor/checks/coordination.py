"""KD4: do brokers, ZooKeeper and controllers find each other? What the containers and their logs say. Pure."""

from collections.abc import Iterator, Mapping

from kafkactl.doctor.checks.containers import log_line, severity, suffering
from kafkactl.doctor.checks.healing import anew, show_log, up
from kafkactl.doctor.checks.troubles import stack, told_by
from kafkactl.doctor.facts import Facts
from kafkactl.doctor.findings import Check, Finding
from kafkactl.doctor.listeners import variable


def zookeeper(facts: Facts) -> Iterator[Finding]:
    """KD401"""
    there = stack(facts)
    keepers = there.of_role("zookeeper")
    for trouble in told_by(facts, "KD401"):
        container = trouble.container
        if container.role == "zookeeper":
            brokers = " && ".join(f"docker restart {broker.name}" for broker in there.of_role("broker"))
            heal = [f"docker restart {container.name}" + (f" && {brokers}" if brokers else "")]
            words = f"ZooKeeper ({container.name}) runs and does not answer."
            evidence = [("tried", "its word srvr, at the port it publishes: no answer")]
        else:
            wanted = variable(container.environment, "ZOOKEEPER_CONNECT")
            words = f"{container.name} waits for ZooKeeper at {wanted or '?'}, and does not get through."
            there_is = ", ".join(f"{keeper.service}:2181" for keeper in keepers)
            heal = [
                f"correct KAFKA_ZOOKEEPER_CONNECT of {container.service}: here it is {there_is}"
                if there_is
                else "start a ZooKeeper there, or correct KAFKA_ZOOKEEPER_CONNECT",
                up(facts, container),
            ]
            evidence = []
        yield Finding(
            container.name,
            {"words": words},
            [*evidence, *log_line(trouble), *suffering(trouble)],
            heal,
        )


def stale_registration(facts: Facts) -> Iterator[Finding]:
    """KD402"""
    for trouble in told_by(facts, "KD402"):
        name = trouble.container.name
        yield Finding(name, {}, [*log_line(trouble), *suffering(trouble)])


def registration_refused(facts: Facts) -> Iterator[Finding]:
    """KD404"""
    for trouble in told_by(facts, "KD404"):
        container = trouble.container
        found = trouble.sign.found if trouble.sign else {}
        values = {"id": found.get("id", "?"), "why": found.get("why", "?")}
        heal = anew(facts, container, "a KAFKA_NODE_ID of its own", "makes it anew")
        yield Finding(container.name, values, [*log_line(trouble), *suffering(trouble)], heal, severity(container))


def fatal(facts: Facts) -> Iterator[Finding]:
    """KD405"""
    for trouble in told_by(facts, "KD405"):
        container = trouble.container
        why = (trouble.sign.found.get("cause") if trouble.sign else "") or "its log says no more"
        evidence = [*log_line(trouble), *suffering(trouble)]
        yield Finding(container.name, {"why": why.rstrip(".")}, evidence, [show_log(container)], severity(container))


CHECKS: Mapping[str, Check] = {
    "KD401": zookeeper,
    "KD402": stale_registration,
    "KD404": registration_refused,
    "KD405": fatal,
}
