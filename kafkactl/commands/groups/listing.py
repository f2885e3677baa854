"""groups list, describe, save: the subcommands that change nothing."""

from operator import itemgetter
from typing import TYPE_CHECKING, Annotated

import typer

from kafkactl import options
from kafkactl.errors import ExitCode, UnreachableError
from kafkactl.settings import Target
from kafkactl.tab_names import complete_group
from kafkactl.text.words import many
from kafkactl.view import output
from kafkactl.view.formats import Format, ListFormat
from kafkactl.view.output import Cell, Column

if TYPE_CHECKING:
    from kafkactl.cluster.client import Cluster
    from kafkactl.cluster.other_groups import OtherGroup

Group = Annotated[
    str, typer.Argument(metavar="GROUP", help="Group name.", show_default=False, autocompletion=complete_group)
]


@options.on_cluster(first_aid=True)
def list_groups(
    target: Target,
    groups: Annotated[
        list[str] | None, typer.Argument(metavar="[GROUP]…", help="Groups, or globs such as 'payment-*'. Default: all.")
    ] = None,
    show: options.ListOutput = ListFormat.TABLE,
) -> None:
    """List groups of every type, with their state, members and coordinator.

    \b
    Examples:
      kafkactl groups list
      kafkactl groups list 'payment-*' -o name
    """
    from kafkactl.cluster.client import connect
    from kafkactl.groups.fetch import describe_groups
    from kafkactl.groups.names import group_filter
    from kafkactl.view import group_table

    kafka = connect(target.connection)
    others = _others(kafka)
    chosen = group_filter(kafka, groups, others or ()) if groups else None
    sample = describe_groups(kafka, chosen)
    listed = [other for name, other in (others or {}).items() if chosen is None or chosen(name)]
    gaps = sample.gaps()
    match show:
        case ListFormat.NAME:
            for name in sorted([*(group.id for group in sample.groups), *(other.id for other in listed)]):
                output.say(name)
        case ListFormat.JSON:
            entries = [{"group": group.id, **group_table.group_document(group)} for group in sample.groups]
            entries += [group_table.other_document(other) for other in listed]
            output.document(
                "groups", {"complete": not gaps, "gaps": gaps, "groups": sorted(entries, key=itemgetter("group"))}
            )
        case ListFormat.TABLE if sample.groups or listed:
            titles = ("GROUP", "STATE", "TYPE", "ASSIGNOR", "MEMBERS", "COORDINATOR")
            rows: list[list[Cell]] = [
                [g.id, g.state, g.type, g.assignor or "–", len(g.members), group_table.coordinator_text(g, kafka)]
                for g in sample.groups
            ]
            rows += [[other.id, other.state, other.shown_type, "–", None, "–"] for other in listed]
            output.table([Column(title, right=title == "MEMBERS") for title in titles], sorted(rows, key=itemgetter(0)))
        case _:
            said = "No groups." if others is not None else "No consumer groups."
            output.say(said if not gaps else "No consumer groups could be read.")
    raise typer.Exit(_tell_gaps(gaps))


def _others(kafka: "Cluster") -> "dict[str, OtherGroup] | None":
    """Share and streams groups and the like; None, with a warning, where they could not be listed."""
    from kafkactl.cluster.other_groups import list_other_groups

    try:
        return list_other_groups(kafka)
    except UnreachableError as error:
        output.warn(f"share and streams groups are not listed: {error.message.rstrip('.')}")
        return None


def _tell_gaps(gaps: list[str]) -> ExitCode:
    from kafkactl.view.group_table import warn_of_gaps

    warn_of_gaps(gaps)
    return ExitCode.UNREACHABLE if gaps else ExitCode.OK


@options.on_cluster(first_aid=True)
def show_groups(
    target: Target,
    groups: Annotated[
        list[str],
        typer.Argument(
            metavar="GROUP…",
            help="Groups, or globs such as 'payment-*'.",
            show_default=False,
            autocompletion=complete_group,
        ),
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
    from kafkactl.groups.fetch import Scope
    from kafkactl.groups.names import group_filter
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
    from kafkactl.groups.fetch import Scope, read_groups
    from kafkactl.groups.journal import Saved, offsets_document
    from kafkactl.groups.names import NameFilter, require_group
    from kafkactl.topics import in_short

    kafka = connect(target.connection)
    require_group(kafka, group)
    sample = read_groups(kafka, Scope(NameFilter.of(group)))
    found = sample.group(group)
    if found is None or found.missing:  # a file with a part of them would be taken for all
        why = found.missing if found else next(iter(sample.missing.values()), "it no longer exists")
        raise UnreachableError(f"Nothing was written: could not read the offsets of {group}: {why}.")
    offsets = {p.place: p.committed for p in found.partitions if p.committed is not None}
    if found.partial and not offsets:
        raise UnreachableError(f"Nothing was written: {group} has no commits in topics that this user may describe.")
    output.document("offsets", offsets_document(Saved(group, kafka.info.id, sample.taken, offsets)))
    output.note(f"Saved {many(len(offsets), 'offset')} of {group}: {in_short(offsets) or 'it has no commits'}.")
    if found.partial:
        output.warn("commits in topics that this user may not describe are not saved")
