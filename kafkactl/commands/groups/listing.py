"""groups list, describe, save: the subcommands that change nothing."""

from typing import Annotated

import typer

from kafkactl import options
from kafkactl.errors import ExitCode
from kafkactl.settings import Target
from kafkactl.text.words import many
from kafkactl.view import output
from kafkactl.view.output import Column, Format, ListFormat

Group = Annotated[str, typer.Argument(metavar="GROUP", help="Group name.", show_default=False)]


@options.on_cluster(first_aid=True)
def list_groups(
    target: Target,
    groups: Annotated[
        list[str] | None, typer.Argument(metavar="[GROUP]…", help="Groups, or globs such as 'payment-*'. Default: all.")
    ] = None,
    show: options.ListOutput = ListFormat.TABLE,
) -> None:
    """List consumer groups with their state, protocol, members and coordinator.

    \b
    Examples:
      kafkactl groups list
      kafkactl groups list 'payment-*' -o name
    """
    from kafkactl.cluster.client import connect
    from kafkactl.groups.fetch import describe_groups, group_filter
    from kafkactl.view import group_table

    kafka = connect(target.connection)
    sample = describe_groups(kafka, group_filter(kafka, groups) if groups else None)
    gaps = sample.gaps()
    match show:
        case ListFormat.NAME:
            for group in sample.groups:
                output.say(group.id)
        case ListFormat.JSON:
            listed = [{"group": group.id, **group_table.group_document(group)} for group in sample.groups]
            output.document("groups", {"complete": not gaps, "gaps": gaps, "groups": listed})
        case ListFormat.TABLE if sample.groups:
            titles = ("GROUP", "STATE", "TYPE", "ASSIGNOR", "MEMBERS", "COORDINATOR")
            output.table(
                [Column(title, right=title == "MEMBERS") for title in titles],
                [
                    [g.id, g.state, g.type, g.assignor or "–", len(g.members), group_table.coordinator_text(g, kafka)]
                    for g in sample.groups
                ],
            )
        case _:
            output.say("No consumer groups." if not gaps else "No consumer groups could be read.")
    raise typer.Exit(_tell_gaps(gaps))


def _tell_gaps(gaps: list[str]) -> ExitCode:
    from kafkactl.view.group_table import warn_of_gaps

    warn_of_gaps(gaps)
    return ExitCode.UNREACHABLE if gaps else ExitCode.OK


@options.on_cluster(first_aid=True)
def show_groups(
    target: Target,
    groups: Annotated[
        list[str], typer.Argument(metavar="GROUP…", help="Groups, or globs such as 'payment-*'.", show_default=False)
    ],
    show: options.Output = Format.TABLE,
) -> None:
    """Show groups in detail: members, assignments, protocol, coordinator, offsets and lag.

    \b
    Examples:
      kafkactl groups describe accounting-group
      kafkactl groups describe 'payment-*' -o json
    """
    from kafkactl.cluster.client import connect
    from kafkactl.groups.fetch import Scope, group_filter
    from kafkactl.groups.report import make_report
    from kafkactl.groups.sampling import observe
    from kafkactl.view import group_table

    kafka = connect(target.connection)
    found = make_report(
        observe(kafka, scope=Scope(group_filter(kafka, groups)), times=True), target.catalog, None, everything=False
    )
    if show is Format.JSON:
        lines = [group_table.line_document(line, found.taken, partitions=True) for line in found.lines]
        output.document("groups", {"complete": not found.gaps, "gaps": list(found.gaps), "groups": lines})
    else:
        for number, line in enumerate(found.lines):
            if number:
                output.say()
            group_table.show_members(line.group, kafka)
            group_table.show_partitions(line, found.taken, sampled=False, head=False)
    raise typer.Exit(_tell_gaps(list(found.gaps)))


@options.on_cluster(first_aid=True)
def save(
    target: Target,
    group: Group,
) -> None:
    """Write a group's committed offsets to stdout, for `groups reset --from-file`.

    \b
    Examples:
      kafkactl groups save accounting-group > accounting.json
      kafkactl groups reset accounting-group --from-file accounting.json
    """
    from kafkactl.cluster.client import connect
    from kafkactl.groups.fetch import Scope, read_groups, require_group
    from kafkactl.groups.journal import Saved, offsets_document
    from kafkactl.topics import in_short

    kafka = connect(target.connection)
    require_group(kafka, group)
    sample = read_groups(kafka, Scope(group.__eq__))
    offsets = {p.place: p.committed for found in sample.groups for p in found.partitions if p.committed is not None}
    output.document("offsets", offsets_document(Saved(group, kafka.info.id, sample.taken, offsets)))
    if sample.gaps():
        raise typer.Exit(_tell_gaps(sample.gaps()))
    output.note(f"Saved {many(len(offsets), 'offset')} of {group}: {in_short(offsets) or 'it has no commits'}.")
