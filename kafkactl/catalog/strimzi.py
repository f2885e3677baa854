"""Strimzi's KafkaTopic documents → topics as topics.yaml says them. Pure.

Each document is rearranged into a small topics.yaml whose nodes keep their places, and read by lint's own reader: what
that refuses is left out and told, with file, line and column.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from kafkactl.catalog import nodes
from kafkactl.catalog.export import drop_unmet_min_isr, scalar
from kafkactl.catalog.keys import colliding
from kafkactl.catalog.model import CatalogError, Problem, Problems
from kafkactl.catalog.reader import Fields, read_root
from kafkactl.text.units import retention_text
from kafkactl.text.words import and_more


class Strimzi(NamedTuple):
    """What a set of files holds: topics, and what could not be taken over.

    `topics` has for each name what topics.yaml says of it: partitions, replication, retention, config, each where it
    was given. `clusters` are the Kafka clusters (strimzi.io/cluster) that the topics belong to.
    """

    topics: dict[str, dict[str, Any]]
    left_out: tuple[Problem, ...]
    clusters: tuple[str, ...]


def read_strimzi(files: Iterable[tuple[str, str]]) -> Strimzi:
    """The topics of files, each its name and its text. Raises CatalogError where there is not a single one."""
    found: dict[str, dict[str, Any]] = {}
    told: list[Problem] = []
    clusters: set[str] = set()
    names: list[str] = []
    for name, text in files:
        names.append(name)
        problems = Problems(name)
        try:
            for document in nodes.compose_documents(text.removeprefix("\ufeff"), name):
                for resource in _resources(document, problems):
                    _take(resource, found, clusters, problems)
        except CatalogError as error:
            told += error.problems
        told += problems.found
    if not found:
        told = told or [Problem(Problems(names[0] if names else "").position(_WHOLE), "there is no KafkaTopic in it.")]
        raise CatalogError(told)
    return Strimzi(found, tuple(told), tuple(sorted(clusters)))


_WHOLE = nodes.Scalar("", True, 0, 0)


def holds_topics(root: nodes.Node) -> bool:
    """Whether a document is a KafkaTopic of Strimzi, or a list that has one."""
    return any(_is_topic(resource) for resource in _resources(root, Problems("")))


def _resources(node: nodes.Node, problems: Problems) -> Iterator[nodes.Mapping]:
    """A document's resources: itself, or what is in it where it is a list."""
    if isinstance(node, nodes.Scalar) and node.empty:
        return
    if not isinstance(node, nodes.Mapping):
        problems.error(node, "this is not a KafkaTopic of Strimzi; it was left out.")
        return
    items = _child(node, "items")
    if _text(node, "kind").endswith("List") and isinstance(items, nodes.Sequence):
        for item in items.items:
            yield from _resources(item, problems)
    else:
        yield node


def _is_topic(resource: nodes.Mapping) -> bool:
    return "strimzi" in _text(resource, "apiVersion") and _text(resource, "kind") == "KafkaTopic"


def _take(resource: nodes.Mapping, found: dict[str, Any], clusters: set[str], problems: Problems) -> None:
    """Add a resource's topic to those found, or a problem."""
    kind = _text(resource, "kind") or "document without a kind"
    metadata, spec = _child(resource, "metadata"), _child(resource, "spec")
    named = _name(metadata, spec)
    if not _is_topic(resource):
        whose = f" {named.text}" if named is not None else ""
        problems.error(resource, f"{kind}{whose} is not a KafkaTopic of Strimzi; it was left out.")
        return
    if named is None:
        problems.error(resource, "a KafkaTopic without spec.topicName and metadata.name was left out.")
        return
    if named.text in found:
        problems.error(named, f"{named.text} was found before; this one was left out.")
        return
    if clash := next((first for later, first in colliding([*found, named.text]) if later == named.text), None):
        problems.error(named, f"{named.text} was left out: it is the same as {clash} in Kafka's metrics.")
        return
    fields = read_root(_as_catalogue(named, spec), problems).get("topics")
    topic = fields.get(named.text) if fields else None
    if topic is None:  # a name that no topic can have
        return
    found[named.text] = values = _values(topic)
    if drop_unmet_min_isr(values):
        problems.error(named, f"{named.text}: min.insync.replicas is more than replicas; it was left out.")
    labels = _child(metadata, "labels") if isinstance(metadata, nodes.Mapping) else None
    if isinstance(labels, nodes.Mapping) and (cluster := _text(labels, "strimzi.io/cluster")):
        clusters.add(cluster)


def _name(metadata: nodes.Node | None, spec: nodes.Node | None) -> nodes.Scalar | None:
    for home, key in ((spec, "topicName"), (metadata, "name")):
        name = _child(home, key) if isinstance(home, nodes.Mapping) else None
        if isinstance(name, nodes.Scalar) and not name.empty:
            return name
    return None


_KEYS = {"partitions": "partitions", "replicas": "replication"}


def _as_catalogue(name: nodes.Scalar, spec: nodes.Node | None) -> nodes.Mapping:
    """A topics.yaml of this one topic, whose nodes are where they are in Strimzi's document."""
    pairs: list[tuple[nodes.Scalar, nodes.Node]] = []
    for key, value in spec.pairs if isinstance(spec, nodes.Mapping) else ():
        if key.text in _KEYS:
            number = value._replace(plain=True) if isinstance(value, nodes.Scalar) else value
            pairs.append((key._replace(text=_KEYS[key.text]), number))
        elif key.text == "config" and isinstance(value, nodes.Mapping):
            kept = [pair for pair in value.pairs if pair[0].text == "retention.ms"]
            pairs += [(own._replace(text="retention"), given) for own, given in kept]
            others = tuple(pair for pair in value.pairs if pair not in kept)
            pairs.append((key, value._replace(pairs=others)))
        elif key.text == "config":
            pairs.append((key, value))
    topic = nodes.Mapping(tuple(pairs), name.line, name.column)
    topics = nodes.Mapping(((name._replace(plain=False), topic),), name.line, name.column)
    return nodes.Mapping(((name._replace(text="topics"), topics),), name.line, name.column)


def _values(topic: Fields) -> dict[str, Any]:
    values = {key: topic.get(key) for key in ("partitions", "replication") if topic.get(key) is not None}
    if (retention := topic.get("retention")) is not None:
        values["retention"] = retention_text(retention)
    config: Fields | None = topic.get("config")
    if config and config.values:
        values["config"] = {key: scalar(value) for key, value in sorted(config.values.items())}
    return values


def _child(node: nodes.Mapping, key: str) -> nodes.Node | None:
    return next((value for name, value in node.pairs if name.text == key), None)


def _text(node: nodes.Mapping, key: str) -> str:
    value = _child(node, key)
    return value.text if isinstance(value, nodes.Scalar) else ""


def clusters_told(clusters: tuple[str, ...]) -> str:
    """A sentence where topics of several clusters are in one catalogue; empty where they are not."""
    if len(clusters) < 2:
        return ""
    return f"these topics belong to {len(clusters)} clusters ({and_more(list(clusters))}), and are now in one file"
