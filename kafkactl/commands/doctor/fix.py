"""--fix: the plan, the question, the act."""

from kafkactl import consent, output
from kafkactl.catalog.model import Catalog
from kafkactl.doctor.judge import Diagnosis
from kafkactl.errors import UsageError
from kafkactl.settings import Connection


def fix(
    found: Diagnosis, catalog: Catalog | None, connection: Connection, *, yes: bool, confirm: str | None
) -> list[str]:
    """Heal what can be healed without a loss, where that is agreed to; the codes that were treated.

    Raises UsageError where it is not agreed to, KafkactlError where Kafka does not do it.
    """
    from kafkactl.cluster import connect
    from kafkactl.doctor.repair import repairs

    todo = repairs(found.findings("error", "warning", "info"), catalog)
    if not todo:
        if found.headline:
            output.note("--fix heals nothing of this: follow the remedy.")
        return []
    kafka = connect(connection)
    consent.require_unprotected(catalog, connection, kafka.info.id, confirm, "change the cluster")
    for repair in todo:
        output.note(f"--fix would {repair.words} ({repair.code}).")
    if not yes and not consent.agrees("Do it?"):
        raise UsageError("Nothing was changed.", hint="Agree beforehand: --fix --yes")
    for repair in todo:
        for line in repair.act(kafka):
            output.warn(line)
    return [repair.code for repair in todo]


def say_whether_healed(treated: list[str], after: Diagnosis) -> None:
    """Which of the codes that were treated are gone."""
    left = {told.code for told in after.findings("error", "warning", "info")}
    for code in treated:
        output.note(f"{code} is {'not healed' if code in left else 'healed'}.")
