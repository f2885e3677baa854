"""kafkactl describe: the cluster, its topics, one topic, a broker."""

from typing import TYPE_CHECKING, Annotated

import typer

from kafkactl import options
from kafkactl.errors import ExitCode, UsageError
from kafkactl.settings import Target
from kafkactl.tab_names import complete_described
from kafkactl.text.remedies import kafkactl
from kafkactl.view.formats import ListFormat, SortBy

if TYPE_CHECKING:
    from kafkactl.cluster.client import Cluster


@options.on_cluster(first_aid=True)
def describe(
    target: Target,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TOPIC]…",
            help="Topics to describe, or globs such as 'payment.*'; with --broker, broker ids.",
            autocompletion=complete_described,
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
    declared: Annotated[
        bool,
        typer.Option(
            "--catalog", help="Show what topics.yaml says: descriptions, producers, consumers. Asks no cluster."
        ),
    ] = False,
    order: Annotated[
        SortBy | None,
        typer.Option("--sort-by", help="Largest first, or by name. Default: name; with --watch, unhealthy ones first."),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Refresh every two seconds until Ctrl-C.")] = False,
    show: options.ListOutput = ListFormat.TABLE,
) -> None:
    """Show the cluster and its topics, or a topic's partitions, settings, producers, consumers and groups.

    \b
    Examples:
      kafkactl describe
      kafkactl describe payment.created --groups
      kafkactl describe --unhealthy --watch
      kafkactl describe --sort-by size
      kafkactl describe --catalog
      kafkactl describe --broker 1
      kafkactl describe -o name | grep payment
    """
    if groups and (broker or not names):
        raise UsageError("--groups needs a topic.", hint=kafkactl("lag", note="To see all groups"))

    _check_combination(names, declared=declared, order=order, broker=broker, groups=groups, watch=watch)
    if declared:
        from kafkactl.commands.describe.declared import describe_declared

        raise typer.Exit(describe_declared(target.declared, names or (), show))

    def look(kafka: "Cluster", names: list[str] | None) -> ExitCode:
        from kafkactl.commands.describe import pages

        if broker:
            return pages.describe_brokers(kafka, names, show)
        if names:
            return pages.describe_topics(kafka, target.catalog, names, show, unhealthy=unhealthy, judge_groups=groups)
        return pages.describe_cluster(
            kafka, target.catalog, show, unhealthy=unhealthy, internal=internal, order=order, worst_first=watch
        )

    if watch:
        from kafkactl.commands.describe.refresh import refresh

        refresh(look, target.connection, names, topics=not broker, page=show is ListFormat.TABLE)
    from kafkactl.cluster.client import connect

    raise typer.Exit(look(connect(target.connection), names))


def _check_combination(
    names: list[str] | None, *, declared: bool, order: SortBy | None, broker: bool, groups: bool, watch: bool
) -> None:
    """Raise UsageError for options of which one would be ignored."""
    given = {"--broker": broker, "--groups": groups, "--watch": watch, "--sort-by": order is not None}
    if declared and (other := next((name for name, there in given.items() if there), None)):
        raise UsageError(f"--catalog and {other} cannot be combined: --catalog shows topics.yaml, and no cluster.")
    if order is not None and (names or broker):
        raise UsageError("--sort-by orders the list of all topics: it takes no names, and no --broker.")
