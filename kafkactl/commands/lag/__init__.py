"""kafkactl lag: which consumer groups are behind, why, and what to do about it."""

from typing import Annotated

import typer

from kafkactl import options, settings
from kafkactl.errors import UsageError
from kafkactl.settings import Target
from kafkactl.tab_names import complete_topic
from kafkactl.view.formats import LagFormat


@options.on_cluster(first_aid=True)
def lag(
    target: Target,
    groups: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[GROUP]…", help="Groups, or globs such as 'payment-*'. Default: KAFKA_CONSUMER_GROUP, else all."
        ),
    ] = None,
    topics: Annotated[
        list[str] | None,
        typer.Option(
            "--topic",
            metavar="GLOB",
            help="Only lag in topics that match GLOB. Repeatable. Default: KAFKA_TOPICS, else all.",
            autocompletion=complete_topic,
        ),
    ] = None,
    threshold: Annotated[
        int | None,
        typer.Option(
            "--threshold",
            metavar="N",
            min=0,
            help="Exit with code 1 if a lag is above N. Default: lag_threshold in topics.yaml, else 1000.",
        ),
    ] = None,
    sample: Annotated[
        float | None,
        typer.Option(
            "--sample",
            metavar="TIME",
            parser=options.positive_duration,
            help="Sample twice, TIME apart, for rates and trends; over 60s detects stuck consumers.",
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Refresh every two seconds; in a pipe, print a line per change.")
    ] = False,
    partitions: Annotated[bool, typer.Option("--partitions", help="Show every partition and its owner.")] = False,
    show: Annotated[LagFormat, options.output_option()] = LagFormat.TABLE,
) -> None:
    """Show which consumer groups are behind, by how much, since when, and what to do about it. Joins no group.

    A single check shows lag, delay and missing consumers. Rates need --sample 35s, stuck consumers
    --sample 65s, or --watch for both.

    \b
    Examples:
      kafkactl lag
      kafkactl lag accounting-group --partitions
      kafkactl lag --sample 35s --threshold 500
      kafkactl lag -o prometheus > /var/lib/node_exporter/kafka.prom
    """
    from kafkactl.commands.lag.once import LagOptions, show_lag

    if watch and sample is not None:
        raise UsageError("--watch already samples repeatedly: leave out --sample.")
    if watch and show is not LagFormat.TABLE:
        raise UsageError(f"--watch shows a table, not {show}.", hint=f"Use a sample instead: --sample 10s -o {show}")
    wish = LagOptions(
        groups=tuple(settings.looked_at(groups or (), "KAFKA_CONSUMER_GROUP")),
        topics=tuple(settings.looked_at(topics or (), "KAFKA_TOPICS")),
        narrowed=not groups and bool(settings.looked_at((), "KAFKA_CONSUMER_GROUP")),
        threshold=threshold,
        sample=sample or 0.0,
        partitions=partitions,
        show=show,
    )
    if watch:
        from kafkactl.commands.lag.watch import watch as go_on

        go_on(target, wish)
    raise typer.Exit(show_lag(target, wish))
