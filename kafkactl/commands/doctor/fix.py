"""--fix: the plan, the question, the act."""

from collections.abc import Iterable

from kafkactl import consent, output
from kafkactl.catalog.model import Catalog
from kafkactl.doctor.codes import codes
from kafkactl.doctor.facts import Facts
from kafkactl.doctor.judge import Diagnosis
from kafkactl.errors import UsageError
from kafkactl.settings import Connection


def fix(
    found: Diagnosis,
    facts: Facts,
    catalog: Catalog | None,
    connection: Connection,
    *,
    yes: bool,
    confirm: str | None,
) -> list[str]:
    """Heal what can be healed without a loss, where that is agreed to; the codes that were treated.

    Raises UsageError where it is not agreed to, KafkactlError where Kafka or the engine does not do it.
    """
    from kafkactl.doctor.repair import repairs

    todo = repairs(found.findings("error", "warning", "info"), facts, catalog, connection)
    if not todo:
        if found.headline:
            output.note("--fix heals nothing of this: follow the remedy.")
        return []
    cluster = facts.cluster.id if facts.cluster else None
    consent.require_unprotected(catalog, connection, cluster, confirm, "change the cluster")
    for repair in todo:
        output.note(f"--fix would {repair.words} ({repair.code}).")
    if not yes and not consent.agrees("Do it?"):
        raise UsageError("Nothing was changed.", hint="Agree beforehand: --fix --yes")
    for repair in todo:
        for line in repair.act():
            output.warn(line)
    return list(dict.fromkeys(repair.code for repair in todo))


def is_under_way(treated: Iterable[str], found: Diagnosis) -> bool:
    """Whether what was treated, or what came of it, may still be on its way to being well."""
    there = {told.code for told in found.findings("error", "warning")}
    return bool(there & set(treated)) or any(codes()[told.code].waits for told in found.findings("error"))


def say_whether_healed(treated: Iterable[str], after: Diagnosis) -> None:
    """Which of the codes that were treated are gone."""
    left = {told.code for told in after.findings("error", "warning", "info")}
    for code in treated:
        output.note(f"{code} is {'not healed' if code in left else 'healed'}.")
