"""KD315–KD317: what the applications' own logs say of Kafka: a topic, a record, a login. Pure."""

from collections.abc import Iterator

from kafkactl.containers.broker_listeners import advertised, bound, listener_protocol
from kafkactl.containers.broker_settings import told_by_what
from kafkactl.containers.model import Container
from kafkactl.containers.sought import names
from kafkactl.doctor.checks.container_remedies import show_log, stack
from kafkactl.doctor.checks.troubles import KAFKA, is_looping
from kafkactl.doctor.codes import Finding, check
from kafkactl.doctor.facts import Facts
from kafkactl.doctor.signs import Kind, Sign
from kafkactl.text.remedies import Advice, Remedy, kafkactl
from kafkactl.text.suggest import closest
from kafkactl.text.words import size
from kafkactl.topics import SOME_TOPICS

_RECENT_SECONDS = 120  # what a running application said earlier may be over
_TWICE = 2  # a new topic is unknown for a moment: an application that goes on after that does not say it again


def recent_signs(facts: Facts, container: Container, *kinds: Kind) -> list[Sign]:
    """What an application's log says of these kinds, the latest first: of its last start, or while it runs just now."""
    found = [sign for sign in stack(facts).signs.get(container.name, ()) if sign.kind in kinds]
    if container.status == "running" and not is_looping(facts, container):
        since = (facts.taken - _RECENT_SECONDS * 1000) * 1_000_000
        found = [sign for sign in found if sign.time >= since]
    return sorted(found, key=lambda sign: -sign.time)


def applications(facts: Facts) -> list[Container]:
    """The stack's containers that are no part of Kafka."""
    return [c for c in stack(facts).containers if c.role not in KAFKA and not c.finished_well]


@check("KD315")
def topic_unknown(facts: Facts) -> Iterator[Finding]:
    for container in applications(facts):
        said = recent_signs(facts, container, "client-topic")
        named = next((sign for sign in said if "topic" in sign.found), None)
        if named is not None:
            if finding := _of_topic(facts, container, named):
                yield finding
        elif len(said) >= _TWICE:
            yield Finding(
                container.name,
                {"topic": "a topic", "which": ", and its log does not say which"},
                [("log", said[0].text)],
                [show_log(container), kafkactl("describe", note="lists the topics that there are")],
                blocks=False,
            )


def _of_topic(facts: Facts, container: Container, sign: Sign) -> Finding | None:
    """The finding about a topic that an application named; None if it is there, or declared (KD513 reports that)."""
    topic, cluster = sign.found["topic"], facts.cluster
    declared = {entry.name for entry in facts.declared or ()}
    if cluster and (cluster.topic(topic) or topic in cluster.denied or topic in declared):
        return None
    there = [one.name for one in cluster.topics if not one.name.startswith("__")] if cluster else []
    near = closest(topic, [*there, *declared])
    heal: list[Remedy] = [kafkactl("init-topics", note="creates it, once topics.yaml declares it")]
    if near:
        heal = [
            Advice(f"correct the name in the settings of {container.service}: {near} exists"),
            Advice(f"if {topic} is meant, declare it in topics.yaml, then"),
            *heal,
        ]
    else:
        heal = [Advice(f"declare {topic} in topics.yaml, then"), *heal]
    known = "" if cluster else ", as its log says; whether that is still so is not known"
    if facts.groups and SOME_TOPICS in facts.groups.now.hidden:
        known = f", or it is hidden from {facts.principal or 'this user'}"
    return Finding(container.name, {"topic": topic, "which": known}, [("log", sign.text)], heal, blocks=False)


@check("KD316")
def record_too_large(facts: Facts) -> Iterator[Finding]:
    for container in applications(facts):
        said = recent_signs(facts, container, "client-size")
        if not said:
            continue
        sign = next((sign for sign in said if sign.found), said[0])
        bytes_, limit, setting = (sign.found.get(key, "") for key in ("size", "limit", "setting"))
        one = f"a record of {size(int(bytes_))}" if bytes_ else "a record"
        if setting:
            words = f"{one} is larger than its own {setting}" + (f" of {size(int(limit))}" if limit else "")
            least = bytes_ or "the size of the record"
            heal: list[Remedy] = [
                Advice(f"set {setting} of {container.service} to {least} at least, and max.message.bytes of the topic"),
                Advice("compression and smaller records help as well: Kafka is made for records below 1 MB"),
            ]
        else:
            words = f"the broker refuses {one}: it is larger than max.message.bytes of the topic"
            heal = [
                Advice("raise max.message.bytes of the topic in topics.yaml (as large as the largest record), then"),
                kafkactl("init-topics"),
            ]
        yield Finding(container.name, {"words": words}, [("log", sign.text), *_ignored_size(facts)], heal, blocks=False)


def _ignored_size(facts: Facts) -> Iterator[tuple[str, str]]:
    """A broker's variable that was meant to raise the limit, and that its image does not read."""
    for broker in stack(facts).of_role("broker"):
        for name in ("KAFKA_MESSAGE_MAX_BYTES", "KAFKA_MAX_REQUEST_SIZE", "KAFKA_CFG_MAX_REQUEST_SIZE"):
            if name in broker.environment and name != told_by_what(broker, "MESSAGE_MAX_BYTES"):
                yield "seen", f"{name} of {broker.name} is no setting of its broker"


@check("KD317")
def login_fails(facts: Facts) -> Iterator[Finding]:
    brokers = stack(facts).of_role("broker")
    for container in applications(facts):
        said = recent_signs(facts, container, "client-security")
        if not said:
            continue
        sign = next((sign for sign in said if "host" in sign.found), said[0])
        host, port = sign.found.get("host", ""), sign.found.get("port", "")
        address = f"{host}:{port}" if host and port else "Kafka"
        broker = next((b for b in brokers if host in names(b)), None)
        listener = next((one for one in bound(broker) if port == str(one.port)), None) if broker else None
        wanted = listener_protocol(broker, listener.name) if broker and listener else ""
        words = f"the listener {listener.name} there is {wanted}" if listener and wanted else "its login or TLS fails"
        heal: list[Remedy] = [show_log(container)]
        if broker and listener and wanted:
            heal = [Advice(f"set security.protocol={wanted} for {container.service}, with that listener's credentials")]
            plain = [
                one
                for one in advertised(broker)
                if listener_protocol(broker, one.name) == "PLAINTEXT" and one.host in names(broker)
            ]
            if plain:
                heal.append(Advice(f"or let it use the listener without any: {plain[0].address}"))
        yield Finding(container.name, {"address": address, "words": words}, [("log", sign.text)], heal, blocks=False)
