"""kafkactl whoami: who Kafka takes this client for, and what it may do."""

from enum import StrEnum
from typing import Annotated

import typer

from kafkactl import options
from kafkactl.errors import ExitCode
from kafkactl.settings import Target
from kafkactl.view import output
from kafkactl.view.formats import Format


class Purpose(StrEnum):
    """Commands whose needs can be checked."""

    INIT_TOPICS = "init-topics"
    TAIL = "tail"
    PRODUCE = "produce"
    LAG = "lag"


@options.on_cluster(first_aid=True)
def whoami(
    target: Target,
    purpose: Annotated[
        Purpose | None,
        typer.Option(
            "--for",
            metavar="COMMAND",
            help=f"Exit with code 1 if a permission for COMMAND is missing: {', '.join(Purpose)}.",
        ),
    ] = None,
    only: Annotated[
        str | None, typer.Option("--only", metavar="GLOB", help="Only topics whose name matches GLOB.")
    ] = None,
    show: options.Output = Format.TABLE,
) -> None:
    """Show who this client is to Kafka, the broker's certificate, and what it may do with the declared topics.

    Kafka does not tell a client's principal: it is what the client sends, and a broker may map it to another name.
    With --for the exit code is 1 if a permission is missing, and 3 if that is not known.

    \b
    Examples:
      kafkactl whoami
      kafkactl whoami --env production --for init-topics
      kafkactl whoami --for tail --only 'payment.*' -o json
    """
    from kafkactl.cluster.client import connect
    from kafkactl.cluster.identity import identity
    from kafkactl.cluster.permissions import cluster_operations, on_groups, on_topics
    from kafkactl.cluster.tls import certificates_of
    from kafkactl.plan.differences import require_chosen
    from kafkactl.topics import matches
    from kafkactl.view import permission_table

    catalog = target.declared if purpose or only is not None else target.catalog
    if catalog is not None:
        require_chosen(catalog, only)
    kafka = connect(target.connection)
    topics = [topic for name, topic in catalog.topics.items() if only is None or matches(name, only)] if catalog else []
    consumers = {name for topic in topics for name in topic.consumers if name != "*"} if catalog else set()
    groups = sorted({catalog.service(name).group for name in consumers}) if catalog else []
    found = permission_table.Standing(
        identity(target.connection.properties),
        kafka.info,
        certificates_of(target.connection.properties, kafka.info.addresses, target.connection.timeout),
        cluster_operations(kafka),
        on_topics(kafka, topics),
        on_groups(kafka, groups),
        purpose.value if purpose else "",
        catalogued=catalog is not None,
    )
    if show is Format.JSON:
        output.document("whoami", permission_table.standing_document(found))
    else:
        permission_table.show_standing(found, target.connection.label)
    raise typer.Exit(_exit_code(found.sufficient) if purpose else ExitCode.OK)


def _exit_code(sufficient: bool | None) -> ExitCode:
    return ExitCode.UNREACHABLE if sufficient is None else ExitCode.OK if sufficient else ExitCode.FOUND
