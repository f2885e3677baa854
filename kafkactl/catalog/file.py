"""Reading topics.yaml: the one place of the catalogue that opens files."""

import os
import re
from pathlib import Path

from kafkactl.catalog import nodes
from kafkactl.catalog.declaration import Declaration, declare
from kafkactl.catalog.find import NAME
from kafkactl.catalog.model import Catalog, CatalogError, Problems, unreadable
from kafkactl.catalog.reader import read_root
from kafkactl.catalog.references import check_references

MAX_BYTES = 4 * 2**20


def load_catalog(path: Path, environment: str | None = None) -> Catalog:
    """The catalogue of a file, for one environment or with the file's own values.

    The whole file is validated, with every environment. Raises CatalogError, with all problems, for a file that
    cannot be read or does not validate, and UsageError for an environment that it does not have.
    """
    return parse_catalog(_read(path), str(path), environment)


def load_what_is_valid(path: Path, environment: str | None = None) -> Catalog | None:
    """The catalogue of a file that has problems: without what is wrong in it. None where it cannot be parsed at all.

    For commands that must not stop for a file that is being edited. Raises UsageError for an unknown environment.
    """
    try:
        declaration, _ = _declaration(_read(path), str(path))
    except CatalogError:
        return None
    return declaration.seen_for(environment)


def masked_at_a_glance(path: Path) -> tuple[str, ...]:
    """The fields that a file which cannot be parsed seems to mask anywhere: rather too many than too few."""
    try:
        text = _read(path).decode("utf-8", "replace")
    except CatalogError:
        return ()
    # Also `masks: [a`, `mask: [a}` and `mask: a`: whoever wrote them meant to hide something.
    found = re.findall(r"mask\w*[ \t]*:[ \t]*(?:\[([^\]}\n]*)|([^\s\[{#][^\n}]*)|((?:\n[ \t]*-[^\n]*)+))", text)
    words = (word.strip(" \t-'\"") for parts in found for word in re.split(r"[,\n]", "".join(parts)))
    return tuple(dict.fromkeys(word for word in words if word))


def parse_catalog(data: str | bytes, name: str = NAME, environment: str | None = None) -> Catalog:
    """Like `load`, but from a text; `name` is the path that messages show and other files are relative to."""
    declaration, problems = _declaration(data, name)
    problems.raise_errors()
    return declaration.seen_for(environment, tuple(sorted(set(problems.found))))


def _declaration(data: str | bytes, name: str) -> tuple[Declaration, Problems]:
    path = Path(name)
    if len(data) > MAX_BYTES:
        raise unreadable(path, f"the file is larger than {MAX_BYTES // 2**20} MiB, too large for a topics.yaml.")
    text = data if isinstance(data, str) else decoded(data, path)
    try:
        root = nodes.compose_nodes(text.removeprefix("\ufeff"), name)
    except CatalogError:
        _refuse_another_tools(text, name)
        raise
    if root is None or (isinstance(root, nodes.Scalar) and root.empty):
        raise unreadable(path, "the file is empty. It must declare topics.")
    problems = Problems(name)
    if not isinstance(root, nodes.Mapping):
        problems.error(root, "the file must be a mapping that begins with keys such as topics:.")
        raise CatalogError(problems.found)
    if other := _of_another_tool(root):
        problems.error(root, f"this is {other}, not a topics.yaml.{_conversion(root, name)}")
        raise CatalogError(problems.found)
    fields = read_root(root, problems)
    declaration = declare(fields, path, problems)
    check_references(fields, declaration, problems)
    return declaration, problems


def read_mapping(path: Path, problems: Problems) -> nodes.Mapping | None:
    """The mapping that a YAML file holds; None where it holds nothing. Raises CatalogError."""
    root = nodes.compose_nodes(decoded(_read(path), path).removeprefix("\ufeff"), str(path))
    if root is None or (isinstance(root, nodes.Scalar) and root.empty):
        return None
    if not isinstance(root, nodes.Mapping):
        problems.error(root, "the file must be a mapping that begins with environments:.")
        raise CatalogError(problems.found)
    return root


def _refuse_another_tools(text: str, name: str) -> None:
    """Raise CatalogError where a text of several documents begins with one of another tool, which often has several."""
    try:
        documents = nodes.compose_documents(text.removeprefix("\ufeff"), name)
    except CatalogError:
        return
    first = documents[0]
    if isinstance(first, nodes.Mapping) and (other := _of_another_tool(first)):
        problems = Problems(name)
        hint = next(filter(None, (_conversion(document, name) for document in documents)), "")
        problems.error(first, f"this is {other}, not a topics.yaml.{hint}")
        raise CatalogError(problems.found)


def _conversion(root: nodes.Node, name: str) -> str:
    """How to make a topics.yaml of it, where that can be done."""
    from kafkactl.catalog.strimzi import holds_topics
    from kafkactl.text import remedies

    if not holds_topics(root):
        return ""
    return f" Print it as one: {remedies.kafkactl('export', options=['--from', name]).text}"


def read_resources(path: Path) -> list[tuple[str, str]]:
    """The name and text of a file, or of each YAML or JSON file below a directory. Raises CatalogError."""
    files = [path]
    if os.path.isdir(path):  # which, unlike Path.is_dir, takes a name of any length
        files = sorted(p for p in path.rglob("*") if p.suffix in (".yaml", ".yml", ".json") and p.is_file())
        if not files:
            raise unreadable(path, "there is no YAML or JSON file in this directory.")
    return [(str(file), decoded(_read(file), file)) for file in files]


def _of_another_tool(root: nodes.Mapping) -> str | None:
    """Whose file this is, by the keys at its top; None for ours."""
    texts = {key.text: value.text if isinstance(value, nodes.Scalar) else "" for key, value in root.pairs}
    if "topics" in texts:
        return None
    if "strimzi" in texts.get("apiVersion", ""):
        return f"a Strimzi {texts.get('kind') or 'resource'}"
    if "jikkou" in texts.get("apiVersion", ""):
        return f"a {texts.get('kind') or 'resource'} of Jikkou"
    if {"apiVersion", "kind"} <= texts.keys():
        return f"a Kubernetes {texts['kind'] or 'resource'}"
    if {"meta", "spec"} <= texts.keys():
        return "a topic of topicctl"
    return "a topology of JulieOps" if {"context", "projects"} <= texts.keys() else None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise unreadable(path, "the file does not exist.") from None
    except IsADirectoryError:
        raise unreadable(path, "this is a directory, not a file.") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise unreadable(path, f"the file cannot be read: {why}.") from None


def decoded(data: bytes, path: Path) -> str:
    """A file's text. Raises CatalogError, which says where it is not UTF-8, or too large."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        begin = data.rfind(b"\n", 0, error.start) + 1
        column = len(data[begin : error.start].decode("utf-8", "replace")) + 1
        utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
        what = "it looks like UTF-16" if utf16 else f"byte 0x{data[error.start]:02x} at offset {error.start:,}"
        problems = Problems(str(path))
        problems.error(nodes.Scalar("", True, line, column), f"the file is not UTF-8: {what}. Save it as UTF-8.")
        raise CatalogError(problems.found) from None
