"""Keeps secrets out of facts and bundles. Pure.

What has a structure is redacted by its keys: variables, words of a command, compose files. Patterns are for the rest,
such as logs: a name, and what follows it.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

import yaml

from kafkactl.text.secret_names import is_secret_name, tells_of_secret

HIDDEN = "[hidden]"

# Variables that checks use: addresses, ids, sizes, directories. Everything else is left out.
_WANTED = re.compile(
    r"(KAFKA_(CFG_)?)?(ADVERTISED_LISTENERS|LISTENERS|LISTENER_SECURITY_PROTOCOL_MAP|INTER_BROKER_LISTENER_NAME|CONTROLLER_LISTENER_NAMES"
    r"|ADVERTISED_HOST_NAME|ADVERTISED_PORT|PORT|BROKER_ID|NODE_ID|PROCESS_ROLES|ZOOKEEPER_CONNECT|CONTROLLER_QUORUM_VOTERS|LOG_DIRS?|CLUSTER_ID)"
    r"|KAFKA_HEAP_OPTS|JAVA_OPTS|KAFKA_OPTS|ZOOKEEPER_CLIENT_PORT|ZOO_MY_ID|.*(BROKERS|BOOTSTRAP).*"
)
_OPTIONS = re.compile(r"_OPTS$")
_HEAP = re.compile(r"-Xm[sx]\w+")

_QUOTED = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
_NAME = r"[A-Za-z_][\w.\-]*"
# "name": "value", as in JSON: up to a comma where the value is not in quotes. NAME=value, NAME: value elsewhere: all of
# the line, since a password may hold blanks, commas, and what looks like another name.
_ASSIGNED = re.compile(
    rf"(?P<json>[\"'])(?P<key>{_NAME})(?P=json)\s*[=:]\s*(?P<element>{_QUOTED}|[^\s,}}\]]+)"
    rf"|(?<!\$\{{)(?<![\w.\-])(?P<name>{_NAME})\s*[=:][^\S\n]*(?P<value>(?:{_QUOTED})(?=[\s,;)}}\]]|$)|\S.*)",
    re.MULTILINE,
)
_OPTION = re.compile(rf"(?<!\S)(--?)({_NAME})(\s+|=)({_QUOTED}|\S+)")
_JAAS = re.compile(
    rf"(\S+LoginModule\s+(?:required|requisite|sufficient|optional))\b(?:{_QUOTED}|[^;\"'])*;?", re.IGNORECASE
)
_JAAS_USER = re.compile(rf"(\buser_[\w.\-]+\s*=\s*)({_QUOTED}|\S+)")
_IN_URL = re.compile(r"(\b[a-z][\w+.\-]*://)[^\s/@\"']*:[^\s@\"']*@", re.IGNORECASE)
_HEADER = re.compile(
    r"(?i)\b((?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?)(?:(?:bearer|basic|digest|token)\s+)?[^\s\"',]+"
)
_BEARER = re.compile(r"(?i)\b(bearer\s+)[\w\-.~+/]{8,}=*")
_PEM = re.compile(r"-----BEGIN [^-]*(?:PRIVATE KEY|CERTIFICATE)-----.*?(?:-----END [^-]*-----|$)", re.DOTALL)
# ${NAME:-default}: what is used where the variable is not set.
_DEFAULT = re.compile(r"(\$\{(\w+):?[-=+])([^}]*)(\})")
_VARIABLE_ONLY = re.compile(r"\$\{[A-Za-z_]\w*(?::?\?[^}]*)?\}")


def redacted(words: str) -> str:
    """A text without passwords, tokens, keys and users in URLs, as far as names or format reveal them."""
    words = _PEM.sub(HIDDEN, words)
    words = _JAAS.sub(rf"\1 {HIDDEN}", words)
    words = _JAAS_USER.sub(rf"\1{HIDDEN}", words)
    words = _IN_URL.sub(rf"\1{HIDDEN}@", words)
    words = _HEADER.sub(rf"\1{HIDDEN}", words)
    words = _BEARER.sub(rf"\1{HIDDEN}", words)
    words = _DEFAULT.sub(lambda m: f"{m[1]}{HIDDEN if is_secret_name(m[2]) else m[3]}{m[4]}", words)
    words = _OPTION.sub(lambda m: f"{m[1]}{m[2]}{m[3]}{HIDDEN}" if is_secret_name(m[2]) else m[0], words)
    return _without_assigned(words)


def _without_assigned(words: str) -> str:
    """The values of secrets' names hidden. Of another name only the name is passed: its value may be NAME=value."""
    parts, at = [], 0
    while match := _ASSIGNED.search(words, at):
        value = "element" if match["key"] else "value"
        if is_secret_name(match["key"] or match["name"]) and not _is_harmless(match[value]):
            parts += [words[at : match.start(value)], HIDDEN]
            at = match.end()
        else:
            parts.append(words[at : match.start(value)])
            at = match.start(value)
    return "".join(parts) + words[at:]


