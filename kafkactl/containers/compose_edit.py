"""Changes to one service in the text of a compose file: only the lines concerned, in the file's own form. Pure.

The text is edited at the parser's marks, so that comments, order, quotes and every other line stay as they are.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import yaml

from kafkactl.text.remedies import ServiceChange


class ComposeEditError(Exception):
    """Why a compose file is not changed by a program: the message ends a sentence that begins "it is not edited: "."""


def block(change: ServiceChange) -> str:
    """The change as a compose file says it."""
    lines = ["services:", f"  {change.service}:"]
    lines += [f"    {key}: {_item(value)}" for key, value in change.keys]
    if change.variables or change.swaps or change.renames:
        lines.append("    environment:")
        lines += [f"      {name}: {_item(value)}" for name, value in change.variables]
        lines += [f"      {name}: {_item(new)}   # instead of {old}" for name, old, new in change.swaps]
        lines += [f"      {new}: …   # the value of {old.strip()}, which goes" for old, new in change.renames]
    if change.ports:
        lines += ["    ports:", *(f"      - {json.dumps(port)}" for port in change.ports)]
    if change.volumes:
        lines += ["    volumes:", *(f"      - {json.dumps(volume)}" for volume in change.volumes)]
        lines += ["volumes:", *(f"  {volume.partition(':')[0]}:" for volume in change.volumes)]
    return "\n".join(lines)


def edited(text: str, change: ServiceChange) -> str:
    """The compose file's text with the change made. Raises ComposeEditError where that is not certain to be right."""
    for step in _steps(change):
        text = step(text)
    try:
        yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ComposeEditError("the result would not be YAML") from error
    return text


def _steps(change: ServiceChange) -> list[Callable[[str], str]]:
    name = change.service
    steps: list[Callable[[str], str]] = []
    steps += [partial(_rename, service=name, old=old, new=new) for old, new in change.renames]
    steps += [partial(_swap, service=name, key=key, old=old, new=new) for key, old, new in change.swaps]
    steps += [partial(_variable, service=name, key=key, value=value) for key, value in change.variables]
    steps += [partial(_key, service=name, key=key, value=value) for key, value in change.keys]
    steps += [partial(_listed, service=name, key="ports", entry=port) for port in change.ports]
    for volume in change.volumes:
        steps += [partial(_listed, service=name, key="volumes", entry=volume), partial(_declared, volume=volume)]
    return steps


def _service(text: str, name: str) -> yaml.MappingNode:
    """The service's node. Raises ComposeEditError where it takes anything from elsewhere."""
    try:
        document = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ComposeEditError("the file is not YAML") from error
    if not isinstance(document, yaml.MappingNode):
        raise ComposeEditError("the file has no services")
    if _child(document, "include") is not None:
        raise ComposeEditError("the file includes others")
    services = _child(document, "services")
    service = _child(services, name) if isinstance(services, yaml.MappingNode) else None
    if not isinstance(service, yaml.MappingNode):
        raise ComposeEditError(f"the file has no service {name}")
    for key in ("extends", "env_file", "<<"):
        if _child(service, key) is not None:
            raise ComposeEditError(f"{name} takes settings from elsewhere ({key})")
    return service


def _child(node: yaml.MappingNode, key: str) -> yaml.Node | None:
    return next((value for name, value in node.value if name.value == key), None)


def _own(text: str, node: yaml.Node, parent: yaml.Node, what: str) -> None:
    """Raises ComposeEditError for a node that stands elsewhere (an alias), or that others use (an anchor)."""
    start, end = node.start_mark.index, node.end_mark.index
    if not parent.start_mark.index <= start <= end <= parent.end_mark.index or text[start : start + 1] in (
        "&",
        "*",
        "!",
    ):
        raise ComposeEditError(f"{what} is shared with other parts of the file")


def _environment(text: str, service: yaml.MappingNode, name: str) -> yaml.Node | None:
    node = _child(service, "environment")
    if node is None:
        return None
    _own(text, node, service, f"the environment of {name}")
    if isinstance(node, yaml.ScalarNode) and not node.value:
        raise ComposeEditError(f"the environment of {name} is empty")
    if isinstance(node, yaml.MappingNode) and _child(node, "<<") is not None:
        raise ComposeEditError(f"the environment of {name} is shared with other parts of the file")
    return node


def _entry(text: str, node: yaml.Node | None, key: str) -> tuple[yaml.ScalarNode, yaml.ScalarNode | None] | None:
    """A variable's nodes: of a map its name and value, of a list the one that holds both."""
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == key:
                if not isinstance(value, yaml.ScalarNode):
                    raise ComposeEditError(f"{key} is no text")
                _own(text, value, node, key)
                return name, value
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            if isinstance(item, yaml.ScalarNode) and (item.value == key or item.value.startswith(f"{key}=")):
                _own(text, item, node, key)
                return item, None
    return None


def _put(text: str, node: yaml.Node, words: str) -> str:
    return text[: node.start_mark.index] + words + text[node.end_mark.index :]


def _whole(text: str, node: yaml.ScalarNode) -> str:
    """The text of a scalar that stands in one line. Raises ComposeEditError for one of several."""
    words = text[node.start_mark.index : node.end_mark.index]
    if "\n" in words.rstrip("\n") or node.style in ("|", ">"):
        raise ComposeEditError("the value has several lines")
    return words


def _rename(text: str, service: str, old: str, new: str) -> str:
    found = _entry(text, _environment(text, _service(text, service), service), old)
    if found is None:
        raise ComposeEditError(f"{old.strip()} is not in the file")
    node, _ = found
    words = _whole(text, node)
    if words.count(old) != 1:
        raise ComposeEditError(f"{old.strip()} is written in a form of its own")
    # Where `- KAFKA_X = 1` stands in a list, the value begins with a blank, too.
    spaced = old != old.strip() and f"{old}= " in words
    return _put(text, node, words.replace(f"{old}= ", f"{new}=") if spaced else words.replace(old, new))


