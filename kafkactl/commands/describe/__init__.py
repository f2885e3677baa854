"""kafkactl describe: the cluster, its topics, one topic, a broker."""

import sys
import time
from collections.abc import Callable
from typing import Annotated

import typer

from kafkactl import garbage, options, output, settings
from kafkactl.errors import ExitCode, UnreachableError, UsageError
from kafkactl.output import ListFormat, say
from kafkactl.settings import Connection

_REFRESH = 2.0  # seconds between two looks of --watch


def describe(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TOPIC]…",
            help="Topics to describe; with --broker, broker ids.",
            autocompletion=options.complete_topic,
        ),
    ] = None,
    unhealthy: Annotated[
        bool, typer.Option("--unhealthy", help="Only what is unhealthy; exit code 1 if there is anything.")
    ] = False,
    broker: Annotated[
        bool, typer.Option("--broker", help="Brokers instead of topics: listeners, threads, changed settings.")
    ] = False,
    groups: Annotated[
        bool, typer.Option("--groups", help="With topics: the groups that read each, their lag and verdict.")
    ] = False,
    internal: Annotated[bool, typer.Option("--internal", help="List Kafka's own topics, too.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again every two seconds, until Ctrl-C.")] = False,
    file: options.File = None,
    show: options.ListOutput = ListFormat.TABLE,
    brokers: options.Brokers = None,
    env: options.Env = None,
    client_config: options.ClientConfig = None,
    timeout: options.Timeout = 3.0,
    verbose: options.Verbose = False,
) -> None:
    """Show the cluster and its topics; or a topic's partitions, settings, producers, consumers and groups.

    \b
    Examples:
      kafkactl describe
      kafkactl describe payment.created --groups
      kafkactl describe --unhealthy --watch
      kafkactl describe --broker 1
      kafkactl describe -o name | grep payment
    """
    if groups and (broker or not names):
        raise UsageError("--groups is about topics: name some.", hint="All groups: kafkactl lag")
    catalog = settings.open_catalog(file, env, required=False)
    connection = settings.resolve(
        brokers=brokers, env=env, client_config=client_config, timeout=timeout, verbose=verbose, catalog=catalog
    )

    def look() -> ExitCode:
        from kafkactl import cluster
        from kafkactl.commands.describe.broker import describe_brokers
        from kafkactl.commands.describe.cluster import describe_cluster
        from kafkactl.commands.describe.topic import describe_topics

        kafka = cluster.connect(connection)
        if broker:
            return describe_brokers(kafka, names, show)
        if names:
            return describe_topics(kafka, catalog, names, show, unhealthy=unhealthy, judge_groups=groups)
        return describe_cluster(kafka, catalog, show, unhealthy=unhealthy, internal=internal)

    if watch:
        _watch(look, connection)
    raise typer.Exit(look())


def _watch(look: Callable[[], ExitCode], connection: Connection) -> None:
    """Look again and again, also through a restart of the cluster."""
    while True:
        if output.is_terminal(sys.stdout):
            sys.stdout.write("\x1b[H\x1b[2J")
        try:
            look()
        except UnreachableError as error:
            output.note(error.message)
        say(f"\n{time.strftime('%H:%M:%S%z')}  {connection.label}  every {_REFRESH:g} s, Ctrl-C ends")
        sys.stdout.flush()
        garbage.collect()
        time.sleep(_REFRESH)
