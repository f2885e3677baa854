"""What can only be judged once the whole of topics.yaml has been read: names that name nothing, and the like."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import cast

from kafkactl.catalog.declaration import Declaration
from kafkactl.catalog.keys import colliding
from kafkactl.catalog.model import (
    BUILT_IN_EVENTS,
    Placed,
    Problems,
    Topic,
)
from kafkactl.catalog.reader import Fields, Word
from kafkactl.text.suggest import closest, suggest
from kafkactl.text.words import and_more

_NEAR = 0.85  # "analitics" is a typo of analytics; order-service is not a typo of risk-service
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


def check_references(fields: Fields, declaration: Declaration, problems: Problems) -> None:
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
                problems.error(word, f"removed: {word.text} is also declared at line {line}; a topic cannot be both.")
    _check_services(fields, declaration, problems)
    _check_principals(fields, problems)
    _check_replicas(declaration, problems)


def _check_topics(topics: Fields, fields: Fields, suggestions: _Suggestions, problems: Problems) -> None:
    for name, first in colliding(topics.keys):
        problems.error(topics.keys[name], f'{name} and {first} have the same name in metrics, where "." becomes "_".')
    schemas = cast("Fields | None", fields.get("events"))
    events = [*BUILT_IN_EVENTS, *(schemas.keys if schemas else ())]
    for name, topic in cast(Mapping[str, Fields], topics.values).items():
        dlq, event = topic.get("dlq"), topic.get("event")
        if dlq == name:
            problems.error(topic.places["dlq"], f"{name}: dlq is the topic itself.")
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


def _check_principals(fields: Fields, problems: Problems) -> None:
    """Each principal has a type, as Kafka's own: User:analytics."""
    services = cast("Fields | None", fields.get("services"))
    known = services.keys if services else {}
    for name, service in cast(Mapping[str, Fields], services.values if services else {}).items():
        _check_principal(service.get("principal"), service.places.get("principal"), f"services.{name}", problems)
    for word in cast(tuple[Word, ...], fields.get("admins", ())):
        _check_principal(word.text, word, "admins", problems)
    for name, environment in _environments(fields).items():
        principals = cast("Fields | None", environment.get("principals"))
        others = cast(Mapping[str, str], principals.values if principals else {})
        for who, principal in others.items():
            assert principals is not None
            subject = f"environments.{name}.principals"
            if who not in known:
                problems.error(principals.keys[who], f"{subject}: there is no service {who}.{suggest(who, known)}")
            _check_principal(principal, principals.keys[who], subject, problems)


def _environments(fields: Fields) -> Mapping[str, Fields]:
    environments = cast("Fields | None", fields.get("environments"))
    return environments.values if environments else {}


def _check_principal(principal: str | None, at: Placed | None, subject: str, problems: Problems) -> None:
    if principal is None or at is None:
        return
    kind, sign, name = principal.partition(":")
    if not (kind and sign and name):
        problems.error(at, f'{subject}: "{principal}" is no principal. Write User:{principal.strip(":") or "NAME"}.')
    elif name == "*":
        problems.error(at, f"{subject}: {principal} is everybody; name one principal.")


def _check_replicas(declaration: Declaration, problems: Problems) -> None:
    """min.insync.replicas above the replication: Kafka takes it, and before 3.7 nobody can then write with acks=all."""
    told: set[tuple[str, int, int]] = set()
    for name in (None, *declaration.overlays):
        short: dict[tuple[int, int], list[Topic]] = defaultdict(list)
        for topic in declaration.seen_for(name).topics.values():
            needed = int(topic.config.get("min.insync.replicas", 1))
            if topic.replication and needed > topic.replication and (topic.name, needed, topic.replication) not in told:
                short[needed, topic.replication].append(topic)
        for (needed, replication), topics in short.items():
            told |= {(topic.name, needed, replication) for topic in topics}
            place = declaration.overlays[name].environment.position if name else topics[0].position
            names = and_more([topic.name for topic in topics], 1)
            problems.error(
                place,
                f"{f'environments.{name}: ' if name else ''}{names}: min.insync.replicas {needed} is more than"
                f" replication {replication}.",
            )
