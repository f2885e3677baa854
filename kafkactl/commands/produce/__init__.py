"""kafkactl produce: writes records and accounts for every one."""

from pathlib import Path
from typing import Annotated

import typer

from kafkactl import options
from kafkactl.errors import UsageError
from kafkactl.records.partitioning import Partitioner
from kafkactl.settings import Target
from kafkactl.tab_names import complete_topic


@options.on_cluster(f_follows=True)
def produce(
    target: Target,
    topic: Annotated[
        str,
        typer.Argument(metavar="TOPIC", help="Topic to write to; it must exist.", autocompletion=complete_topic),
    ],
    value: Annotated[
        bytes | None,
        typer.Argument(
            metavar="[VALUE]", parser=options.as_bytes, help="Record value. Default: each line of stdin is a value."
        ),
    ] = None,
    lines: Annotated[
        Path | None,
        typer.Option(
            "-l",
            "--lines",
            metavar="FILE",
            help="Read lines from FILE instead of stdin.",
            rich_help_panel="Where values come from",
        ),
    ] = None,
    value_file: Annotated[
        Path | None,
        typer.Option(
            "--value-file",
            metavar="FILE",
            help="All of FILE is one value, newlines included; - is stdin.",
            rich_help_panel="Where values come from",
        ),
    ] = None,
    delimiter: Annotated[
        bytes | None,
        typer.Option(
            "--delimiter",
            metavar="TEXT",
            parser=options.escaped_bytes,
            help=r"What ends a record of the input; \0 is a zero byte. Default: a newline.",
            rich_help_panel="Where values come from",
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Lines are records as JSON, as `tail -o json` writes them; see below.",
            rich_help_panel="Where values come from",
        ),
    ] = False,
    key: Annotated[
        bytes | None,
        typer.Option(
            "-k",
            "--key",
            metavar="KEY",
            parser=options.as_bytes,
            help="Key of every record.",
            rich_help_panel="What each record has",
        ),
    ] = None,
    separator: Annotated[
        bytes | None,
        typer.Option(
            "-K",
            "--key-separator",
            metavar="SEP",
            parser=options.escaped_bytes,
            help=r"Separator between key and value on each line; \t is a tab.",
            rich_help_panel="Where values come from",
        ),
    ] = None,
    header: Annotated[
        list[bytes] | None,
        typer.Option(
            "-H",
            "--header",
            metavar="NAME=VALUE",
            parser=options.as_bytes,
            help="Header to add; without '=' its value is null. Repeatable.",
            rich_help_panel="What each record has",
        ),
    ] = None,
    timestamp: Annotated[
        str | None,
        typer.Option(
            "--timestamp",
            metavar="TIME",
            help="Record timestamp: 15m (ago), or a time. Default: now.",
            rich_help_panel="What each record has",
        ),
    ] = None,
    tombstone: Annotated[
        bool,
        typer.Option(
            "--tombstone", help="Write a null value, which deletes the key.", rich_help_panel="Where values come from"
        ),
    ] = False,
    partition: Annotated[
        int | None,
        typer.Option(
            "--partition", metavar="N", min=0, help="Write to this partition.", rich_help_panel="What each record has"
        ),
    ] = None,
    partitioner: Annotated[
        Partitioner | None,
        typer.Option(
            "--partitioner",
            help="How the key selects the partition. Default: murmur2, which Java clients use.",
            rich_help_panel="What each record has",
        ),
    ] = None,
    keep_partition: Annotated[
        bool,
        typer.Option(
            "--keep-partition",
            help="With --json: write each record to the partition it came from.",
            rich_help_panel="What each record has",
        ),
    ] = False,
    count: Annotated[
        int,
        typer.Option(
            "--count", metavar="N", min=1, help="Write VALUE N times.", rich_help_panel="Where values come from"
        ),
    ] = 1,
    per_second: Annotated[
        float | None,
        typer.Option(
            "--rate",
            metavar="N/s",
            parser=options.rate,
            help="Write at most N records per second.",
            rich_help_panel="How to write",
        ),
    ] = None,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first invalid line.", rich_help_panel="How to write")
    ] = False,
    unsent: Annotated[
        Path | None,
        typer.Option(
            "--unsent",
            metavar="FILE",
            help="File for unacknowledged records. Default: next to the input.",
            rich_help_panel="How to write",
        ),
    ] = None,
    undeclared: Annotated[
        bool,
        typer.Option(
            "--undeclared", help="Allow a topic that topics.yaml does not declare.", rich_help_panel="How to write"
        ),
    ] = False,
    delivery_timeout: Annotated[
        float,
        typer.Option(
            "--delivery-timeout",
            metavar="TIME",
            parser=options.positive_duration,
            help="How long to wait for a record's acknowledgement. Default: 60s.",
            show_default=False,
            rich_help_panel="How to write",
        ),
    ] = 60.0,
    event: Annotated[
        bool,
        typer.Option(
            "--event",
            help="Write an event: event_type, event_id and timestamp are filled in, and it has to be valid.",
            rich_help_panel="Events and contracts",
        ),
    ] = False,
    assignments: Annotated[
        list[bytes] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            parser=options.as_bytes,
            help="With --event: a field of it. Repeatable.",
            rich_help_panel="Events and contracts",
        ),
    ] = None,
    check: Annotated[
        bool | None,
        typer.Option(
            "--check/--no-check",
            show_default=False,
            help="Refuse records that break the topic's contract, or do not look. Default: warn of them.",
            rich_help_panel="Events and contracts",
        ),
    ] = None,
    confirm: options.Confirm = None,
) -> None:
    """Write records idempotently with acks=all, and account for every one. Never creates a topic.

    Records that were not acknowledged, because a broker rejected them or went down or because of Ctrl-C or SIGTERM, are
    kept in a file that `produce --json` can send.

    With --json each line is an object with a value, and if you like a key, headers, a timestamp (in ms) and a
    partition, which counts with --keep-partition; other keys are ignored. A value, a key or a header's value is a
    text, null, bytes as {"base64": "/w=="}, or any other JSON, which is written as its text. Headers are
    [["name", "value"], …] or {"name": "value", …}.

    \b
    Examples:
      kafkactl produce payment.created '{"id": "p-1"}' -k p-1 -H source=manual
      kafkactl produce payment.created --event --set payment_id=p-1 --set amount=1999 --set currency=CNY -k p-1
      kafkactl produce payment.created -K : -l records.txt
      kafkactl produce payment.created --tombstone -k p-1
      kafkactl produce payment.created --json '{"key": "p-1", "value": {"id": "p-1"}, "headers": {"source": "manual"}}'
      kafkactl tail dlq.payment --from-beginning --no-follow -o json | kafkactl produce payment.created --json
    """
    from kafkactl.commands.produce.outcome import ProduceOptions
    from kafkactl.commands.produce.write import produce_records

    sources = {
        "VALUE": value is not None,
        "--value-file": value_file is not None,
        "--lines": lines is not None,
        "--tombstone": tombstone,
    }
    given = [name for name, there in sources.items() if there]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} cannot be combined: each says what to write.")
    if assignments and not event:
        raise UsageError("--set needs --event: it is a field of an event.")
    if event and (given not in ([], ["VALUE"], ["--value-file"]) or as_json or separator is not None):
        raise UsageError("--event writes one event: give its fields with --set, or as VALUE.")
    if delimiter is not None and given and given != ["--lines"]:
        raise UsageError(f"--delimiter and {given[0]} cannot be combined: {given[0]} is one record.")
    if delimiter == b"":
        raise UsageError("--delimiter: nothing is given; an unset shell variable looks like that.")
    if partitioner and (partition is not None or keep_partition):
        other = "--partition" if partition is not None else "--keep-partition"
        raise UsageError(f"--partitioner and {other} cannot be combined: each says where a record goes.")
    wish = ProduceOptions(
        topic=topic,
        value=value if value_file is None else options.contents(value_file),
        value_file=value_file,
        delimiter=delimiter or b"\n",
        lines=None if lines == Path("-") else lines,
        as_json=as_json,
        key=key,
        separator=separator,
        headers=tuple(header or ()),
        timestamp=options.moment(timestamp) if timestamp is not None else None,
        tombstone=tombstone,
        partition=partition,
        partitioner=partitioner or Partitioner.MURMUR2,
        keep_partition=keep_partition,
        count=count,
        per_second=per_second,
        fail_fast=fail_fast,
        unsent=unsent,
        undeclared=undeclared,
        delivery_timeout=delivery_timeout,
        confirm=confirm,
        event=event,
        assignments=tuple(assignments or ()),
        check=check,
    )
    produce_records(target, wish)
