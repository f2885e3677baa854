"""KD2: room on the disks, by the brokers' own figures. Pure. What their containers' logs say is in data.py."""

from collections.abc import Iterator, Mapping

from kafkactl.catalog.units import retention_text
from kafkactl.doctor.facts import Facts, TopicFacts
from kafkactl.doctor.findings import Check, Finding, NotApplicableError, Severity
from kafkactl.words import size

_WARNING, _ERROR = 85, 95  # percent
_DAY = 86_400_000  # ms


def disk_low(facts: Facts) -> Iterator[Finding]:
    """KD202"""
    known = [broker for broker in (facts.cluster.brokers if facts.cluster else ()) if broker.disk_total]
    if not known:
        raise NotApplicableError(facts.missing.get("sizes", "no broker told its disk"))
    for broker in known:
        usable, total = broker.disk_usable or 0, broker.disk_total or 1
        percent = 100 - 100 * usable // total
        if percent >= _WARNING:
            values = {"percent": percent, "free": size(usable)}
            severity: Severity = "error" if percent >= _ERROR else "warning"
            seen = ("seen", f"DescribeLogDirs: {usable:,} of {total:,} bytes usable")
            yield Finding(str(broker.id), values, [seen], severity=severity)


def retention_beyond_disk(facts: Facts) -> Iterator[Finding]:
    """KD208"""
    brokers = facts.cluster.brokers if facts.cluster else ()
    usable = [broker.disk_usable for broker in brokers if broker.disk_usable is not None]
    if facts.cluster is None or not usable:
        raise NotApplicableError(facts.missing.get("sizes", "no broker told its disk"))
    free = sum(usable)
    for topic in facts.cluster.topics:
        kept = _retention(topic)
        if not topic.bytes or not topic.last_day or not topic.records or kept is None:
            continue
        daily = topic.bytes * topic.last_day / topic.records
        if daily * kept / _DAY > topic.bytes + free:
            days = int((topic.bytes + free) / daily)
            yield Finding(
                topic.name,
                {
                    "rate": size(daily),
                    "retention": retention_text(kept),
                    "wanted": size(daily * kept / _DAY),
                    "free": size(free),
                    "affordable": f"{days}d" if days else "12h",
                },
                [("seen", f"{topic.last_day:,} of its {topic.records:,} records, {size(topic.bytes)}, in 24 hours")],
            )


def _retention(topic: TopicFacts) -> int | None:
    """For how long (ms) a topic without a bound by size keeps records; None where that is no problem of its disk."""
    if topic.config.get("retention.bytes", "-1") != "-1" or "delete" not in topic.config.get("cleanup.policy", ""):
        return None
    text = topic.config.get("retention.ms", "")
    return int(text) if text.isdigit() else None


CHECKS: Mapping[str, Check] = {"KD202": disk_low, "KD208": retention_beyond_disk}
