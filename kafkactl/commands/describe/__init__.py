"""kafkactl describe: the cluster, its topics, one topic, a broker."""

import sys
import time
from collections.abc import Callable
from typing import Annotated

import typer

from kafkactl import options, process
from kafkactl.errors import ExitCode, UnreachableError, UsageError
from kafkactl.settings import Connection, Target
from kafkactl.text.remedies import kafkactl
from kafkactl.view import output
from kafkactl.view.output import ListFormat, say

_REFRESH = 2.0  # seconds between two refreshes of --watch


@options.on_cluster(first_aid=True)
def describe(
    target: Target,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TOPIC]…",
            help="Topics to describe, or globs such as 'payment.*'; with --broker, broker ids.",
            autocompletion=options.complete_topic,
        ),
    ] = None,
    unhealthy: Annotated[
        bool, typer.Option("--unhealthy", help="Show only what is unhealthy; exit code 1 if anything is.")
    ] = False,
    broker: Annotated[
        bool, typer.Option("--broker", help="Show brokers instead of topics: listeners, threads, changed settings.")
    ] = False,
    groups: Annotated[
        bool, typer.Option("--groups", help="With topics: also show the groups that read them, with lag and verdict.")
    ] = False,
    internal: Annotated[bool, typer.Option("--internal", help="Include Kafka's own topics.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Refresh every two seconds until Ctrl-C.")] = False,
    show: options.ListOutput = ListFormat.TABLE,
) -> None:
    """Show the cluster and its topics, or a topic's partitions, settings, producers, consumers and groups.

    \b
    Examples:
      kafkactl describe
      kafkactl describe payment.created --groups
      kafkactl describe --unhealthy --watch
      kafkactl describe --broker 1
      kafkactl describe -o name | grep payment
    """
    if groups and (broker or not names):
        raise UsageError("--groups needs a topic.", hint=kafkactl("lag", note="To see all groups"))

    def look() -> ExitCode:
        from kafkactl.cluster.client import connect
        from kafkactl.commands.describe import pages

        kafka = connect(target.connection)
        if broker:
            return pages.describe_brokers(kafka, names, show)
        if names:
            return pages.describe_topics(kafka, target.catalog, names, show, unhealthy=unhealthy, judge_groups=groups)
        return pages.describe_cluster(kafka, target.catalog, show, unhealthy=unhealthy, internal=internal)

    if watch:
        _watch(look, target.connection, page=show is ListFormat.TABLE)
    raise typer.Exit(look())


def _watch(look: Callable[[], ExitCode], connection: Connection, *, page: bool) -> None:
    """Refresh until Ctrl-C, even while the cluster restarts. `page`: for people; else stdout gets documents alone."""
    while True:
        if page and output.is_terminal(sys.stdout):
            sys.stdout.write("\x1b[H\x1b[2J")
        try:
            look()
        except UnreachableError as error:
            output.note(error.message)
        if page:
            say(f"\n{time.strftime('%H:%M:%S%z')}  {connection.label}  every {_REFRESH:g} s, Ctrl-C to stop")
        sys.stdout.flush()
        process.collect_garbage()
        time.sleep(_REFRESH)
