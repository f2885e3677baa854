"""KD7: does a record make its way through? Pure."""

from collections.abc import Iterator, Mapping

from kafkactl.doctor.facts import Facts
from kafkactl.doctor.findings import Check, Finding


def round_trip(facts: Facts) -> Iterator[Finding]:
    """KD701"""
    failed = next((step for step in facts.probe or () if not step.ok), None)
    if failed:
        done = [step.name for step in facts.probe or () if step.ok]
        evidence = [("seen", f"{name}: ok") for name in done] + [("seen", f"{failed.name}: {failed.reason}")]
        yield Finding(failed.name, {"why": failed.reason.rstrip(".")}, evidence)


CHECKS: Mapping[str, Check] = {"KD701": round_trip}
