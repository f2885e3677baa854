"""groups list, describe, save: nothing is changed."""

from typing import Annotated

import typer

from kafkactl import options, output, settings
from kafkactl.errors import ExitCode
from kafkactl.output import Column, Format, ListFormat
from kafkactl.words import many

Group = Annotated[str, typer.Argument(metavar="GROUP", help="The group.", show_default=False)]


def list_groups(
    groups: Annotated[
        list[str] | None, typer.Argument(metavar="[GROUP]…", help="Groups, or globs such as 'payment-*'. Default: all.")
    ] = None,
    show: options.ListOutput = ListFormat.TABLE,
    brokers: options.Brokers = None,
    env: options.Env = None,
    client_config: options.ClientConfig = None,
    file: options.File = None,
    timeout: options.Timeout = 3.0,
    verbose: options.Verbose = False,
) -> None:
    """List the consumer groups: their state, protocol, members and coordinator.

    \b
    Examples:
      kafkactl groups list
      kafkactl groups list 'payment-*' -o name
    """
    from kafkactl import cluster, groupview
    from kafkactl.groups.facts import describe_groups
    from kafkactl.groups.find import group_filter

    catalog = settings.open_catalog(file, env, required=False)
    kafka = cluster.connect(
        settings.resolve(
            brokers=brokers, env=env, client_config=client_config, timeout=timeout, verbose=verbose, catalog=catalog
        )
    )
    sample = describe_groups(kafka, group_filter(kafka, groups) if groups else None)
    gaps = sample.gaps()
    match show:
        case ListFormat.NAME:
            for group in sample.groups:
                output.say(group.id)
        case ListFormat.JSON:
            listed = [{"group": group.id, **groupview.group_document(group)} for group in sample.groups]
            output.document("groups", {"complete": not gaps, "gaps": gaps, "groups": listed})
        case ListFormat.TABLE if sample.groups:
            titles = ("GROUP", "STATE", "TYPE", "ASSIGNOR", "MEMBERS", "COORDINATOR")
            output.table(
                [Column(title, right=title == "MEMBERS") for title in titles],
                [
                    [g.id, g.state, g.type, g.assignor or "–", len(g.members), groupview.coordinator_text(g, kafka)]
                    for g in sample.groups
                ],
            )
        case _:
            output.say("No consumer groups." if not gaps else "No consumer groups answered.")
    raise typer.Exit(_tell_gaps(gaps))


def _tell_gaps(gaps: list[str]) -> ExitCode:
    for gap in gaps[:3]:
        output.warn(f"a partial answer: {gap}")
    return ExitCode.UNREACHABLE if gaps else ExitCode.OK


def describe(
    groups: Annotated[list[str], typer.Argument(metavar="GROUP…", help="Groups, or globs.", show_default=False)],
    show: options.Output = Format.TABLE,
    brokers: options.Brokers = None,
    env: options.Env = None,
    client_config: options.ClientConfig = None,
    file: options.File = None,
    timeout: options.Timeout = 3.0,
    verbose: options.Verbose = False,
) -> None:
    """Show groups: members and what each reads, protocol, coordinator, offsets, lag.

    \b
    Examples:
      kafkactl groups describe accounting-group
      kafkactl groups describe 'payment-*' -o json
    """
    from kafkactl import cluster, groupview
    from kafkactl.groups.facts import Scope
    from kafkactl.groups.find import group_filter
    from kafkactl.groups.observe import observe
    from kafkactl.groups.report import report

    catalog = settings.open_catalog(file, env, required=False)
    kafka = cluster.connect(
        settings.resolve(
            brokers=brokers, env=env, client_config=client_config, timeout=timeout, verbose=verbose, catalog=catalog
        )
    )
    found = report(
        observe(kafka, scope=Scope(group_filter(kafka, groups)), times=True), catalog, None, everything=False
    )
    if show is Format.JSON:
        lines = [groupview.line_document(line, found.taken, partitions=True) for line in found.lines]
        output.document("groups", {"complete": not found.gaps, "gaps": list(found.gaps), "groups": lines})
    else:
        for number, line in enumerate(found.lines):
            if number:
                output.say()
            groupview.show_members(line.group, kafka)
            groupview.show_partitions(line, found.taken, sampled=False, head=False)
    raise typer.Exit(_tell_gaps(list(found.gaps)))


def save(
    group: Group,
    brokers: options.Brokers = None,
    env: options.Env = None,
    client_config: options.ClientConfig = None,
    file: options.File = None,
    timeout: options.Timeout = 3.0,
    verbose: options.Verbose = False,
) -> None:
    """Write where a group stands to stdout, for `groups reset --from-file`.

    \b
    Examples:
      kafkactl groups save accounting-group > accounting.json
      kafkactl groups reset accounting-group --from-file accounting.json
    """
    from kafkactl import cluster
    from kafkactl.groups.facts import Scope, read_groups
    from kafkactl.groups.find import require_group
    from kafkactl.groups.saved import Saved, document
    from kafkactl.groups.words import names

    catalog = settings.open_catalog(file, env, required=False)
    kafka = cluster.connect(
        settings.resolve(
            brokers=brokers, env=env, client_config=client_config, timeout=timeout, verbose=verbose, catalog=catalog
        )
    )
    require_group(kafka, group)
    sample = read_groups(kafka, Scope(group.__eq__))
    offsets = {p.place: p.committed for found in sample.groups for p in found.partitions if p.committed is not None}
    output.document("offsets", document(Saved(group, kafka.info.id, sample.taken, offsets)))
    if sample.gaps():
        raise typer.Exit(_tell_gaps(sample.gaps()))
    output.note(f"{many(len(offsets), 'offset')} of {group}: {names(offsets) or 'it has committed nothing'}.")
