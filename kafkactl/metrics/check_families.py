"""What Prometheus is told of the doctor's findings, of disks and of certificates. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from kafkactl.doctor.codes import codes
from kafkactl.doctor.facts import ClusterFacts, Facts
from kafkactl.metrics.model import Family, Labels
from kafkactl.text.units import is_number

if TYPE_CHECKING:
    from kafkactl.cluster.tls import Certificate
    from kafkactl.doctor.diagnosis import Diagnosis


def finding_family(found: "Diagnosis") -> Family:
    """How many findings each check has; 0 where it passed, and nothing where it had nothing to look at."""
    return Family(
        "kafkactl_findings",
        "What `doctor` finds, by the check's code; a check that could not be made has no series.",
        ("code", "check", "severity"),
        _findings(found),
    )


def _findings(found: "Diagnosis") -> Iterator[tuple[Labels, float]]:
    for result in found.results:
        if result.state == "passed":
            entry = codes()[result.code]
            yield (result.code, entry.slug, entry.severity), 0
        counts = Counter((told.code, told.slug, told.severity) for told in result.findings)
        yield from counts.items()


def disk_families(cluster: ClusterFacts) -> Iterator[Family]:
    """Bytes on disk, where the brokers tell."""
    known = [broker for broker in cluster.brokers if broker.disk_total is not None]
    telling = {broker.id for broker in known}
    yield Family(
        "kafkactl_broker_disk_bytes",
        "Size of the disks that hold the broker's data.",
        ("id",),
        (((broker.id,), broker.disk_total or 0) for broker in known),
    )
    yield Family(
        "kafkactl_broker_disk_usable_bytes",
        "Bytes on them that are free.",
        ("id",),
        (((broker.id,), broker.disk_usable) for broker in known if broker.disk_usable is not None),
    )
    yield Family(
        "kafkactl_topic_bytes",
        "Size of the topic on disk, all replicas together, where every broker that holds one tells.",
        ("topic",),
        (
            ((topic.name,), topic.bytes)
            for topic in cluster.topics
            if topic.bytes is not None and telling.issuperset(id for p in topic.partitions for id in p.replicas)
        ),
    )


def certificate_family(brokers: Mapping[str, "Certificate"], own: "Certificate | None") -> Family:
    """When the certificates end that the brokers present, by their addresses, and this client's own."""
    series = [(("broker", address), certificate.ends.timestamp()) for address, certificate in brokers.items()]
    series += [(("client", own.subject), own.ends.timestamp())] if own else []
    return Family(
        "kafkactl_certificate_expiry_timestamp_seconds",
        "When a certificate expires: a broker's by its address, the exporter's own client certificate by its subject.",
        ("of", "name"),
        series,
    )


def known_min_isr(facts: Facts) -> dict[str, int]:
    """min.insync.replicas of each topic whose settings could be read."""
    topics = facts.cluster.topics if facts.cluster else ()
    texts = {topic.name: topic.config.get("min.insync.replicas", "") for topic in topics}
    return {name: int(text) for name, text in texts.items() if is_number(text)}
