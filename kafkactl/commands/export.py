"""kafkactl export: the live cluster as a topics.yaml, which is how a team adopts kafkactl."""

import sys

from kafkactl import options, output, settings


def export(
    brokers: options.Brokers = None,
    env: options.Env = None,
    file: options.File = None,
    client_config: options.ClientConfig = None,
    timeout: options.Timeout = 3.0,
    verbose: options.Verbose = False,
) -> None:
    """Write the cluster's topics as a topics.yaml that lint accepts and diff calls equal.

    Only values that differ from the defaults are written. Descriptions, producers and consumers are yours to add.

    \b
    Example:
      kafkactl export > topics.yaml
    """
    # `> topics.yaml` has emptied the file before we start: it is read only where an environment is asked for.
    catalog = settings.open_catalog(file, env) if env else None
    connection = settings.resolve(
        brokers=brokers, env=env, client_config=client_config, timeout=timeout, verbose=verbose, catalog=catalog
    )
    from kafkactl import cluster
    from kafkactl.catalog.export import export_text
    from kafkactl.cluster.topics import read_topics

    kafka = cluster.connect(connection)
    topics = read_topics(kafka).found
    sys.stdout.write(export_text(topics.values(), f"The topics of {connection.address}, cluster {kafka.info.id}."))
    for topic in topics.values():
        fewest, most = topic.replication
        if fewest != most:
            output.warn(f"{topic.name}: its partitions have {fewest} to {most} replicas; {most} was written")
        if topic.config is None:
            output.warn(f"{topic.name}: its settings may not be read, so they are not in the file")
