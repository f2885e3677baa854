"""What topics.yaml says of its topics: what each is for, who writes and reads it, its contract and its dead letters."""

from collections.abc import Sequence
from typing import Any

from kafkactl.catalog.model import Catalog, Topic
from kafkactl.text.escapes import plain
from kafkactl.view import output
from kafkactl.view.output import Column


def show_declared(topics: Sequence[Topic]) -> None:
    """A line for each topic, in the order of the file."""
    titles = ("TOPIC", "DESCRIPTION", "PRODUCERS", "CONSUMERS", "EVENT", "DLQ")
    rows: list[list[output.Cell]] = [
        [t.name, t.description or "–", _names(t.producers), _names(t.consumers), t.event or "–", t.dlq or "–"]
        for t in topics
    ]
    columns = [Column(title) for title in titles]
    if output.fits(columns, rows):
        output.table(columns, rows)
        return
    for topic in topics:
        _show_narrow(topic)


def _show_narrow(topic: Topic) -> None:
    """A topic in as many lines as it takes, none of them broken inside a name."""
    look = output.style()
    about = f" · {plain(topic.description)}" if topic.description else ""
    output.say(f"{look.paint(plain(topic.name), 'bold')}{about}")
    facts = [f"{_names(topic.producers)} → {_names(topic.consumers)}"]
    facts += [f"event {topic.event}"] if topic.event else []
    facts += [f"dlq {topic.dlq}"] if topic.dlq else []
    for line in output.wrapped(" · ".join(facts), max(20, output.width() - 2)):
        output.say(f"  {line}")


def _names(services: Sequence[str]) -> str:
    return "every service" if tuple(services) == ("*",) else ", ".join(services) or "–"


def declared_document(catalog: Catalog, topics: Sequence[Topic]) -> dict[str, Any]:
    """The same as a document, with each service's group."""
    return {
        "file": str(catalog.path),
        "environment": catalog.environment,
        "topics": [
            {
                "name": topic.name,
                "description": topic.description or None,
                "producers": list(topic.producers),
                "consumers": [_consumer(catalog, name) for name in topic.consumers],
                "event": topic.event,
                "dlq": topic.dlq,
                "partitions": topic.partitions,
                "replication": topic.replication,
                "config": dict(topic.config),
            }
            for topic in topics
        ],
    }


def _consumer(catalog: Catalog, name: str) -> dict[str, str | None]:
    return {"service": name, "group": None if name == "*" else catalog.service(name).group}
