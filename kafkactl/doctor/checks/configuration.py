"""KD113, KD114, KD406: what a container of Kafka's is told, and what its image makes of that. Pure."""

from collections.abc import Iterator

from kafkactl.containers.broker_settings import ignored_variables, prefix_of, setting, told_by_what
from kafkactl.containers.model import Container
from kafkactl.containers.sought import LOOPBACK, names
from kafkactl.doctor.checks.container_remedies import changed, recreate, recreated, stack, with_settings
from kafkactl.doctor.checks.lifecycle import log_line, severity, suffering
from kafkactl.doctor.checks.troubles import told_by, troubles
from kafkactl.doctor.codes import Finding, check
from kafkactl.doctor.facts import Facts
from kafkactl.text.remedies import Advice, Remedy, ServiceChange
from kafkactl.text.words import and_more


@check("KD113")
def not_read(facts: Facts) -> Iterator[Finding]:
    for container in stack(facts).containers:
        if container.role not in ("broker", "controller"):
            continue
        ignored = dict(ignored_variables(container))
        if ignored:
            change = ServiceChange(container.service, renames=tuple(ignored.items()))
            yield Finding(
                container.name,
                {"names": and_more(repr(name) if " " in name else name for name in ignored)},
                [("image", container.image)],
                changed(facts, container, change),
                blocks=False,
            )


@check("KD114")
def required_variable(facts: Facts) -> Iterator[Finding]:
    for trouble in told_by(facts, "KD114"):
        container = trouble.container
        found = trouble.sign.found if trouble.sign else {}
        name, why = found.get("name", ""), found.get("why", "").rstrip(".")
        keeper = setting(container, "ZOOKEEPER_CONNECT")
        modern = not setting(container, "PROCESS_ROLES")
        wanted = name.removeprefix("KAFKA_").lower().replace("_", ".")
        if keeper and modern and wanted in ("process.roles", "node.id", "controller.listener.names"):
            words = "its Kafka has no ZooKeeper any more, and it is configured for one"
            prefix = prefix_of(container.image)
            heal: list[Remedy] = [
                Advice(
                    f"in the compose file, under {container.service}, pin an image of Kafka 3.9 (cp 7.9) or older, or "
                    f"configure KRaft: {prefix}NODE_ID, {prefix}PROCESS_ROLES, {prefix}CONTROLLER_QUORUM_VOTERS, "
                    f"{prefix}CONTROLLER_LISTENER_NAMES and a CONTROLLER listener; then"
                ),
                recreate(facts, container, "recreates it"),
            ]
        elif "ALLOW_PLAINTEXT_LISTENER" in why:
            words = "its image wants a secure listener, or ALLOW_PLAINTEXT_LISTENER=yes"
            allow = ServiceChange(container.service, variables=(("ALLOW_PLAINTEXT_LISTENER", "yes"),))
            heal = changed(facts, container, allow, "recreates it; for development")
        else:
            words = f"its image requires {name}" if name else why
            heal = recreated(facts, container, f"{name or 'what its log asks for'}", "recreates it")
        evidence = [*log_line(trouble), *suffering(trouble)]
        yield Finding(container.name, {"words": words}, evidence, heal, severity(container))


@check("KD406")
def voters(facts: Facts) -> Iterator[Finding]:
    there = stack(facts)
    unwell = {trouble.container.name for trouble in troubles(facts)}
    known = {name for container in there.containers for name in names(container)} | LOOPBACK
    for container in there.of_role("broker", "controller"):
        text = setting(container, "CONTROLLER_QUORUM_VOTERS")
        if container.name not in unwell or not text:
            continue
        if words := _wrong_voters(container, text, known):
            name, right = told_by_what(container, "CONTROLLER_QUORUM_VOTERS"), _right_voters(facts, text)
            yield Finding(
                container.name,
                {"words": words},
                [("seen", f"{name}: {text}")],
                with_settings(facts, container, {"CONTROLLER_QUORUM_VOTERS": right}, "recreates it"),
                severity(container),
            )


def _wrong_voters(container: Container, text: str, known: set[str]) -> str:
    """What is wrong with a container's list of voters; "" if nothing is known to be."""
    voters = [entry.strip().partition("@") for entry in text.split(",")]
    id = setting(container, "NODE_ID") or setting(container, "BROKER_ID")
    roles = setting(container, "PROCESS_ROLES")
    if id and "controller" in roles and id not in {voter for voter, _, _ in voters}:
        return f"it is a controller with node id {id}, which is not among the voters"
    for _, _, address in voters:
        host = address.rpartition(":")[0]
        if host and "." not in host and host not in known:
            return f"no container has the name {host}, which is among the voters"
    return ""


def _right_voters(facts: Facts, text: str) -> str:
    """The voters as the stack's controllers would have them."""
    port = text.partition(",")[0].rpartition(":")[2]
    right = [
        f"{setting(c, 'NODE_ID') or '?'}@{c.service}:{port}"
        for c in stack(facts).of_role("broker", "controller")
        if "controller" in setting(c, "PROCESS_ROLES")
    ]
    return ",".join(right)
