"""kafkactl export: the live cluster as a topics.yaml, for teams that adopt kafkactl."""

import sys

from kafkactl import options
from kafkactl.settings import Target
from kafkactl.view import output


@options.on_cluster()
def export(
    target: Target,
) -> None:
    """Write the cluster's topics as a topics.yaml that passes lint and shows no diff.

    Only values that differ from the defaults are written. Add descriptions, producers and consumers yourself.

    \b
    Example:
      kafkactl export > topics.yaml
    """
    from kafkactl.catalog.export import export_text
    from kafkactl.cluster.client import connect
    from kafkactl.cluster.metadata import read_topics

    # `> topics.yaml` empties the file before we start: it is read only if an environment is given.
    kafka = connect(target.connection)
    topics = read_topics(kafka).found
    sys.stdout.write(
        export_text(topics.values(), f"The topics of {target.connection.address}, cluster {kafka.info.id}.")
    )
    for topic in topics.values():
        fewest, most = topic.replication
        if fewest != most:
            output.warn(
                f"{topic.name}: its partitions have {fewest} to {most} replicas; replication {most} was written"
            )
        if topic.config is None:
            output.warn(f"{topic.name}: no permission to read its settings, so the file does not include them")
