"""YAML files, such as compose's, without secrets: with their comments and their form. Pure."""

import json
import re
from collections.abc import Iterator

import yaml

from kafkactl.redaction.secret_names import HIDDEN
from kafkactl.redaction.structures import redacted, scalars_shown

_LEFT_OUT = "# Left out: it is not valid YAML, so that its secrets cannot be told from the rest.\n"
_LEAD = re.compile(r"(?:[&!]\S*\s+)*")  # an anchor and a tag: they stay
_COMMENTS = re.compile(r"(?:#[^\n]*(?:\n[ \t]*(?=#))?)+")


def redacted_yaml(text: str) -> str:
    """A YAML file without its secrets; nothing of one that cannot be parsed."""
    try:
        shown = _redacted(text)
        list(yaml.compose_all(shown, Loader=yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return _LEFT_OUT
    return shown


def _redacted(text: str) -> str:
    documents = [root for root in yaml.compose_all(text, Loader=yaml.SafeLoader) if root is not None]
    edits: dict[int, tuple[yaml.ScalarNode, str]] = {}
    for root in documents:
        edits |= scalars_shown(root, frozenset(_declared(root)))
    text = text.removeprefix("\ufeff")  # as YAML's marks count
    parts, at = [], 0
    for node, value in sorted(edits.values(), key=lambda edit: edit[0].start_mark.index):
        start, end = node.start_mark.index, node.end_mark.index
        end -= len(text[start:end]) - len(text[start:end].rstrip())  # a block's end is the next line's beginning
        parts += [_between(text[at:start]), _scalar_text(node, value, text[start:end])]
        at = end
    return "".join(parts) + _between(text[at:])


def _scalar_text(node: yaml.ScalarNode, value: str, written: str) -> str:
    if value == node.value:
        head, newline, body = written.partition("\n")
        # A block's first line may have a comment.
        return _between(head) + newline + body if node.style in ("|", ">") else written
    lead = _LEAD.match(written)
    return f"{lead[0] if lead else ''}{json.dumps(value, ensure_ascii=False)}"


def _between(text: str) -> str:
    """What stands between two scalars: there, too, people write passwords, in comments."""
    return _COMMENTS.sub(_comment, text)


def _comment(match: re.Match[str]) -> str:
    shown = redacted(match[0])
    return shown if all(line.lstrip().startswith("#") for line in shown.splitlines()) else f"# {HIDDEN}"


def _declared(root: yaml.Node) -> Iterator[str]:
    """The names below `secrets:` of a compose file, which services name."""
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if key.value == "secrets" and isinstance(value, yaml.MappingNode):
            yield from (name.value for name, _ in value.value if isinstance(name, yaml.ScalarNode))
