"""kafkactl history list|show|undo: what a user types."""

from typing import TYPE_CHECKING, Annotated

import typer

from kafkactl import options
from kafkactl.settings import Target
from kafkactl.tab_names import complete_topic
from kafkactl.view.formats import Format

if TYPE_CHECKING:
    from kafkactl.consent import Asked

EntryId = Annotated[str, typer.Argument(metavar="ID", help="An entry's id, or enough of its beginning.")]


@options.on_cluster(first_aid=True)
def list_history(
    target: Target,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="Only what changed this topic, group or container.", autocompletion=complete_topic
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Only since TIME (7d = 7 days ago).")
    ] = None,
    number: Annotated[int, typer.Option("-n", metavar="N", min=1, help="At most N entries, the newest.")] = 20,
    utc: options.Utc = False,
    show: options.Output = Format.TABLE,
) -> None:
    """Show what kafkactl changed on this cluster: when, who, what, and how it ended.

    It is kept on this machine and, where topics.yaml says `history: TOPIC`, in that topic, which a team shares. Without
    Kafka, what is kept here is shown.

    \b
    Examples:
      kafkactl history
      kafkactl history payment.created --since 7d
      kafkactl history list -n 100
    """
    from kafkactl.commands.history.shown_entries import ListWish, list_entries

    list_entries(target, ListWish(name, options.moment(since) if since is not None else None, number, utc=utc), show)


@options.on_cluster(first_aid=True)
def show_entry(target: Target, id: EntryId, utc: options.Utc = False, show: options.Output = Format.TABLE) -> None:
    """Show one entry: the command, and each thing it changed with its values before and after.

    \b
    Examples:
      kafkactl history show 9f3a01bc
    """
    from kafkactl.commands.history.shown_entries import show_one

    show_one(target, id, show, utc=utc)


@options.changes_cluster
def undo_entry(
    asked: "Asked",
    id: EntryId,
    allow: Annotated[
        list[options.LaterChanges] | None,
        typer.Option("--allow", metavar="RISK", help="later: also what somebody changed again since."),
    ] = None,
    throttle: Annotated[
        int | None,
        typer.Option(
            "--throttle",
            metavar="RATE",
            parser=options.byte_rate,
            help="Of replicas that go back: copy no faster than RATE (50MB/s) per broker.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Put settings and offsets back as they were before an entry, with a plan.

    So are access rules and replicas. The plan is made for what is there now. What somebody has changed again since is
    shown, and needs --allow later, or a typed yes. What cannot be taken back, such as a deletion, is named with the
    reason.

    \b
    Examples:
      kafkactl history undo 9f3a01bc
      kafkactl history undo 9f3a01bc --dry-run
    """
    from kafkactl.commands.history.undoing import take_back

    take_back(asked, id, rate=throttle, later=bool(allow))
