"""Nodes → plain values, by the table of keys. Collects every problem; wrong values are left out of the result."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from kafkactl.catalog import keys, nodes
from kafkactl.catalog.configs import normalise, wrong_name
from kafkactl.catalog.keys import wrong_address, wrong_topic_name
from kafkactl.catalog.model import Placed, Problems
from kafkactl.text.suggest import closest, suggest
from kafkactl.text.units import parse_retention, whole_number


class Word(NamedTuple):
    """A text with its position."""

    text: str
    line: int
    column: int


class Fields(NamedTuple):
    """A section that was read: the value of each valid key, and the positions of keys and values."""

    at: Placed
    values: Mapping[str, Any]
    keys: Mapping[str, Placed]
    places: Mapping[str, Placed]

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, or the default if it was left out or invalid."""
        return self.values.get(key, default)


def read_section(kind: keys.Section, node: nodes.Mapping, problems: Problems) -> Fields:
    """A whole file of other keys than those of topics.yaml."""
    return _Reader(problems).section(kind, node, "")


def read_root(node: nodes.Mapping, problems: Problems) -> Fields:
    """The whole file."""
    return _Reader(problems).section(keys.ROOT, node, "")


_WRONG: Final = object()  # stands for a value that has been reported


class _Reader:
    def __init__(self, problems: Problems) -> None:
        self.problems = problems

    def section(self, kind: keys.Section, node: nodes.Mapping, subject: str) -> Fields:
        """A mapping of known keys. `subject` is their owner, for messages: "payment.created"."""
        values: dict[str, Any] = {}
        key_places: dict[str, Placed] = {}
        value_places: dict[str, Placed] = {}
        meant: set[str | None] = set()
        for key, value in self.entries(node, subject, ""):
            known = kind.keys.get(key.text)
            if known is None:
                self.error(key, subject, f'unknown key "{key.text}".{suggest(key.text, kind.keys)}')
                meant.add(closest(key.text, kind.keys))
                continue
            key_places.setdefault(key.text, key)
            value_places.setdefault(key.text, value)
            result = self.value(known.kind, value, subject, key)
            if result is not _WRONG:
                values.setdefault(key.text, result)
        for name, known in kind.keys.items():
            if known.required and name not in key_places and name not in meant:
                self.error(node, subject, f'"{name}" is missing.')
            elif known.required and values.get(name) == ():
                self.error(value_places[name], subject, f"{name} is empty.")
        return Fields(node, values, key_places, value_places)

    def value(self, kind: keys.Kind, node: nodes.Node, subject: str, key: nodes.Scalar) -> Any:
        """The value of one key, or _WRONG."""
        match kind:
            case keys.Section():
                mapping = self.mapping(node, subject, key.text)
                return _WRONG if mapping is None else self.section(kind, mapping, _joined(subject, key.text))
            case keys.Named():
                return self.named(kind, node, subject, key)
            case keys.Texts():
                return self.texts(kind, node, subject, key.text)
            case keys.Configs():
                return self.configs(node, subject, key.text)
            case _:
                return self.single(kind, node, subject, key.text)

    def named(self, kind: keys.Named, node: nodes.Node, subject: str, key: nodes.Scalar) -> Any:
        """A mapping from names to things of one kind."""
        mapping = self.mapping(node, subject, key.text)
        if mapping is None:
            return _WRONG
        things: dict[str, Any] = {}
        places: dict[str, Placed] = {}
        for name, value in self.entries(mapping, subject, kind.what):
            wrong = wrong_topic_name(name.text) if kind.names == "topic" else _wrong_free_name(name, kind.what)
            if wrong:
                self.error(name, subject, wrong)
                continue
            places.setdefault(name.text, name)
            if isinstance(kind.each, keys.Section):
                # A topic is known by its name alone; anything else by the way to it.
                owner = name.text if key.text == "topics" and not subject else _joined(subject, key.text, name.text)
                own = self.mapping(value, owner, "")
                if own is None:
                    continue
                things.setdefault(name.text, self.section(kind.each, own, owner))
            else:
                thing = self.single(kind.each, value, _joined(subject, key.text), name.text)
                if thing is not _WRONG:
                    things.setdefault(name.text, thing)
        return Fields(mapping, things, places, {})

    def mapping(self, node: nodes.Node, subject: str, key: str) -> nodes.Mapping | None:
        """The node as a mapping; nothing written is an empty one."""
        if isinstance(node, nodes.Mapping):
            return node
        if isinstance(node, nodes.Scalar) and node.empty:
            return nodes.Mapping((), node.line, node.column)
        message = f"must be a mapping (key: value), not {_kind_of(node)}."
        self.problems.error(node, f"{subject}: {key} {message}" if subject and key else f"{subject or key} {message}")
        return None

    def entries(self, node: nodes.Mapping, subject: str, what: str) -> Iterator[tuple[nodes.Scalar, nodes.Node]]:
        """Keys with values, merge keys (`<<`) spread behind the mapping's own; duplicates are reported."""
        first: dict[str, int] = {}
        merged: list[nodes.Mapping] = []
        for key, value in node.pairs:
            if key.plain and key.text == "<<":
                merged += self.merge_sources(value, subject)
                continue
            if key.text in first:
                told = "declared" if what else "given"
                self.error(key, subject, f"{key.text} is {told} twice (first at line {first[key.text]}).")
            first.setdefault(key.text, key.line)
            yield key, value  # the duplicate too, so that its problems are reported in the same run
        seen = set(first)
        for source in merged:
            for key, value in self.entries(source, subject, what):
                if key.text not in seen:
                    seen.add(key.text)
                    yield key, value

    def merge_sources(self, node: nodes.Node, subject: str) -> list[nodes.Mapping]:
        """What a merge key names: a mapping, or a list of them."""
        sources = node.items if isinstance(node, nodes.Sequence) else (node,)
        good = [source for source in sources if isinstance(source, nodes.Mapping)]
        if len(good) < len(sources):
            self.error(node, subject, "<< can only merge mappings, such as <<: *name.")
        return good

    def texts(self, kind: keys.Texts, node: nodes.Node, subject: str, key: str) -> Any:
        """A list of texts, each with its place."""
        if isinstance(node, nodes.Scalar) and node.empty:
            return ()
        if not isinstance(node, nodes.Sequence):
            self.error(node, subject, f"{key} must be a list such as {kind.example}, not {_kind_of(node)}.")
            return _WRONG
        words: list[Word] = []
        seen: set[str] = set()
        for item in node.items:
            if not isinstance(item, nodes.Scalar) or item.empty or not item.text.strip():
                self.error(item, subject, f"{key} contains {_kind_of(item)} instead of a text.")
                continue
            wrong = _wrong_item(kind.items, item.text)
            if wrong:
                self.error(item, subject, wrong)
            elif item.text in seen:
                self.error(item, subject, f"{key} lists {item.text} twice.")
            seen.add(item.text)
            words.append(Word(item.text, item.line, item.column))
        return tuple(words)

    def configs(self, node: nodes.Node, subject: str, key: str) -> Any:
        """Kafka's configs, values in Kafka's spelling."""
        mapping = self.mapping(node, subject, key)
        if mapping is None:
            return _WRONG
        values: dict[str, str] = {}
        places: dict[str, Placed] = {}
        for name, value in self.entries(mapping, _joined(subject, key), ""):
            wrong = wrong_name(name.text)
            if wrong:
                self.error(name, subject, wrong)
                continue
            places.setdefault(name.text, name)
            try:
                values.setdefault(name.text, self.config(name, value))
            except ValueError as error:
                self.error(value, subject, f"{name.text} {error}")
        return Fields(mapping, values, places, {})

    def config(self, name: nodes.Scalar, value: nodes.Node) -> str:
        """One config's value. Raises ValueError."""
        match value:
            case nodes.Sequence():
                items = [item.text for item in value.items if isinstance(item, nodes.Scalar) and not item.empty]
                if len(items) < len(value.items) or not items:
                    raise ValueError("must be a text, a number or a list of texts.")
                return normalise(name.text, items)
            case nodes.Mapping():
                raise ValueError("must be one value, not a mapping.")
            case nodes.Scalar() if value.empty:
                raise ValueError("has no value.")
            case nodes.Scalar():
                return normalise(name.text, value.text)

    def single(self, kind: keys.Kind, node: nodes.Node, subject: str, key: str) -> Any:
        """A single value, not a list or a mapping."""
        if not isinstance(node, nodes.Scalar):
            self.error(node, subject, f"{key} must be one value, not {_kind_of(node)}.")
        elif node.empty:
            self.error(node, subject, f"{key} has no value.")
        else:
            try:
                return _single(kind, node)
            except ValueError as error:
                self.error(node, subject, f"{key} {error}")
        return _WRONG

    def error(self, at: Placed, subject: str, message: str) -> None:
        self.problems.error(at, f"{subject}: {message}" if subject else message)


