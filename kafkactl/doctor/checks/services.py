"""KD7: does a record make its way through, and do the services beside Kafka serve? Pure."""

from collections.abc import Iterator, Mapping

from kafkactl.doctor.checks.troubles import stack, troubles
from kafkactl.doctor.facts import Facts
from kafkactl.doctor.findings import Check, Finding, NotApplicableError


def round_trip(facts: Facts) -> Iterator[Finding]:
    """KD701"""
    failed = next((step for step in facts.probe or () if not step.ok), None)
    if failed:
        done = [step.name for step in facts.probe or () if step.ok]
        evidence = [("seen", f"{name}: ok") for name in done] + [("seen", f"{failed.name}: {failed.reason}")]
        yield Finding(failed.name, {"why": failed.reason.rstrip(".")}, evidence)


def side_service(facts: Facts) -> Iterator[Finding]:
    """KD702"""
    there = stack(facts)
    if not there.answers:
        raise NotApplicableError("no Kafka UI and no exporter")
    known = {trouble.container.name for trouble in troubles(facts)}
    for container in there.containers:
        answer = there.answers.get(container.name)
        starts = container.health is not None and container.health.status == "starting"
        if answer is None or not answer.why or starts or container.name in known:
            continue
        said = f"HTTP {answer.status}, " if answer.status else ""
        yield Finding(
            container.name,
            {"url": answer.url},
            [("tried", f"{answer.url}: {said}{answer.why}")],
            [
                f"kafkactl logs {container.service} --tail 50    shows why",
                f"docker restart {container.name}    if it began before Kafka was there",
            ],
        )


CHECKS: Mapping[str, Check] = {"KD701": round_trip, "KD702": side_service}
