"""dlq list, show, export: what a user types. They change nothing."""

from pathlib import Path
from typing import Annotated

import typer

from kafkactl import options
from kafkactl.commands.dlq.letter_options import DeadLetters, Error, Key, Since, Until, Where, selection
from kafkactl.errors import UsageError
from kafkactl.settings import Target
from kafkactl.tab_names import complete_topic
from kafkactl.view.formats import Format, LetterFormat


@options.on_cluster(first_aid=True)
def list_letters(
    target: Target,
    topics: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TOPIC]…",
            help="Topics, or globs. Default: those that topics.yaml names under dlq, dlq.*, *.DLT and *-dlq.",
            autocompletion=complete_topic,
        ),
    ] = None,
    whole: Annotated[
        bool, typer.Option("--all", help="Read every record, however long that takes; else for 3 seconds.")
    ] = False,
    show: options.Output = Format.TABLE,
    utc: options.Utc = False,
) -> None:
    """Show how many dead letters wait, where they come from, and why they were given up. Changes nothing.

    \b
    Examples:
      kafkactl dlq list
      kafkactl dlq list 'dlq.*' -o json
    """
    from kafkactl.commands.dlq.counted_topics import show_overview

    show_overview(target, topics or [], whole=whole, show=show, utc=utc)


@options.on_cluster(first_aid=True)
def show_letters(
    target: Target,
    topic: DeadLetters,
    number: Annotated[
        int, typer.Option("-n", metavar="N", min=1, help="Show the last N of them.", show_default="10")
    ] = 10,
    where: Where = None,
    error: Error = None,
    since: Since = None,
    until: Until = None,
    key: Key = None,
    pending: Annotated[bool, typer.Option("--pending", help="Only those that nothing was done with yet.")] = False,
    parked: Annotated[
        bool, typer.Option("--parked", help="Only those that a replay parked.", rich_help_panel="Which dead letters")
    ] = False,
    pretty: Annotated[bool, typer.Option("--pretty", help="Unfold stack traces and JSON values.")] = False,
    no_mask: Annotated[bool, typer.Option("--no-mask", help="Mask nothing, whatever topics.yaml says.")] = False,
    show: Annotated[LetterFormat, typer.Option("-o", "--output", help="Output format.")] = LetterFormat.TABLE,
    utc: options.Utc = False,
) -> None:
    """Show dead letters: where each comes from, its error, how often it was tried, its key and value. Changes nothing.

    \b
    Examples:
      kafkactl dlq show dlq.payment
      kafkactl dlq show dlq.payment --error Timeout --since 1h --pretty
      kafkactl dlq show dlq.payment --where '.value.amount > 100000' -o json
    """
    from kafkactl.commands.dlq.letter_pages import PageOptions, show_page

    if pretty and show is LetterFormat.JSON:
        raise UsageError(
            "-o json writes one line for each dead letter: --pretty cannot be added.", hint="-o json | jq ."
        )
    if pending and parked:
        raise UsageError("--pending and --parked cannot be combined: nothing is both.")
    shown = PageOptions(number, pending=pending, parked=parked, pretty=pretty, unmasked=no_mask, show=show, utc=utc)
    show_page(target, topic, selection(where, error, since, until, key), shown)


@options.on_cluster()
def export_letters(
    target: Target,
    topic: DeadLetters,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, which only you can read.")],
    where: Where = None,
    error: Error = None,
    since: Since = None,
    until: Until = None,
    key: Key = None,
) -> None:
    """Save dead letters to a file, unmasked, which `produce --json` reads. Changes nothing.

    \b
    Examples:
      kafkactl dlq export dlq.payment letters.jsonl
      kafkactl dlq export dlq.payment letters.jsonl --error Timeout
    """
    from kafkactl.commands.dlq.saved_letters import export_to

    export_to(target, topic, path, selection(where, error, since, until, key))
