"""kafkactl tail: look at records, and follow them."""

import sys
from typing import Annotated

import typer

from kafkactl import options, settings
from kafkactl.errors import UsageError
from kafkactl.records.partitioning import Partitioner
from kafkactl.settings import Target
from kafkactl.view import output
from kafkactl.view.output import RecordFormat


@options.on_cluster(f_follows=True)
def tail(
    target: Target,
    topics: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TOPIC]…",
            help="Topics, or globs such as 'payment.*'. Default: KAFKA_TOPICS.",
            autocompletion=options.complete_topic,
        ),
    ] = None,
    number: Annotated[
        int, typer.Option("-n", metavar="N", min=0, help="Start with the last N matching records of all partitions.")
    ] = 10,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="Start at the first record left.")] = False,
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help="Start 15m ago, or at a time.")] = None,
    offset: Annotated[int | None, typer.Option("--offset", metavar="N", min=0, help="Start at this offset.")] = None,
    group: Annotated[
        str | None, typer.Option("--group", metavar="GROUP", help="Start where this group reads next; without joining.")
    ] = None,
    partitions: Annotated[
        list[int] | None, typer.Option("--partition", metavar="N", help="Only this partition. Repeatable.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Stop at a time.")] = None,
    count: Annotated[int | None, typer.Option("-c", "--count", metavar="N", min=1, help="Stop after so many.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", "-f/ ", help="Go on with new records, or stop at the end as it is.")
    ] = True,
    key: Annotated[str | None, typer.Option("--key", metavar="KEY", help="Only records with this key.")] = None,
    partitioner: Annotated[
        Partitioner | None,
        typer.Option(
            "--partitioner", help="With --key: read only where this partitioner puts it. Java clients: murmur2."
        ),
    ] = None,
    grep: Annotated[
        str | None, typer.Option("--grep", metavar="REGEX", help="Only where key, value or a header matches.")
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option("--header", metavar="NAME=VALUE", help="Only with this header. Repeatable.")
    ] = None,
    query: Annotated[
        str | None, typer.Option("--jq", metavar="EXPR", help="Keep or rewrite the JSON object of each record.")
    ] = None,
    show: Annotated[
        RecordFormat | None,
        typer.Option("-o", "--output", help="Default: a line on a terminal, the raw value in a pipe."),
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help=r"kcat's tokens: '%t %p %o %k %s %T %h %S\n'.")
    ] = None,
    headers: Annotated[bool, typer.Option("--headers", help="Show headers in the line.")] = False,
    pretty: Annotated[bool, typer.Option("--pretty", help="Unfold JSON values.")] = False,
    mask: Annotated[
        list[str] | None, typer.Option("--mask", metavar="FIELD", help="Hide this field and card numbers. Repeatable.")
    ] = None,
    no_mask: Annotated[bool, typer.Option("--no-mask", help="Hide nothing, whatever topics.yaml says.")] = False,
    uncommitted: Annotated[
        bool, typer.Option("--read-uncommitted", help="Show records of open and aborted transactions, too.")
    ] = False,
    utc: options.Utc = False,
) -> None:
    """Show the last records of topics, and follow them. Joins no group, commits nothing, creates nothing.

    \b
    Examples:
      kafkactl tail payment.created
      kafkactl tail 'payment.*' --since 15m --grep timeout
      kafkactl tail payment.failed -n 5 --jq '.value.amount > 1000' --no-follow
      kafkactl tail audit.logs --from-beginning --no-follow -o json > audit.jsonl
    """
    from kafkactl.commands.tail.start import Start, Wanted
    from kafkactl.commands.tail.stream import End, Shown, show_records

    if partitioner and key is None:
        raise UsageError("--partitioner says where a key must be: give --key, too.")
    start = Start(
        number=number,
        from_beginning=from_beginning,
        since=options.moment(since) if since else None,
        offset=offset,
        group=group,
    )
    start.check()
    shown = Shown(
        key=key,
        grep=grep,
        headers=tuple(header or ()),
        query=query,
        show=show or (RecordFormat.LINE if output.is_terminal(sys.stdout) else RecordFormat.RAW),
        form=form,
        with_headers=headers,
        pretty=pretty,
        mask=tuple(mask or ()),
        unmasked=no_mask,
        utc=utc,
    )
    show_records(
        target,
        Wanted(settings.topics_to_look_at(topics or ()), partitions or (), key, partitioner),
        start,
        End(until=options.moment(until) if until else None, count=count, follow=follow),
        shown,
        uncommitted=uncommitted,
    )
