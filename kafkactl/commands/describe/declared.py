"""describe --catalog: an overview of what topics.yaml declares. It asks no cluster."""

from collections.abc import Sequence

from kafkactl.catalog.model import Catalog
from kafkactl.errors import ExitCode, KafkactlError
from kafkactl.text.suggest import suggest
from kafkactl.topics import matches
from kafkactl.view import catalog_page, output
from kafkactl.view.formats import ListFormat


def describe_declared(catalog: Catalog, patterns: Sequence[str], show: ListFormat) -> ExitCode:
    """Show the declared topics of these names and globs, all where none is given. Raises KafkactlError for none."""
    for pattern in patterns:
        if not any(matches(name, pattern) for name in catalog.topics):
            slip = suggest(pattern, catalog.topics, quoted=False)
            raise KafkactlError(f"{catalog.path} declares no topic {pattern}.{slip}")
    found = [
        topic
        for name, topic in catalog.topics.items()
        if not patterns or any(matches(name, pattern) for pattern in patterns)
    ]
    match show:
        case ListFormat.NAME:
            for topic in found:
                output.say(topic.name)
        case ListFormat.TABLE:
            catalog_page.show_declared(found)
        case _:
            output.document("catalog", catalog_page.declared_document(catalog, found))
    return ExitCode.OK