def _single(kind: keys.Kind, node: nodes.Scalar) -> str | int | bool:
    """A scalar converted for a key. Raises ValueError with the text that follows the key's name in a message."""
    match kind:
        case keys.Whole():
            return _whole(kind, node)
        case keys.Flag():
            if node.plain and node.text in ("true", "false"):
                return node.text == "true"
            raise ValueError(f'"{node.text}" is invalid; write true or false.')
        case keys.Retention():
            return parse_retention(node.text)
        case _:
            if not node.text.strip():
                raise ValueError("is empty.")
            if isinstance(kind, keys.Url) and (why := keys.wrong_url(node.text)):
                raise ValueError(why)
            return node.text


def _whole(kind: keys.Whole, node: nodes.Scalar) -> int:
    number = whole_number(node.text)
    if number is None:
        raise ValueError(f'"{node.text}" is not a whole number. Write it in plain digits, such as 3.')
    if not node.plain:
        raise ValueError(f'"{node.text}" is a text. Write {node.text} without quotes.')
    if number < kind.low:
        raise ValueError(f"{number:,} is too low; the minimum is {kind.low}.")
    if number > kind.high:
        raise ValueError(f"{number:,} is too high; the maximum is {kind.high:,}.")
    return number


def _wrong_item(rule: keys.ItemRule, text: str) -> str | None:
    match rule:
        case "topic":
            return wrong_topic_name(text)
        case "address":
            return wrong_address(text)
        case _:
            return None


def _wrong_free_name(name: nodes.Scalar, what: str) -> str | None:
    if name.empty or not name.text.strip():
        return f"the {what}'s name is empty."
    return None


def _kind_of(node: nodes.Node) -> str:
    match node:
        case nodes.Sequence():
            return "a list"
        case nodes.Mapping():
            return "a mapping"
        case _:
            return "nothing" if node.empty else f'"{node.text[:40]}"'


def _joined(*parts: str) -> str:
    return ".".join(part for part in parts if part)
