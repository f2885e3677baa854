"""Looks at the cluster again and again, and remembers only what trends need. Nothing of a look outlives the next one.

What is slow or changes slowly (the doctor's checks, disks, certificates) is looked at less often than the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kafkactl.cluster.client import connect
from kafkactl.cluster.metadata import read_topics
from kafkactl.cluster.offsets import read_ranges
from kafkactl.cluster.properties import uses_tls
from kafkactl.cluster.tls import certificates_of, own_certificate
from kafkactl.cluster.visibility import topics_may_hide
from kafkactl.deadletters.pending_counts import read_pending
from kafkactl.doctor.checks import CHECKS
from kafkactl.doctor.codes import codes
from kafkactl.doctor.collect_kafka import of_kafka
from kafkactl.doctor.diagnosis import diagnose
from kafkactl.groups.fetch import Scope, read_groups
from kafkactl.groups.history import History
from kafkactl.groups.observation import Observation
from kafkactl.groups.report import make_report
from kafkactl.groups.sampling import with_waiting
from kafkactl.metrics.check_families import certificate_family, disk_families, finding_family, known_min_isr
from kafkactl.metrics.cluster_families import broker_families, topic_families, unknown_of_topics
from kafkactl.metrics.group_families import group_families, letter_families, unknown_of_groups
from kafkactl.metrics.model import Family

if TYPE_CHECKING:
    from kafkactl.deadletters.handled import HandledLetters
    from kafkactl.settings import Target

_NOT_HERE = "the exporter looks at Kafka only"


@dataclass(frozen=True)
class Checked:
    """The last checks: their metrics, how much they could not learn, and min.insync.replicas of the topics."""

    families: Sequence[Family] = ()
    unknown: dict[str, int] = field(default_factory=lambda: {"findings": 1, "disks": 1, "certificates": 1})
    min_isr: dict[str, int] = field(default_factory=dict)


class Looker:
    """One cluster, looked at again and again. Not for two threads at once."""

    def __init__(self, target: "Target") -> None:
        self._target = target
        self._history = History()
        self._handled: dict[str, HandledLetters] = {}
        self._seen: Observation | None = None

    def look(self, checked: Checked) -> tuple[list[Family], dict[str, int]]:
        """The metrics of brokers, topics, groups and dead letters, and how much of each is not known.

        `checked` tells what only the checks read. Raises KafkactlError where Kafka answers nothing.
        """
        catalog = self._target.catalog
        self._seen = None
        # A client of its own each time: one that is abandoned may abort the process (librdkafka#4605).
        kafka = connect(self._target.connection)
        found = read_topics(kafka, catalog.topics if catalog else (), config_of=()).found
        topics = [found[name] for name in sorted(found)]
        ranges = read_ranges(kafka, topics)
        sample = read_groups(kafka, Scope(others=True), committed=True, identified=True)
        sample = with_waiting(kafka, sample, self._history.before, times=True)
        self._seen = self._history.add(sample)
        report = make_report(self._seen, catalog, None)
        letters = read_pending(kafka, catalog, self._handled)
        families = [
            Family("kafkactl_cluster_info", "1 for the cluster's id.", ("id",), [((kafka.info.id,), 1)]),
            *broker_families(kafka.info.brokers, topics),
            *topic_families(topics, ranges, checked.min_isr),
            *group_families(report),
            *letter_families(letters.pending, complete=not letters.missing),
        ]
        unknown = {
            "topics": int(topics_may_hide(kafka)),
            "dead_letters": len(letters.missing),
            **unknown_of_topics(topics, ranges, checked.min_isr),
            **unknown_of_groups(report),
        }
        return families, unknown

    def check(self) -> Checked:
        """The doctor's checks of Kafka, with the groups of the last look; disks; certificates.

        Where Kafka does not answer, the findings say why.
        """
        facts = of_kafka(self._target, 0.0, self._seen)
        facts = replace(facts, missing={**facts.missing, "engine": _NOT_HERE, "stack": _NOT_HERE})
        found = diagnose(facts, codes(), CHECKS)
        families = [finding_family(found)]
        brokers = facts.cluster.brokers if facts.cluster else ()
        unknown = {
            "findings": int(found.verdict == "unknown"),
            "disks": sum(broker.disk_total is None for broker in brokers) if brokers else 1,
        }
        if facts.cluster:
            families += disk_families(facts.cluster)
        addresses = [broker.dial.address for broker in facts.brokers or ()] or [*self._target.connection.brokers]
        certificates, missing = self._certificates(addresses)
        return Checked([*families, *certificates], {**unknown, "certificates": missing}, known_min_isr(facts))

    def _certificates(self, addresses: Sequence[str]) -> tuple[list[Family], int]:
        """The certificates, and how many brokers' could not be had; nothing for a client that does not use TLS."""
        connection = self._target.connection
        if not uses_tls(connection.properties):
            return [], 0
        found = certificates_of(connection.properties, addresses, connection.timeout)
        return [certificate_family(found, own_certificate(connection.properties))], len(addresses) - len(found)