def _swap(text: str, service: str, key: str, old: str, new: str) -> str:
    found = _entry(text, _environment(text, _service(text, service), service), key)
    if found is None:
        raise ComposeEditError(f"{key} is not in the file")
    node = found[1] or found[0]
    words = _whole(text, node)
    pattern = rf"(?<![\w.\-]){re.escape(old)}(?!\d)"
    if len(re.findall(pattern, words)) != 1:
        raise ComposeEditError(f"{key} gets {old} from a variable, or names it more than once")
    return _put(text, node, re.sub(pattern, lambda _: new, words))


def _variable(text: str, service: str, key: str, value: str) -> str:
    node = _service(text, service)
    environment = _environment(text, node, service)
    if environment is None:
        return _insert(text, node, f"environment:\n  {key}: {_item(value)}", {"environment": {key: value}})
    found = _entry(text, environment, key)
    if found is None:
        if isinstance(environment, yaml.SequenceNode):
            return _insert(text, environment, _item(f"{key}={value}"), f"{key}={value}")
        return _insert(text, environment, f"{key}: {_item(value)}", {key: value})
    held = found[1] or found[0]
    words = _whole(text, held)
    if "$" in words:
        raise ComposeEditError(f"{key} gets its value from a variable")
    return _put(text, held, _like(words, value if found[1] else f"{key}={value}"))


def _key(text: str, service: str, key: str, value: str) -> str:
    node = _service(text, service)
    there = _child(node, key)
    if there is None:
        return _insert(text, node, f"{key}: {_item(value)}", {key: value})
    if not isinstance(there, yaml.ScalarNode):
        raise ComposeEditError(f"{key} is no text")
    _own(text, there, node, key)
    words = _whole(text, there)
    if "$" in words:
        raise ComposeEditError(f"{key} gets its value from a variable")
    return _put(text, there, _like(words, value))


def _listed(text: str, service: str, key: str, entry: str) -> str:
    """One more entry in a service's list of ports or volumes."""
    node = _service(text, service)
    entries = _child(node, key)
    if entries is None:
        return _insert(text, node, f"{key}:\n  - {json.dumps(entry)}", {key: [entry]})
    if not isinstance(entries, yaml.SequenceNode):
        raise ComposeEditError(f"{key} is no list")
    _own(text, entries, node, f"the list of {key} of {service}")
    if key == "volumes":
        _refuse_a_second(entries, entry.rpartition(":")[2])
    return _insert(text, entries, json.dumps(entry), entry)


def _refuse_a_second(entries: yaml.SequenceNode, place: str) -> None:
    """Raises ComposeEditError where something is mounted at this place of the container already, or may be."""
    for item in entries.value:
        if not isinstance(item, yaml.ScalarNode) or place in item.value.split(":"):
            raise ComposeEditError(f"something is mounted at {place}, or may be")


def _declared(text: str, volume: str) -> str:
    """The named volume among the file's own."""
    name = volume.partition(":")[0]
    document = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(document, yaml.MappingNode):
        raise ComposeEditError("the file has no services")
    volumes = _child(document, "volumes")
    if volumes is None:
        if document.flow_style:
            return _insert(text, document, "", {"volumes": {name: None}})
        newline = "\r\n" if "\r\n" in text else "\n"
        start = text if text.endswith("\n") else text + newline
        return f"{start}volumes:{newline}  {name}:{newline}"
    if isinstance(volumes, yaml.ScalarNode) and not volumes.value:
        raise ComposeEditError("the file's list of volumes is empty")
    if not isinstance(volumes, yaml.MappingNode):
        raise ComposeEditError("the file's volumes are no map")
    _own(text, volumes, document, "the map of volumes")
    if _child(volumes, name) is not None:
        return text
    return _insert(text, volumes, f"{name}:", {name: None})


def _insert(text: str, node: yaml.Node, block: str, flow: Mapping[str, Any] | str) -> str:
    """Put an entry before the first one: `block` as lines of its own, `flow` within braces or brackets."""
    start = node.start_mark.index
    if getattr(node, "flow_style", False):
        words = json.dumps(flow, ensure_ascii=False)
        words = words[1:-1] if isinstance(flow, Mapping) else words
        return f"{text[: start + 1]}{words}{', ' if node.value else ''}{text[start + 1 :]}"
    first = node.value[0][0] if isinstance(node, yaml.MappingNode) else node.value[0]
    at = first.start_mark.index
    line = text.rfind("\n", 0, at) + 1
    before = text[line:at]  # the indentation, and the dash of a list
    if before.strip() not in ("", "-"):
        raise ComposeEditError("the entries stand in a form of their own")
    newline = "\r\n" if "\r\n" in text else "\n"
    indent = " " * len(before)
    words = f"{newline}{indent}".join(block.split("\n"))
    return f"{text[:line]}{before}{words}{newline}{text[line:]}"


def _like(words: str, value: str) -> str:
    """A value in the quotes that the earlier one had."""
    if words[:1] == "'" and "'" not in value:
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False) if words[:1] == '"' else _item(value)


def _item(value: str) -> str:
    """A text as YAML writes it anywhere, with quotes only where they are needed to keep it that text."""
    try:
        same = yaml.safe_load(f"k: {value}\nl:\n- {value}\nm: [{value}]\nn: {{o: {value}}}") == {
            "k": value,
            "l": [value],
            "m": [value],
            "n": {"o": value},
        }
    except yaml.YAMLError:
        same = False
    return value if same else json.dumps(value, ensure_ascii=False)
