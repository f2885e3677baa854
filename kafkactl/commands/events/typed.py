"""events check, schema, example, diff: what a user types."""

from typing import Annotated

import typer

from kafkactl import options, settings
from kafkactl.settings import Target
from kafkactl.tab_names import complete_contract, complete_topic
from kafkactl.view.formats import Format, ReportFormat

Contract = Annotated[
    str | None,
    typer.Option(
        "--contract",
        metavar="NAME",
        autocompletion=complete_contract,
        help="Check against this contract, instead of the topic's own.",
    ),
]


@options.on_cluster()
def check_events(
    target: Target,
    topics: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TOPIC]…",
            help="Topics, or globs. Default: KAFKA_TOPICS.",
            autocompletion=complete_topic,
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Only records written at or after TIME (1h = an hour ago)."),
    ] = None,
    sample: Annotated[
        int | None, typer.Option("--sample", metavar="N", min=1, help="Only the last N or so records of each topic.")
    ] = None,
    contract: Contract = None,
    show: options.ReportOutput = ReportFormat.TABLE,
) -> None:
    """Check events against their contract: fields, types, event_type, times, event_ids that came before.

    Exit code 1 if any event is invalid. Values are never shown: only paths and reasons.

    \b
    Examples:
      kafkactl events check payment.created --since 1h
      kafkactl events check 'payment.*' --sample 1000 -o junit
    """
    from kafkactl.commands.events.checked_topics import check_topics

    milliseconds = options.moment(since) if since else None
    check_topics(target, settings.topics_to_look_at(topics or ()), milliseconds, sample, contract, show)


def show_schema(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", autocompletion=complete_contract, help="A contract: payment, base, or one under events."
        ),
    ],
    file: options.File = None,
) -> None:
    """Print a contract as JSON Schema (draft 2020-12).

    \b
    Examples:
      kafkactl events schema payment > payment.schema.json
    """
    from kafkactl.commands.events.offline import print_schema

    print_schema(name, file)


def show_example(
    name: Annotated[
        str,
        typer.Argument(
            metavar="TOPIC|CONTRACT",
            help="A topic of topics.yaml, or a contract.",
            autocompletion=complete_topic,
        ),
    ],
    file: options.File = None,
) -> None:
    """Print a valid event that happens now. Its event_id is a fresh one.

    \b
    Examples:
      kafkactl events example payment.created
      kafkactl events example payment.created | kafkactl produce payment.created
    """
    from kafkactl.commands.events.offline import print_example

    print_example(name, file)


def compare_schemas(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A contract, or a file.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="A contract, or a file.")],
    file: options.File = None,
    show: options.Output = Format.TABLE,
) -> None:
    """Say which differences of two contracts break readers or writers. Exit code 1 if any does.

    \b
    Examples:
      kafkactl events diff old/refund.schema.json refund.schema.json
    """
    from kafkactl.commands.events.offline import print_changes

    print_changes(old, new, file, show)
