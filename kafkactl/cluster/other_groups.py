"""Groups that librdkafka leaves out of its list: share and streams groups, and those of Kafka Connect and others.

Neither client can describe them or read their offsets, but they exist: what is said of a group must know them.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from confluent_kafka import KafkaError

from kafkactl.cluster.client import Broker, Cluster
from kafkactl.cluster.network import unreachable
from kafkactl.cluster.properties import protocol_of, second_client
from kafkactl.errors import KafkactlError, UnreachableError
from kafkactl.text.remedies import Command, command

_CONSUMERS = ("consumer", "")  # the protocol types that librdkafka lists; "" has offsets and never had a member


class OtherGroup(NamedTuple):
    """A group that is not read by consumers. `type` is Kafka's word; `protocol` that of its members, `state` theirs."""

    id: str
    type: str
    protocol: str
    state: str

    @property
    def kind(self) -> str:
        """What it is called: share group, streams group, Kafka Connect group."""
        return "Kafka Connect group" if self.protocol == "connect" else f"{self.protocol or self.type} group"

    @property
    def shown_type(self) -> str:
        """Its type in a list; where it shares it with consumers, what tells it from them: connect."""
        return self.protocol if self.type in ("", "classic", "consumer") else self.type


def list_other_groups(cluster: Cluster) -> dict[str, OtherGroup]:
    """The groups of these kinds that the brokers know, by name. Raises UnreachableError if a broker does not tell."""
    return {
        group.id: group
        for group in sorted(_listed(cluster))
        if group.protocol not in _CONSUMERS or group.type not in ("", "classic", "consumer")
    }


def _listed(cluster: Cluster) -> Iterator[OtherGroup]:
    if protocol_of(cluster.connection.properties) == "PLAINTEXT":
        from kafkactl.cluster.wire import UnknownToBrokerError

        try:
            yield from [group for broker in cluster.info.brokers for group in _ask(cluster, broker)]
        except UnknownToBrokerError:  # older than 2.6
            pass
        else:
            return
    yield from _ask_with_kafka_python(cluster)


def _ask(cluster: Cluster, broker: Broker) -> list[OtherGroup]:
    """The groups that one broker coordinates. Raises UnknownToBrokerError, UnreachableError."""
    from kafkactl.cluster.wire import RefusedRequestError, Wire

    until = time.monotonic() + cluster.connection.timeout
    while True:
        try:
            if unreachable(broker.host, broker.port, timeout=cluster.connection.timeout / 3):
                raise UnreachableError(f"{broker.address} does not respond")
            with Wire(broker.host, broker.port, cluster.connection.timeout) as wire:
                return [OtherGroup(*group) for group in wire.groups()]
        except (OSError, RefusedRequestError) as error:
            # A broker that has just taken over groups reads them first.
            loading = getattr(error, "code", None) == KafkaError.COORDINATOR_LOAD_IN_PROGRESS
            if not loading or time.monotonic() > until:
                raise UnreachableError(f"{broker.address} did not list its groups") from None
        time.sleep(0.1)


def _ask_with_kafka_python(cluster: Cluster) -> list[OtherGroup]:
    with second_client(cluster.connection) as admin:
        from kafka.errors import KafkaError as Refusal

        try:
            listed: list[Mapping[str, Any]] = admin.list_groups()
        except (Refusal, ValueError, OSError) as error:
            raise UnreachableError(f"the list of groups failed: {type(error).__name__}") from None
    return [
        OtherGroup(
            group["group_id"],
            str(group.get("group_type") or ""),
            group["protocol_type"],
            str(group.get("group_state") or "Unknown"),
        )
        for group in listed
    ]


def not_readable(cluster: Cluster, group: OtherGroup, *, unchanged: bool = False) -> KafkactlError:
    """The error for a group of another kind than kafkactl can read, with Kafka's own script that can."""
    secured = protocol_of(cluster.connection.properties) != "PLAINTEXT"
    article = "an" if group.kind[0] in "aeiou" else "a"
    return KafkactlError(
        f"{'Nothing was changed: ' if unchanged else ''}{group.id} is {article} {group.kind}, "
        "which kafkactl cannot read yet.",
        where="The script needs --command-config FILE as well: a Java client's security settings." if secured else "",
        hint=script_for(group, cluster.connection.brokers),
    )


def script_for(group: OtherGroup, brokers: tuple[str, ...]) -> Command:
    """Kafka's own script that shows such a group."""
    program = {"share": "kafka-share-groups.sh", "streams": "kafka-streams-groups.sh"}.get(group.type)
    address = ("--bootstrap-server", ",".join(brokers))
    if program is None:
        asked = ("kafka-groups.sh", *address, "--list", "--protocol", group.protocol)
        return command(*asked, note="Kafka's own script lists such groups")
    name = (f"--group={group.id}",) if group.id.startswith("-") else ("--group", group.id)
    return command(program, *address, "--describe", *name, note="Kafka's own script shows it")
