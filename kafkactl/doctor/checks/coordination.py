"""KD4: do brokers, ZooKeeper and controllers find each other, as far as containers and their logs show? Pure."""

from collections.abc import Iterator

from kafkactl.doctor.checks.lifecycle import log_line, severity, suffering
from kafkactl.doctor.checks.troubles import docker, recreate, recreated, show_log, stack, told_by
from kafkactl.doctor.codes import Finding, check
from kafkactl.doctor.facts import Facts
from kafkactl.doctor.listeners import variable
from kafkactl.text.remedies import Advice, Remedy


@check("KD401")
def zookeeper(facts: Facts) -> Iterator[Finding]:
    there = stack(facts)
    keepers = there.of_role("zookeeper")
    for trouble in told_by(facts, "KD401"):
        container = trouble.container
        if container.role == "zookeeper":
            restart = docker("restart", container)
            for broker in there.of_role("broker"):
                restart = restart.then(docker("restart", broker))
            heal: list[Remedy] = [restart]
            words = f"ZooKeeper ({container.name}) is running but does not answer."
            evidence = [("tried", "the command srvr at its published port: no answer")]
        else:
            wanted = variable(container.environment, "ZOOKEEPER_CONNECT")
            words = f"{container.name} cannot reach ZooKeeper at {wanted or '?'}."
            there_is = ", ".join(f"{keeper.service}:2181" for keeper in keepers)
            correct = f"correct KAFKA_ZOOKEEPER_CONNECT of {container.service}: ZooKeeper is at {there_is}"
            none = "start a ZooKeeper there, or correct KAFKA_ZOOKEEPER_CONNECT"
            heal = [Advice(correct if there_is else none), recreate(facts, container)]
            evidence = []
        yield Finding(
            container.name,
            {"words": words},
            [*evidence, *log_line(trouble), *suffering(trouble)],
            heal,
        )


@check("KD402")
def stale_registration(facts: Facts) -> Iterator[Finding]:
    for trouble in told_by(facts, "KD402"):
        name = trouble.container.name
        yield Finding(name, {}, [*log_line(trouble), *suffering(trouble)])


@check("KD404")
def registration_refused(facts: Facts) -> Iterator[Finding]:
    for trouble in told_by(facts, "KD404"):
        container = trouble.container
        found = trouble.sign.found if trouble.sign else {}
        values = {"id": found.get("id", "?"), "why": found.get("why", "?")}
        heal = recreated(facts, container, "its own KAFKA_NODE_ID", "recreates it")
        yield Finding(container.name, values, [*log_line(trouble), *suffering(trouble)], heal, severity(container))


@check("KD405")
def fatal(facts: Facts) -> Iterator[Finding]:
    for trouble in told_by(facts, "KD405"):
        container = trouble.container
        why = (trouble.sign.found.get("cause") if trouble.sign else "") or "its log does not say why"
        evidence = [*log_line(trouble), *suffering(trouble)]
        yield Finding(container.name, {"why": why.rstrip(".")}, evidence, [show_log(container)], severity(container))
