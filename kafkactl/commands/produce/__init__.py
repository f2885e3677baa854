"""kafkactl produce: write records, and account for every one of them."""

import os
from pathlib import Path
from typing import Annotated

import typer

from kafkactl import options
from kafkactl.records.partitioning import Partitioner
from kafkactl.settings import Target


@options.on_cluster(f_follows=True)
def produce(
    target: Target,
    topic: Annotated[
        str, typer.Argument(metavar="TOPIC", help="The topic; it must exist.", autocompletion=options.complete_topic)
    ],
    value: Annotated[
        str | None, typer.Argument(metavar="[VALUE]", help="The value. Default: every line of stdin is one.")
    ] = None,
    lines: Annotated[
        Path | None, typer.Option("-l", "--lines", metavar="FILE", help="Read the lines of a file instead of stdin.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Lines are records as `tail -o json` writes them: an exact copy.")
    ] = False,
    key: Annotated[str | None, typer.Option("-k", "--key", metavar="KEY", help="The key of every record.")] = None,
    separator: Annotated[
        str | None, typer.Option("-K", "--key-separator", metavar="SEP", help="A line is a key, this, and a value.")
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option("-H", "--header", metavar="NAME=VALUE", help="A header; null without '='. Repeatable."),
    ] = None,
    timestamp: Annotated[
        str | None, typer.Option("--timestamp", metavar="TIME", help="15m (ago), or a time. Default: now.")
    ] = None,
    tombstone: Annotated[bool, typer.Option("--tombstone", help="A null value: the key is deleted.")] = False,
    partition: Annotated[
        int | None, typer.Option("--partition", metavar="N", min=0, help="Write to this partition.")
    ] = None,
    partitioner: Annotated[
        Partitioner, typer.Option("--partitioner", help="How a key chooses its partition; murmur2 is Java's way.")
    ] = Partitioner.MURMUR2,
    keep_partition: Annotated[
        bool, typer.Option("--keep-partition", help="With --json: each record to the partition it came from.")
    ] = False,
    count: Annotated[int, typer.Option("--count", metavar="N", min=1, help="Write VALUE so many times.")] = 1,
    per_second: Annotated[
        float | None,
        typer.Option("--rate", metavar="N/s", parser=options.rate, help="No more records a second than this."),
    ] = None,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first line that is no record.")] = False,
    unsent: Annotated[
        Path | None,
        typer.Option(
            "--unsent", metavar="FILE", help="Where records go that were not acknowledged. Default: beside the input."
        ),
    ] = None,
    undeclared: Annotated[
        bool, typer.Option("--undeclared", help="Allow a topic that topics.yaml does not declare.")
    ] = False,
    delivery_timeout: Annotated[
        float,
        typer.Option(
            "--delivery-timeout",
            metavar="TIME",
            parser=options.positive_duration,
            help="How long a record may wait for its acknowledgement. Default: 60s.",
            show_default=False,
        ),
    ] = 60.0,
    confirm: options.Confirm = None,
) -> None:
    """Write records with acks=all, idempotently, and say what became of every one. Creates no topic.

    Records that were not acknowledged are kept in a file that `produce --json` sends: on a refusal, a dead broker,
    Ctrl-C or SIGTERM.

    \b
    Examples:
      kafkactl produce payment.created '{"id": "p-1"}' -k p-1 -H source=manual
      kafkactl produce payment.created -K : -l records.txt
      kafkactl produce payment.created --tombstone -k p-1
      kafkactl tail dlq.payment --from-beginning --no-follow -o json | kafkactl produce payment.created --json
    """
    from kafkactl.commands.produce.write import ProduceOptions, produce_records

    wish = ProduceOptions(
        topic=topic,
        value=None if value is None else os.fsencode(value),
        lines=None if lines == Path("-") else lines,
        as_json=as_json,
        key=None if key is None else os.fsencode(key),
        separator=None if separator is None else os.fsencode(separator),
        headers=tuple(header or ()),
        timestamp=options.moment(timestamp) if timestamp is not None else None,
        tombstone=tombstone,
        partition=partition,
        partitioner=partitioner,
        keep_partition=keep_partition,
        count=count,
        per_second=per_second,
        fail_fast=fail_fast,
        unsent=unsent,
        undeclared=undeclared,
        delivery_timeout=delivery_timeout,
        confirm=confirm,
    )
    produce_records(target, wish)
