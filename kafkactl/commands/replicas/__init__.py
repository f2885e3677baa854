"""kafkactl replicas plan|move|status|cancel: what a user types."""

from typing import TYPE_CHECKING, Annotated

import typer

from kafkactl import options
from kafkactl.settings import Target
from kafkactl.tab_names import complete_topic
from kafkactl.view.formats import Format

if TYPE_CHECKING:
    from kafkactl.consent import Asked

_WHAT = "What is to become of them"
_MOST_REPLICAS = 32_767  # the replication factor is an int16 in Kafka's requests

Topics = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TOPIC]…",
        help="Topics, or globs in quotes. Default: all but Kafka's own, which are moved by name only.",
        autocompletion=complete_topic,
        show_default=False,
    ),
]
From = Annotated[
    list[int] | None,
    typer.Option(
        "--from", metavar="BROKER", min=0, help="Leave nothing on this broker. Repeatable.", rich_help_panel=_WHAT
    ),
]
To = Annotated[
    list[int] | None,
    typer.Option(
        "--to",
        metavar="BROKER",
        min=0,
        help="Give this broker its share; with --from, what is there. Repeatable.",
        rich_help_panel=_WHAT,
    ),
]
Spread = Annotated[
    bool,
    typer.Option(
        "--spread",
        help="Spread replicas over racks, and replicas, leaders and bytes evenly over brokers.",
        rich_help_panel=_WHAT,
    ),
]
Replication = Annotated[
    int | None,
    typer.Option(
        "--replication",
        metavar="N",
        min=1,
        max=_MOST_REPLICAS,
        help="Give each partition N replicas.",
        rich_help_panel=_WHAT,
    ),
]
Throttle = Annotated[
    int | None,
    typer.Option(
        "--throttle",
        metavar="RATE",
        parser=options.byte_rate,
        help="Copy no more than RATE (50MB/s) into and out of each broker. Protected clusters need one.",
        show_default=False,
    ),
]
Batch = Annotated[
    int | None,
    typer.Option(
        "--batch",
        metavar="SIZE",
        parser=options.byte_size,
        help="Copy no more than SIZE at a time; what is done stays done. Default: 10GiB.",
        show_default=False,
    ),
]


@options.on_cluster()
def plan_replicas(
    target: Target,
    topics: Topics = None,
    drain: From = None,
    fill: To = None,
    spread: Spread = False,
    replication: Replication = None,
    throttle: Throttle = None,
    batch: Batch = None,
    show: options.Output = Format.TABLE,
) -> None:
    """Show which replicas would be moved where, how many bytes that copies, and what brokers hold then.

    Racks come first, then how even brokers are in replicas, leaders and bytes; as few bytes are copied as can be.

    \b
    Examples:
      kafkactl replicas plan --spread
      kafkactl replicas plan --from 3 --throttle 50MB/s
      kafkactl replicas plan payment.created --replication 3
    """
    from kafkactl.commands.replicas.planned_moves import show_only
    from kafkactl.commands.replicas.wanted import wanted

    show_only(
        target,
        wanted(topics, drain, fill, spread, replication, throttle, batch),
        json=show is Format.JSON,
    )


@options.changes_cluster
def move_replicas(
    asked: "Asked",
    topics: Topics = None,
    drain: From = None,
    fill: To = None,
    spread: Spread = False,
    replication: Replication = None,
    throttle: Throttle = None,
    batch: Batch = None,
    rehearse: Annotated[
        bool,
        typer.Option(
            "--rehearse", help="Try it on a copy in a temporary sandbox, without records; change nothing here."
        ),
    ] = False,
) -> None:
    """Move replicas: shows the plan, asks, and moves them in batches; without options, goes on with an earlier move.

    The throttle is set for the replicas that are copied, and removed at the end, also after Ctrl-C. Kafka goes on with
    what it has begun; the same command without options takes up the rest, `kafkactl replicas cancel` goes back.

    \b
    Examples:
      kafkactl replicas move --from 3 --throttle 50MB/s
      kafkactl replicas move payment.created --replication 3
      kafkactl replicas move                        (goes on after an interruption)
    """
    from kafkactl.commands.replicas.planned_moves import go_on, move
    from kafkactl.commands.replicas.wanted import wanted

    if rehearse:
        from kafkactl.commands.replicas.rehearsed_moves import rehearse_moves

        rehearse_moves(asked, wanted(topics, drain, fill, spread, replication, throttle, batch))
    if not topics and not (drain or fill or spread or replication):
        go_on(asked, throttle, batch)
    else:
        move(asked, wanted(topics, drain, fill, spread, replication, throttle, batch))


@options.on_cluster()
def show_moves(target: Target, show: options.Output = Format.TABLE) -> None:
    """Show which replicas are being moved and how far they are, what is left of a plan, and which throttles are set.

    \b
    Examples:
      kafkactl replicas status
    """
    from kafkactl.commands.replicas.status_page import show_status

    show_status(target, json=show is Format.JSON)


@options.changes_cluster
def cancel_moves(asked: "Asked", topics: Topics = None) -> None:
    """Go back to the replicas from before, for what is being moved right now; what is done stays as it is.

    Removes the throttle that kafkactl set, and forgets the rest of the plan.

    \b
    Examples:
      kafkactl replicas cancel
      kafkactl replicas cancel payment.created --yes
    """
    from kafkactl.commands.replicas.cancelling import cancel

    cancel(asked, tuple(topics or ()))
