"""The question that every undo asks: whether to change what somebody changed again since."""

from kafkactl import consent
from kafkactl.consent import Asked
from kafkactl.errors import UsageError
from kafkactl.text.words import and_more
from kafkactl.view import output


def agree_to_later(asked: Asked, told: list[str], *, later: bool) -> None:
    """Raise UsageError unless the user agrees to change what somebody changed again since."""
    if not told or later or asked.dry_run:
        for line in told:
            output.note(f"Changed again since: {line}.")
        return
    if not consent.agrees(f"\nChanged again since then: {and_more(told)}. Put back what was before nevertheless?"):
        raise UsageError(
            f"Nothing was changed: {and_more(told)} was changed again since.", hint="To agree in advance: --allow later"
        )
