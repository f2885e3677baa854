"""Why a cluster does not answer, told apart by trying what the client tried."""

import re
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from kafkactl.cluster import network
from kafkactl.cluster.properties import client_properties
from kafkactl.errors import UnreachableError
from kafkactl.settings import Connection

if TYPE_CHECKING:
    from kafkactl.cluster.client import Cluster

NEXT = "No Kafka here? kafkactl sandbox up      Still starting? kafkactl init-topics --wait 60s"


def diagnose(cluster: "Cluster", *, patient: bool) -> UnreachableError | None:
    """The reason as an error; None while it may still turn out well (only if `patient`).

    Tried in turn: does any bootstrap address accept a connection; does what answers speak Kafka; can the
    brokers it names be reached.
    """
    connection, events = cluster.connection, cluster.events()
    reasons = {address: network.unreachable(*network.split(address), timeout=0.3) for address in connection.brokers}
    if all(reasons.values()):
        (first, *others) = dict.fromkeys(str(why) for why in reasons.values())
        return UnreachableError(
            f"Kafka does not answer at {connection.address}: {'; '.join([first, *others])}.",
            where=connection.source,
            hint=NEXT,
        )
    if not patient or cluster.suspicions > 2:
        foreign = _foreign(connection, next(address for address, why in reasons.items() if not why))
        if foreign:
            return foreign
    if not patient or _names_a_broker(events):
        return advertised(cluster)
    return None


def _foreign(connection: Connection, address: str) -> UnreachableError | None:
    """The error for what listens but is no Kafka, no Kafka for this client, or one that hangs; else None."""
    manner = network.manner(*network.split(address), timeout=0.2)
    found = _MANNERS.get(manner)
    if not found:
        return None
    message, hint = found
    return UnreachableError(message.format(address=address), where=connection.source, hint=hint)


_MANNERS: dict[network.Manner, tuple[str, str]] = {
    "http": ("What answers at {address} is an HTTP server, not Kafka.", "Check host and port."),
    "tls": ("What answers at {address} wants TLS.", "Set security.protocol=SSL or SASL_SSL in --client-config."),
    "silent": (
        "Kafka does not answer at {address}: it accepts connections but says nothing.",
        "A broker that hangs or is overloaded does this. Give it longer: --timeout 30s",
    ),
    "closes": (
        "What listens at {address} closes the connection before it says a word of Kafka.",
        "A port published for a broker that is not running does this: see docker ps",
    ),
}


def _names_a_broker(events: list[Any]) -> bool:
    """Whether an event is about an address the cluster itself gave: host:port/<broker id>."""
    return any(re.search(r":\d+/\d+: ", event.str()) for event in events)


def _metadata(cluster: "Cluster") -> Any:
    """What the bootstrap answers; asked again on a connection of its own where the first one is busy with the dead."""
    for fresh in (False, True):
        admin = AdminClient(client_properties(cluster.connection)) if fresh else cluster.admin
        try:
            return admin.list_topics(timeout=0.5)
        except KafkaException:
            continue
    return None


def advertised(cluster: "Cluster") -> UnreachableError | None:
    """The bootstrap answered: are the addresses it sends its clients to any good from here?"""
    metadata = _metadata(cluster)
    if metadata is None:
        return None
    reasons = {
        f"{broker.host}:{broker.port}": network.unreachable(broker.host, broker.port, timeout=0.3)
        for broker in metadata.brokers.values()
    }
    bad = {address: why for address, why in reasons.items() if why}
    if not bad or len(bad) < len(reasons):
        return None
    address, why = next(iter(bad.items()))
    return UnreachableError(
        f"Kafka answers at {cluster.connection.address} but sends its clients to {', '.join(bad)}: {why}.",
        where=f"The broker's advertised.listeners gives {address} for the port you used.",
        hint="Use the listener meant for this side (from the host: localhost:40093), or correct advertised.listeners.",
    )
