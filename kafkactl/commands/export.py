"""kafkactl export: the live cluster as a topics.yaml, for teams that adopt kafkactl."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from kafkactl import options
from kafkactl.errors import UsageError
from kafkactl.settings import Target
from kafkactl.view import output


@options.on_cluster()
def export(
    target: Target,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="PATH",
            help="Instead of the cluster's, take the KafkaTopics of Strimzi in a file, a directory, or stdin (-).",
        ),
    ] = None,
) -> None:
    """Write the cluster's topics as a topics.yaml that passes lint and shows no diff.

    Only values that differ from the defaults are written. Access rules (ACLs) become services with their
    principals, producers and consumers; what the file cannot say of them is named. Add descriptions yourself.
    With --from no cluster is asked; what cannot be taken over is named on stderr.

    \b
    Examples:
      kafkactl export > topics.yaml
      kafkactl export --from strimzi/ > topics.yaml
      kubectl get kafkatopics -o yaml | kafkactl export --from - > topics.yaml
    """
    if source is not None:
        if target.flags:
            raise UsageError(f"--from and {target.flags[0]} cannot be combined: --from asks no cluster.")
        _from_strimzi(source)
        return
    from kafkactl.access.exported_rules import ExportedAccess, exported_access
    from kafkactl.catalog.export import export_text
    from kafkactl.cluster.acls import read_access
    from kafkactl.cluster.client import connect
    from kafkactl.cluster.metadata import read_topics
    from kafkactl.cluster.visibility import topics_may_hide
    from kafkactl.topics import SOME_TOPICS

    # `> topics.yaml` empties the file before we start: it is read only if an environment is given.
    kafka = connect(target.connection)
    topics = read_topics(kafka).found
    access = read_access(kafka)
    said = exported_access(access.authorizer.rules, topics) if access.state == "there" else ExportedAccess()
    both = {"producers": said.producers, "consumers": said.consumers}
    roles = {name: {key: found[name] for key, found in both.items() if name in found} for name in topics}
    sys.stdout.write(
        export_text(
            topics.values(),
            f"The topics of {target.connection.address}, cluster {kafka.info.id}.",
            roles=roles,
            besides={"services": said.services, "admins": said.admins},
            left_out=[f"Left out: the rules of {who}." for who in said.left_out],
        )
    )
    if access.state == "not known":
        output.warn(f"who may do what is not in the file: {access.why}")
    if topics_may_hide(kafka):
        output.warn(f"{SOME_TOPICS}: the file may lack others")
    for topic in topics.values():
        fewest, most = topic.replication
        if fewest != most:
            output.warn(
                f"{topic.name}: its partitions have {fewest} to {most} replicas; replication {most} was written"
            )
        if topic.config is None:
            output.warn(f"{topic.name}: no permission to read its settings, so the file does not include them")


def _from_strimzi(source: Path) -> None:
    """Write the topics of Strimzi's documents. Raises CatalogError where there are none."""
    from kafkactl.catalog.export import catalogue_text
    from kafkactl.catalog.file import decoded, read_resources
    from kafkactl.catalog.strimzi import clusters_told, read_strimzi

    name = "stdin" if str(source) == "-" else str(source)
    texts = [(name, decoded(options.contents(source), Path(name)))] if name == "stdin" else read_resources(source)
    found = read_strimzi(texts)
    sys.stdout.write(catalogue_text(found.topics, [f"The KafkaTopics of Strimzi in {name}."]))
    for problem in found.left_out:
        output.warn(str(problem))
    if told := clusters_told(found.clusters):
        output.warn(told)
