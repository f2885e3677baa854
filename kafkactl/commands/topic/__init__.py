"""kafkactl topic create|set|delete|trim: what a user types. All of them show the plan and ask."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kafkactl import options
from kafkactl.errors import UsageError
from kafkactl.tab_names import complete_topic

if TYPE_CHECKING:
    from kafkactl.consent import Asked

_MOST_REPLICAS = 32_767  # the replication factor is an int16 in Kafka's requests


class Readers(StrEnum):
    """What deleting or trimming a topic may take from its readers."""

    READERS = "readers"
    UNREAD = "unread"


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


@options.changes_cluster
def delete_topic(
    asked: "Asked",
    topic: Existing,
    allow: Annotated[
        list[Readers] | None,
        typer.Option("--allow", metavar="RISK", help="readers: also while a group's members read it."),
    ] = None,
) -> None:
    """Delete one topic with its records. Shows how many there are and who reads them, and wants the name typed.

    On a terminal the topic's name is asked for; elsewhere --yes agrees. A topic that members of a group read needs
    --allow readers, or a typed yes.

    \b
    Examples:
      kafkactl topic delete refund.requested
      kafkactl topic delete refund.requested --dry-run
    """
    from kafkactl.commands.topic.deleting import delete_one
    from kafkactl.plan.one_topic import require_ours

    if Readers.UNREAD in (allow or ()):
        raise UsageError("--allow unread is for trimming a topic.", hint="Deleting one takes --allow readers")
    require_ours(topic)
    delete_one(asked, topic, readers=bool(allow))


@options.changes_cluster
def trim_topic(
    asked: "Asked",
    topic: Existing,
    before: Annotated[
        str | None,
        typer.Option("--before", metavar="TIME", help="Records older than TIME (7d = 7 days ago)."),
    ] = None,
    before_offset: Annotated[
        int | None, typer.Option("--before-offset", metavar="N", min=0, help="Records before offset N.")
    ] = None,
    partitions: Annotated[
        list[int] | None,
        typer.Option("--partition", metavar="N", min=0, help="Only this partition. Repeatable."),
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="Save them first, for `produce --json`.")
    ] = None,
    allow: Annotated[
        list[Readers] | None,
        typer.Option("--allow", metavar="RISK", help="unread: also records that a group has not read yet."),
    ] = None,
) -> None:
    """Delete the oldest records of one topic. Shows how many, and which groups have not read them yet.

    With --save they are in a file, counted back, before anything is deleted. Records that a group has not read need
    --allow unread, or a typed yes.

    \b
    Examples:
      kafkactl topic trim audit.logs --before 30d --save audit.jsonl
      kafkactl topic trim payment.created --before-offset 1000 --partition 0 --dry-run
    """
    from kafkactl.commands.topic.trimming import Trim, trim_one
    from kafkactl.plan.one_topic import require_ours

    if Readers.READERS in (allow or ()):
        raise UsageError("--allow readers is for deleting a topic.", hint="Trimming one takes --allow unread")
    if (before is None) == (before_offset is None):
        why = (
            "Nothing says which records to delete."
            if before is None
            else "--before and --before-offset exclude each other."
        )
        raise UsageError(why, hint="Use --before TIME or --before-offset N")
    require_ours(topic)
    time = options.moment(before) if before is not None else None
    trim_one(asked, Trim(topic, time, before_offset, tuple(partitions or ()), save, unread=bool(allow)))
