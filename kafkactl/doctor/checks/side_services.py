"""KD7: does a record get through, and do the services beside Kafka serve? Pure."""

from collections.abc import Iterator

from kafkactl.doctor.checks.container_remedies import docker, show_log, stack
from kafkactl.doctor.checks.troubles import troubles
from kafkactl.doctor.codes import Finding, NotApplicableError, check
from kafkactl.doctor.facts import Facts


@check("KD701")
def round_trip(facts: Facts) -> Iterator[Finding]:
    failed = next((step for step in facts.probe or () if not step.ok), None)
    if failed:
        done = [step.name for step in facts.probe or () if step.ok]
        evidence = [("seen", f"{name}: ok") for name in done] + [("seen", f"{failed.name}: {failed.reason}")]
        yield Finding(failed.name, {"why": failed.reason.rstrip(".")}, evidence)


@check("KD702")
def side_service(facts: Facts) -> Iterator[Finding]:
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
                show_log(container),
                docker("restart", container, note="if it started before Kafka did"),
            ],
        )