def _is_harmless(value: str) -> bool:
    return value.strip("\"'") in ("", "null", "None", "true", "false", HIDDEN) or bool(
        _VARIABLE_ONLY.fullmatch(value.strip("\"'"))
    )


def redacted_command(words: Sequence[str]) -> tuple[str, ...]:
    """The words of a command without secrets: also of an option whose value is the next word."""
    kept: list[str] = []
    hide = False
    for word in words:
        if hide and not word.startswith("-"):
            kept.append(HIDDEN)
        else:
            kept.append(_word(word))
        hide = word.startswith("-") and "=" not in word and is_secret_name(word)
    return tuple(kept)


def _word(word: str) -> str:
    name, equals, value = word.partition("=")
    if equals and is_secret_name(name) and not _is_harmless(value) and not re.search(r"\s", name):
        return f"{name}={HIDDEN}"
    return redacted(word)


def redacted_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that checks use; of a JVM's flags only the heap's."""
    kept = {}
    for name, value in variables.items():
        if value and _WANTED.fullmatch(name) and not is_secret_name(name):
            kept[name] = " ".join(_HEAP.findall(value)) if _OPTIONS.search(name) else redacted(value)
    return kept


def redacted_yaml(text: str) -> str:
    """A YAML file with its comments and its form, but without secrets; nothing of one that cannot be parsed."""
    try:
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except (yaml.YAMLError, ValueError):
        return "# Left out: it is not valid YAML, so that its secrets cannot be told from the rest.\n"
    edits: dict[int, tuple[yaml.ScalarNode, str]] = {}
    for root in documents:
        if root is not None:
            for node, value in _edits(root, secret=False, seen=set()):
                # An anchored value that is a secret somewhere is one everywhere.
                if edits.get(id(node), (node, ""))[1] != HIDDEN:
                    edits[id(node)] = (node, value)
    parts, at = [], 0
    for node, value in sorted(edits.values(), key=lambda edit: edit[0].start_mark.index):
        start, end = node.start_mark.index, node.end_mark.index
        parts.append(redacted(text[at:start]) if _is_comment(text[at:start]) else text[at:start])
        end -= len(text[start:end]) - len(text[start:end].rstrip())  # a block's end is the next line's beginning
        if value == node.value:
            parts.append(text[start:end])
        else:
            lead = _ANCHOR.match(text, start, end)
            parts += [lead[0] if lead else "", json.dumps(value, ensure_ascii=False)]
        at = end
    return "".join(parts) + (redacted(text[at:]) if _is_comment(text[at:]) else text[at:])


_ANCHOR = re.compile(r"(?:[&!]\S*\s+)*")  # and a tag: they stay


def _is_comment(between: str) -> bool:
    """Whether what stands between two values has a comment: there, too, people write passwords."""
    return "#" in between


def _edits(node: yaml.Node, *, secret: bool, seen: set[tuple[int, bool]]) -> Iterator[tuple[yaml.ScalarNode, str]]:
    """Every scalar below a node with what is to be shown of it."""
    if (id(node), secret) in seen:
        return
    seen.add((id(node), secret))
    if isinstance(node, yaml.ScalarNode):
        yield node, _shown(node.value, secret=secret)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if isinstance(key, yaml.ScalarNode):
                yield key, name
            # `secrets:` lists names and files, which are none themselves.
            lists = name == "secrets" and not isinstance(value, yaml.ScalarNode)
            inside = (secret and not tells_of_secret(name)) or is_secret_name(name)
            yield from _edits(value, secret=inside and not lists, seen=seen)
    elif isinstance(node, yaml.SequenceNode):
        words = [item.value if isinstance(item, yaml.ScalarNode) else "" for item in node.value]
        for item, shown in zip(node.value, redacted_command(words), strict=True):
            if isinstance(item, yaml.ScalarNode):
                yield item, _shown(item.value, secret=True) if secret else shown
            else:
                yield from _edits(item, secret=secret, seen=seen)


def _shown(value: str, *, secret: bool) -> str:
    if not secret:
        return redacted(value)
    return value if _is_harmless(value) else HIDDEN
