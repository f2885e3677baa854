"""Live topics → the text of a topics.yaml that says the same. Pure."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, TypeVar

from kafkactl.text.escapes import plain
from kafkactl.text.units import is_number, retention_text
from kafkactl.text.words import and_more
from kafkactl.topics import THROTTLED_REPLICAS, LiveTopic, is_internal

V = TypeVar("V", bound=Hashable)


def export_text(
    topics: Iterable[LiveTopic],
    headline: str,
    *,
    roles: Mapping[str, Mapping[str, Any]] | None = None,
    besides: Mapping[str, Any] | None = None,
    left_out: Iterable[str] = (),
) -> str:
    """A catalogue of these topics that passes `lint` and shows no `diff`.

    The commonest partition count, replication and retention become the defaults; a topic says what differs from
    them, and those of its own settings that differ from the broker's defaults. `headline` becomes a comment.
    Topics whose settings could not be read say only partitions and replication. A min.insync.replicas above the
    replication, which Kafka takes and `lint` does not, is left out, and a comment says so. `roles` are the producers
    and consumers of topics, `besides` further parts of the file, `left_out` what a comment says of those.
    """
    ours = sorted((topic for topic in topics if not is_internal(topic.name)), key=lambda topic: topic.name)
    said = {topic.name: _values(topic) for topic in ours}
    for name, more in (roles or {}).items():
        if name in said:
            said[name] |= more
    short = [name for name, values in said.items() if drop_unmet_min_isr(values)]
    comments = [headline]
    if short:
        comments.append(f"Left out: min.insync.replicas of {and_more(short)}, which is more than the replication.")
    return catalogue_text(said, [*comments, *left_out], besides)


def catalogue_text(
    topics: Mapping[str, Mapping[str, Any]], comments: Iterable[str], besides: Mapping[str, Any] | None = None
) -> str:
    """A catalogue of topics that say partitions, replication, retention and config, each or none of them.

    What each of them says becomes a default in its commonest value; a default would be one of topics that say nothing.
    """
    import yaml

    defaults = {
        key: _commonest([values[key] for values in topics.values()])
        for key in ("partitions", "replication", "retention")
        if topics and all(key in values for values in topics.values())
    }
    body: dict[str, Any] = {"defaults": defaults} if defaults else {}
    body |= {key: value for key, value in (besides or {}).items() if value}
    body["topics"] = {name: _beyond(values, defaults) for name, values in topics.items()}
    text = yaml.safe_dump(body, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)
    return "".join(f"# {plain(comment)}\n" for comment in comments) + text


def declaration_text(topic: LiveTopic) -> str:
    """The lines of topics.yaml that would declare this topic as it is, whatever the file's defaults are.

    What `lint` would not take is left out, and a comment says so.
    """
    import yaml

    values = _values(topic)
    left_out = drop_unmet_min_isr(values)
    body = {"topics": {topic.name: values}}
    text: str = yaml.safe_dump(body, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)
    comment = "# Left out: min.insync.replicas, which is more than the replication.\n" if left_out else ""
    return comment + text


def drop_unmet_min_isr(values: dict[str, Any]) -> bool:
    """Take min.insync.replicas out where there are fewer replicas; whether there were."""
    config = values.get("config", {})
    needed = config.get("min.insync.replicas", 1)
    if not isinstance(needed, int) or needed <= values.get("replication", needed):
        return False
    del config["min.insync.replicas"]
    if not config:
        del values["config"]
    return True


def _values(topic: LiveTopic) -> dict[str, Any]:
    values: dict[str, Any] = {"partitions": len(topic.partitions), "replication": topic.replication[1]}
    config = topic.config or {}
    retention = config.get("retention.ms")
    if retention and retention.value is not None:
        values["retention"] = retention_text(int(retention.value))
    own = {
        key: current.value
        for key, current in sorted(config.items())
        if current.overridden
        and key not in ("retention.ms", *THROTTLED_REPLICAS)
        and current.value not in (None, current.default)
    }
    return {**values, **({"config": {key: scalar(value) for key, value in own.items()}} if own else {})}


def scalar(value: str | None) -> str | int:
    """Whole numbers are written without quotes, as a person would."""
    return int(value) if value and is_number(value.lstrip("-")) and str(int(value)) == value else value or ""


def _beyond(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in defaults or defaults[key] != value}


def _commonest(values: list[V]) -> V:
    return Counter(values).most_common(1)[0][0]
