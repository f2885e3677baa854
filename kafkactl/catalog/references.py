"""Names that name other names in the file, and values that do not go together."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import cast

from kafkactl.catalog.declaration import Declaration
from kafkactl.catalog.model import BUILT_IN_EVENTS
from kafkactl.catalog.names import colliding
from kafkactl.catalog.problems import Placed, Problems
from kafkactl.catalog.reader import Fields, Word
from kafkactl.suggest import closest, suggest

_NEAR = 0.85  # "analitics" is a slip of analytics; order-service is none of risk-service
_MOST_SUGGESTIONS = 50  # comparing every wrong name with every right one would take minutes in a long file


class _Suggestions:
    """Suggestions from one set of names, each word compared once."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = list(names)
        self.known: dict[str, str] = {}

    def for_word(self, word: str) -> str:
        if word not in self.known:
            self.known[word] = suggest(word, self.names) if len(self.known) < _MOST_SUGGESTIONS else ""
        return self.known[word]


def check(fields: Fields, declaration: Declaration, problems: Problems) -> None:
    """Everything that can only be judged once the whole file has been read."""
    topics = cast("Fields | None", fields.get("topics"))
    if topics is not None:
        # A topic whose own declaration is wrong is still declared: `keys` has it.
        suggestions = _Suggestions(topics.keys)
        _check_topics(topics, fields, suggestions, problems)
        _check_overlaid(fields, topics.keys, suggestions, problems)
        for word in cast(tuple[Word, ...], fields.get("removed", ())):
            if word.text in topics.keys:
                line = topics.keys[word.text].line
                problems.error(word, f"removed: {word.text} is declared at line {line}; a topic is one or the other.")
    _check_services(fields, declaration, problems)
    _check_replicas(declaration, problems)


def _check_topics(topics: Fields, fields: Fields, suggestions: _Suggestions, problems: Problems) -> None:
    for name, first in colliding(topics.keys):
        problems.error(topics.keys[name], f'{name} and {first} are one name in metrics, where "." becomes "_".')
    schemas = cast("Fields | None", fields.get("events"))
    events = [*BUILT_IN_EVENTS, *(schemas.keys if schemas else ())]
    for name, topic in cast(Mapping[str, Fields], topics.values).items():
        dlq, event = topic.get("dlq"), topic.get("event")
        if dlq == name:
            problems.error(topic.places["dlq"], f"{name}: dlq names the topic itself.")
        elif dlq is not None and dlq not in topics.keys:
            hint = suggestions.for_word(dlq)
            problems.error(topic.places["dlq"], f'{name}: dlq "{dlq}" is not a declared topic.{hint}')
        if event is not None and event not in events:
            message = f'{name}: event "{event}" is neither built in nor under events.{suggest(event, events)}'
            problems.error(topic.places["event"], message)


def _check_overlaid(
    fields: Fields, declared: Mapping[str, Placed], suggestions: _Suggestions, problems: Problems
) -> None:
    environments = cast("Fields | None", fields.get("environments"))
    for name, environment in (environments.values if environments else {}).items():
        overlaid = cast("Fields | None", environment.get("topics"))
        for topic, place in (overlaid.keys if overlaid else {}).items():
            if topic not in declared:
                hint = suggestions.for_word(topic)
                problems.error(place, f'environments.{name}.topics: "{topic}" is not a declared topic.{hint}')


def _check_services(fields: Fields, declaration: Declaration, problems: Problems) -> None:
    services = cast("Fields | None", fields.get("services"))
    if services is None:
        return
    owner = {name: name for name in services.values}
    for name, service in cast(Mapping[str, Fields], services.values).items():
        for alias in cast(tuple[Word, ...], service.get("aliases", ())):
            taken = owner.setdefault(alias.text, name)
            if taken != name:
                problems.error(alias, f"services.{name}: {alias.text} already names the service {taken}.")
    near: dict[str, str | None] = {}
    for word, topic, key in _service_words(fields, declaration):
        if word.text not in owner and word.text != "*":
            if word.text not in near and len(near) < _MOST_SUGGESTIONS:
                near[word.text] = closest(word.text, owner, cutoff=_NEAR)
            found = near.get(word.text)
            if found:
                problems.warn(word, f'{topic}: {key} "{word.text}" is not under services. Did you mean "{found}"?')


def _service_words(fields: Fields, declaration: Declaration) -> Iterable[tuple[Word, str, str]]:
    topics = fields.get("topics")
    for name in declaration.topics if topics is not None else ():
        for key in ("producers", "consumers"):
            for word in cast(tuple[Word, ...], topics.values[name].get(key, ())):
                yield word, name, key


def _check_replicas(declaration: Declaration, problems: Problems) -> None:
    """min.insync.replicas above the replication lets nobody write with acks=all; Kafka accepts it nonetheless."""
    for name, overlay in declaration.overlays.items():
        short: dict[tuple[str, int], list[str]] = defaultdict(list)
        for topic in declaration.seen_for(name).topics.values():
            needed = topic.config.get("min.insync.replicas")
            if needed and topic.replication and int(needed) > topic.replication:
                short[needed, topic.replication].append(topic.name)
        for (needed, replication), topics in short.items():
            more = f" and {len(topics) - 1} more" if len(topics) > 1 else ""
            problems.warn(
                overlay.environment.position,
                f"environments.{name}: {topics[0]}{more}: min.insync.replicas {needed} is more than"
                f" replication {replication}, so no write with acks=all can succeed.",
            )
