"""kafkactl tail: shows records and follows new ones."""

import sys
from typing import Annotated

import typer

from kafkactl import options, settings
from kafkactl.errors import UsageError
from kafkactl.records.partitioning import Partitioner
from kafkactl.settings import Target
from kafkactl.tab_names import complete_group, complete_topic
from kafkactl.view.formats import RecordFormat


@options.on_cluster(f_follows=True, first_aid=True)
def tail(
    target: Target,
    topics: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TOPIC]…",
            help="Topics, or globs such as 'payment.*'. Default: KAFKA_TOPICS.",
            autocompletion=complete_topic,
        ),
    ] = None,
    number: Annotated[
        int | None,
        typer.Option(
            "-n",
            metavar="N",
            min=0,
            help="Start with the last N matching records of all partitions. Default: 10.",
            rich_help_panel="Where to start",
        ),
    ] = None,
    from_beginning: Annotated[
        bool,
        typer.Option("--from-beginning", help="Start at the first available record.", rich_help_panel="Where to start"),
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME",
            help="Start at the first record at or after TIME (15m = 15 minutes ago).",
            rich_help_panel="Where to start",
        ),
    ] = None,
    offset: Annotated[
        int | None,
        typer.Option("--offset", metavar="N", min=0, help="Start at offset N.", rich_help_panel="Where to start"),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            "--group",
            metavar="GROUP",
            autocompletion=complete_group,
            help="Start at this group's committed offsets, without joining it.",
            rich_help_panel="Where to start",
        ),
    ] = None,
    partitions: Annotated[
        list[int] | None,
        typer.Option(
            "--partition", metavar="N", help="Only this partition. Repeatable.", rich_help_panel="Which records"
        ),
    ] = None,
    wait: Annotated[
        float,
        typer.Option(
            "--wait",
            metavar="TIME",
            parser=options.duration,
            show_default=False,
            help="Wait up to TIME for Kafka, and for a topic that does not exist yet or was deleted. Default: 0s.",
            rich_help_panel="Where to start",
        ),
    ] = 0.0,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Stop at TIME.", rich_help_panel="When to stop")
    ] = None,
    late: Annotated[
        str | None,
        typer.Option(
            "--late",
            metavar="TIME",
            help="With --until in the past: how late a record may have been written; inf: any time. Default: 10m.",
            rich_help_panel="When to stop",
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option("-c", "--count", metavar="N", min=1, help="Stop after N records.", rich_help_panel="When to stop"),
    ] = None,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow/--no-follow",
            "-f/ ",
            help="Keep showing new records, or stop at the current end.",
            rich_help_panel="When to stop",
        ),
    ] = True,
    key: Annotated[
        bytes | None,
        typer.Option(
            "--key",
            metavar="KEY",
            parser=options.escaped_bytes,
            help=r"Only records with this key; \x00 is a byte.",
            rich_help_panel="Which records",
        ),
    ] = None,
    partitioner: Annotated[
        Partitioner | None,
        typer.Option(
            "--partitioner",
            help="With --key: read only the partition this partitioner selects. Java clients use murmur2.",
            rich_help_panel="Which records",
        ),
    ] = None,
    grep: Annotated[
        bytes | None,
        typer.Option(
            "--grep",
            metavar="REGEX",
            parser=options.as_bytes,
            help="Only records whose key, value or a header matches.",
            rich_help_panel="Which records",
        ),
    ] = None,
    header: Annotated[
        list[bytes] | None,
        typer.Option(
            "--header",
            metavar="NAME=VALUE",
            parser=options.escaped_bytes,
            help="Only records with this header. Repeatable.",
            rich_help_panel="Which records",
        ),
    ] = None,
    query: Annotated[
        str | None,
        typer.Option(
            "--jq",
            metavar="EXPR",
            help="Filter or transform each record's JSON object; with --format only filter.",
            rich_help_panel="Which records",
        ),
    ] = None,
    show: Annotated[
        RecordFormat | None,
        typer.Option(
            "-o",
            "--output",
            help="Output format. Default: line on a terminal or with --headers or --pretty, else raw.",
            rich_help_panel="How to show them",
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=r"Format string with kcat's tokens: '%t %p %o %k %s %T %h %S\n'.",
            rich_help_panel="How to show them",
        ),
    ] = None,
    headers: Annotated[
        bool, typer.Option("--headers", help="Show headers.", rich_help_panel="How to show them")
    ] = False,
    pretty: Annotated[
        bool, typer.Option("--pretty", help="Indent JSON values.", rich_help_panel="How to show them")
    ] = False,
    parse: Annotated[
        bool,
        typer.Option(
            "--parse",
            help="With -o json: a value that is JSON stands there as an object, as --jq sees it, instead of as text.",
            rich_help_panel="How to show them",
        ),
    ] = False,
    mask: Annotated[
        list[str] | None,
        typer.Option(
            "--mask",
            metavar="FIELD",
            help="Mask this field and card numbers. Repeatable.",
            rich_help_panel="How to show them",
        ),
    ] = None,
    no_mask: Annotated[
        bool,
        typer.Option("--no-mask", help="Mask nothing, whatever topics.yaml says.", rich_help_panel="How to show them"),
    ] = False,
    no_decode: Annotated[
        bool,
        typer.Option(
            "--no-decode",
            help="Show Avro and Protobuf as they are, without the schema registry.",
            rich_help_panel="How to show them",
        ),
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Mark records that break their topic's contract, with the reasons.",
            rich_help_panel="How to show them",
        ),
    ] = False,
    invalid: Annotated[
        bool,
        typer.Option(
            "--invalid", help="Only records that break their topic's contract, marked.", rich_help_panel="Which records"
        ),
    ] = False,
    uncommitted: Annotated[
        bool,
        typer.Option(
            "--read-uncommitted",
            help="Include records of open and aborted transactions.",
            rich_help_panel="Which records",
        ),
    ] = False,
    utc: options.Utc = False,
) -> None:
    """Show the last records of topics, and follow new ones. Joins no group, commits nothing and creates nothing.

    \b
    Examples:
      kafkactl tail payment.created
      kafkactl tail 'payment.*' --since 15m --grep timeout
      kafkactl tail payment.failed -n 5 --jq '.value.amount > 1000' --no-follow
      kafkactl tail audit.logs --from-beginning --no-follow -o json > audit.jsonl
    """
    from kafkactl.commands.tail.start import Start, Wanted
    from kafkactl.commands.tail.stream import show_records
    from kafkactl.commands.tail.wishes import End, Shown

    if partitioner and key is None:
        raise UsageError("--partitioner needs --key.")
    _check_shown(show, form, headers=headers, pretty=pretty)
    if mask and no_mask:
        raise UsageError("--mask and --no-mask cannot be combined.")
    if (check or invalid) and (form is not None or query is not None or show is RecordFormat.RAW):
        other = "--format" if form is not None else "--jq" if query is not None else "-o raw"
        raise UsageError(
            f"--check and --invalid mark records: {other} shows none whole.", hint="Use -o line or -o json"
        )
    if show is None:
        lines = sys.stdout.isatty() or headers or pretty or check or invalid
        show = RecordFormat.LINE if lines else RecordFormat.RAW
    if parse and (show is not RecordFormat.JSON or form is not None or query is not None):
        raise UsageError("--parse needs -o json, without --jq, which sees such values as objects anyway.")
    start = Start(
        number=number,
        from_beginning=from_beginning,
        since=options.moment(since) if since else None,
        offset=offset,
        group=group,
    )
    start.check()
    if late is not None and until is None:
        raise UsageError("--late needs --until: it says how far to read beyond it.")
    end = End(until=options.moment(until) if until else None, late=_late(late), count=count, follow=follow, wait=wait)
    if start.since is not None and end.until is not None and start.since >= end.until:
        raise UsageError("--until is not after --since: no record can be between them.")
    shown = Shown(
        key=key,
        grep=grep,
        headers=tuple(header or ()),
        query=query,
        show=show,
        form=form,
        with_headers=headers,
        pretty=pretty,
        parse=parse,
        mask=tuple(mask or ()),
        unmasked=no_mask,
        utc=utc,
        check=check or invalid,
        invalid=invalid,
        decode=not no_decode and (show is not RecordFormat.RAW or form is not None or query is not None),
    )
    show_records(
        target,
        Wanted(settings.topics_to_look_at(topics or ()), partitions or (), key, partitioner),
        start,
        end,
        shown,
        uncommitted=uncommitted,
    )


def _check_shown(show: RecordFormat | None, form: str | None, *, headers: bool, pretty: bool) -> None:
    """Raise UsageError for options of which one would be ignored."""
    if form is not None:
        for name, given in {"--output": show is not None, "--headers": headers, "--pretty": pretty}.items():
            if given:
                hint = "Headers in a format: %h" if name == "--headers" else ""
                raise UsageError(f"--format and {name} cannot be combined: each says how to show a record.", hint=hint)
    if show is RecordFormat.RAW and (headers or pretty):
        raise UsageError(f"-o raw shows values as they are: {'--headers' if headers else '--pretty'} cannot be added.")
    if show is RecordFormat.JSON and pretty:
        raise UsageError("-o json writes one line for each record: --pretty cannot be added.", hint="-o json | jq .")


def _late(text: str | None) -> float | None:
    """Seconds, by default ten minutes; None for `inf`."""
    if text is None:
        return 600.0
    if text == "inf":
        return None
    try:
        return options.duration(text)
    except typer.BadParameter as error:
        raise UsageError(f"--late: {error.message}") from None
