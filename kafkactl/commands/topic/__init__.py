"""kafkactl topic create|set: what a user types. Both show the plan and ask."""

from typing import TYPE_CHECKING, Annotated

import typer

from kafkactl import options
from kafkactl.errors import UsageError
from kafkactl.tab_names import complete_topic

if TYPE_CHECKING:
    from kafkactl.consent import Asked

_MOST_REPLICAS = 32_767  # the replication factor is an int16 in Kafka's requests
Existing = Annotated[str, typer.Argument(metavar="TOPIC", help="The topic.", autocompletion=complete_topic)]


@options.changes_cluster
def create_topic(
    asked: "Asked",
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="Its name.")],
    partitions: Annotated[
        int | None,
        typer.Option("--partitions", metavar="N", min=1, max=2**31 - 1, help="Default: the broker's num.partitions."),
    ] = None,
    replication: Annotated[
        int | None,
        typer.Option(
            "--replication",
            metavar="N",
            min=1,
            max=_MOST_REPLICAS,
            help="Replicas of each partition. Default: the broker's default.replication.factor.",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting, such as retention.ms=7d. Repeatable."),
    ] = None,
) -> None:
    """Create one topic, and print the lines for topics.yaml that declare it.

    Values are written as in topics.yaml: 7d, 1 GiB. What topics.yaml declares, `kafkactl init-topics` creates.

    \b
    Examples:
      kafkactl topic create refund.requested --partitions 6 --set retention.ms=14d
      kafkactl topic create user.state --set cleanup.policy=compact --dry-run
    """
    from kafkactl.commands.topic.changing_one import create_one
    from kafkactl.plan.one_topic import typed_topic

    wanted = typed_topic(topic, settings or (), partitions=partitions, replication=replication)
    create_one(asked, wanted)


@options.changes_cluster
def set_topic(
    asked: "Asked",
    topic: Existing,
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Settings, such as retention.ms=7d.", show_default=False),
    ] = None,
    unset: Annotated[
        list[str] | None,
        typer.Option("--unset", metavar="KEY", help="Go back to the broker's default of a setting. Repeatable."),
    ] = None,
    partitions: Annotated[
        int | None,
        typer.Option("--partitions", metavar="N", min=1, max=2**31 - 1, help="Add partitions until there are N."),
    ] = None,
) -> None:
    """Change settings of one topic or add partitions, and print the lines for topics.yaml that declare it.

    Values are written as in topics.yaml: 7d, 1 GiB. The plan says what each change can break.

    \b
    Examples:
      kafkactl topic set payment.created retention.ms=14d
      kafkactl topic set payment.created --unset max.message.bytes
      kafkactl topic set payment.created --partitions 6 --dry-run
    """
    from kafkactl.commands.topic.changing_one import set_one
    from kafkactl.plan.one_topic import typed_topic

    if not settings and not unset and partitions is None:
        raise UsageError("Nothing says what to change.", hint="Write KEY=VALUE, --unset KEY or --partitions N")
    wanted = typed_topic(topic, settings or (), partitions=partitions, unset=unset or ())
    set_one(asked, wanted)
