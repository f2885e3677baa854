"""What has a structure without secrets, by its keys: values of names, words of commands, JSON, trees. Pure."""

import json
import re
from collections.abc import Sequence
from typing import Any

import yaml

from kafkactl.redaction.patterns import is_no_secret, is_user_with_password, secret_letter, without_secrets
from kafkactl.redaction.secret_names import HIDDEN, is_secret_name, tells_of_secret

_URL_WITH_USER = re.compile(r"([\w+.\-:]*://)(?:[^/@]*:.*|[^/?#\s@]*)@", re.DOTALL)
_PLAIN_NAME = re.compile(r"-*[^\W\d][\w.\-\[\]]*")
_JSON = re.compile(r"[{\[](?=\s*[\"{\[])")
_MARK = "\0"


def redacted(text: str) -> str:
    """A text without secrets: the JSON in it, as in a log, by its keys (it stays JSON); the rest by patterns."""
    parts, plain, at = [], 0, 0
    while match := _JSON.search(text, at):
        start, at = match.start(), match.end()
        found = _decoded(text, start)
        if found is None:
            continue
        line = text[max(plain, text.rfind("\n", 0, start) + 1) : start]
        if line.strip() and not without_secrets(line + _MARK).endswith(
            _MARK
        ):  # this JSON is a secret, as the rest of its line
            at = text.find("\n", start) % (len(text) + 1)
            continue
        node, at = found
        parts += [without_secrets(text[plain:start]), _json(node, text[start:at])]
        plain = at
    return "".join(parts) + without_secrets(text[plain:])


def shown_value(name: str, value: str) -> str:
    """What is to be shown of the value that has this name: a variable's, a property's. "" is no name."""
    if is_secret_name(name) and not is_no_secret(value):
        return HIDDEN
    if url := _URL_WITH_USER.match(value):
        return f"{url[1]}{HIDDEN}@{redacted(value[url.end() :])}"
    return redacted(value)


def redacted_command(words: Sequence[str]) -> tuple[str, ...]:
    """The words of a command without secrets: also of an option whose value is the next word."""
    kept: list[str] = []
    option, letter = "", ""  # the word before, where it is one; the program's option for a password
    for word in words:
        attached = bool(letter) and word.startswith(letter) and word != letter  # -pPASSWORD
        if (is_secret_name(option) or option == letter or is_user_with_password(option, word)) and option:
            kept.append(word if is_no_secret(word) else HIDDEN)
        elif attached:
            kept.append(f"{letter}{HIDDEN}")
        else:
            kept.append(_word(word))
        # A hidden word may itself have been an option: --password --token x.
        option = word if word.startswith("-") and "=" not in word and not attached else ""
        letter = f"-{found}" if (found := secret_letter(word)) else letter
    return tuple(kept)


def _word(word: str) -> str:
    name, equals, value = word.partition("=")
    if not equals or not _PLAIN_NAME.fullmatch(name):
        return shown_value("", word)
    return f"{name}={HIDDEN if is_user_with_password(name, value) else shown_value(name, value)}"


def scalars_shown(root: yaml.Node, declared: frozenset[str] = frozenset()) -> dict[int, tuple[yaml.ScalarNode, str]]:
    """The scalars of a tree by identity, each with what is to be shown of it.

    `declared` are names of secrets, which are none themselves. With an anchor, what is a secret somewhere is one
    everywhere.
    """
    found: dict[int, tuple[yaml.ScalarNode, str]] = {}
    seen: set[tuple[int, bool]] = set()

    def add(node: yaml.Node, shown: str) -> None:
        if isinstance(node, yaml.ScalarNode) and found.get(id(node), (node, ""))[1] != HIDDEN:
            found[id(node)] = node, shown

    def walk(node: yaml.Node, name: str, *, secret: bool) -> None:
        """`secret`: it is below the name of one; `name` is its own, "" if it has none."""
        if isinstance(node, yaml.ScalarNode):
            hide = secret and node.value not in declared and not is_no_secret(node.value)
            add(node, HIDDEN if hide else shown_value(name, node.value) if not secret else node.value)
        elif (id(node), secret) not in seen:
            seen.add((id(node), secret))
            if isinstance(node, yaml.MappingNode):
                entries(node, secret=secret)
            else:
                items(node, secret=secret)

    def entries(node: yaml.MappingNode, *, secret: bool) -> None:
        told = next((_scalar(value) for key, value in node.value if _scalar(key).lower() in ("name", "key")), "")
        for key, value in node.value:
            name = _scalar(key)
            if isinstance(key, yaml.ScalarNode):
                add(key, _word(name))
            else:
                walk(key, "", secret=secret)
            name = told if name.lower() == "value" and told else name  # name: DB_PASSWORD, value: …
            walk(value, name, secret=is_secret_name(name) or (secret and not tells_of_secret(name)))

    def items(node: yaml.Node, *, secret: bool) -> None:
        words = redacted_command([_scalar(item) for item in node.value])
        for item, word in zip(node.value, words, strict=True):
            if isinstance(item, yaml.ScalarNode) and not secret:
                add(item, word)
            else:
                walk(item, "", secret=secret)

    walk(root, "", secret=False)
    return found


def _scalar(node: yaml.Node) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


# JSON is YAML: the nodes of YAML serve for both.


class _Pairs(list[tuple[str, Any]]):
    """An object of JSON, which may have a key twice."""


_DECODER = json.JSONDecoder(object_pairs_hook=_Pairs)


def _decoded(text: str, at: int) -> tuple[yaml.Node, int] | None:
    try:
        data, end = _DECODER.raw_decode(text, at)
        return _node(data), end
    except (ValueError, RecursionError):
        return None


def _node(data: Any) -> yaml.Node:
    """The tag of a scalar is its JSON."""
    if isinstance(data, _Pairs):
        return yaml.MappingNode("", [(_node(key), _node(value)) for key, value in data])
    if isinstance(data, list):
        return yaml.SequenceNode("", [_node(item) for item in data])
    literal = json.dumps(data, ensure_ascii=False)
    return yaml.ScalarNode(literal, data if isinstance(data, str) else literal)


def _json(node: yaml.Node, text: str) -> str:
    """The JSON of a node; where it holds no secret, `text`, as it was written."""
    shown = scalars_shown(node)
    if all(words == leaf.value for leaf, words in shown.values()):
        return text

    def written(node: yaml.Node) -> str:
        if isinstance(node, yaml.MappingNode):
            return f"{{{', '.join(f'{written(key)}: {written(value)}' for key, value in node.value)}}}"
        if isinstance(node, yaml.SequenceNode):
            return f"[{', '.join(map(written, node.value))}]"
        words = shown[id(node)][1]
        return node.tag if words == node.value else json.dumps(words, ensure_ascii=False)

    return written(node)
