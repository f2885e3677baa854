"""The documents: what they show is printed, what they tell to type can be typed, and their links lead somewhere."""

import ast
import difflib
import re
import shlex
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from kafkactl import __version__
from kafkactl.cli import COMMANDS, Leaf
from kafkactl.doctor.codes import codes
from tests.documents import REPOSITORY, Block, Step, as_shown, documents, normalised, parts, rewritten, run, steps_of
from tests.printed import parse
from tests.program import commands
from tests.reference import PAGES

DOCUMENTS = [path for path in documents() if path.parent != PAGES]


def named(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if steps_of(read(path))], ids=named)
def test_a_document_shows_what_kafkactl_prints(path: Path) -> None:
    """On a Kafka of its own, from top to bottom. To write what it prints now: make docs.

    A machine that stands still for some seconds makes an answer late; a document that is wrong is wrong twice.
    """
    wrong = differences(path) and differences(path)
    assert not wrong, "\n".join(wrong)


def differences(path: Path) -> list[str]:
    wrong = []
    for step in run(read(path)):
        if not as_shown(step):
            lines = [normalised(text or "").splitlines() for text in (step.shown, step.output)]
            wrong += [f"line {step.line + 1}: $ {step.command}", *difflib.unified_diff(*lines, "shown", "printed")]
    return wrong


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_what_is_not_run_here_is_a_scene(path: Path) -> None:
    """Output is in console blocks, which are run; or it is written by tests/scenes.py, which provokes faults."""
    lines = read(path).splitlines()
    for part in parts(read(path)):
        if isinstance(part, Block) and part.tag != "console" and any(line.startswith("$ ") for line in part.lines):
            assert re.fullmatch("<!-- scene: (start|connect|produce|lag|verdicts|ps) -->", lines[part.first - 2])


def test_every_document_of_json_is_shown() -> None:
    """Each kind has a section of its own in docs/formats.md, with a real one."""
    kinds = {"error"}
    for path in (REPOSITORY / "kafkactl").rglob("*.py"):
        for node in ast.walk(ast.parse(read(path))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "document":
                kinds.add(ast.literal_eval(node.args[0]))
    shown = read(REPOSITORY / "docs" / "formats.md")
    sections = dict(re.findall(r"^### ([\w-]+)\n(.*?)(?=^##|\Z)", shown, re.MULTILINE | re.DOTALL))
    assert {kind for kind in kinds if f'"kind": "{kind}"' in sections.get(kind, "")} == kinds
    assert sections.keys() == kinds


def test_formats_are_those_of_the_commands() -> None:
    wanted: dict[str, set[str]] = defaultdict(set)
    for name, _ in commands():
        page = PAGES / f"{name.split()[0]}.md"
        text = read(page).partition(f"## kafkactl {name}\n")[2].partition("\n## ")[0] if " " in name else read(page)
        if formats := re.search(r"-o, --output <([\w|]+)>", text):
            for form in formats[1].split("|"):
                wanted[form].add(name)
    told = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", read(REPOSITORY / "docs" / "formats.md"), re.MULTILINE))
    for form in wanted.keys() - {"table", "json"}:
        assert set(re.findall("`([^`]+)`", told[form])) == wanted[form], form
    assert {"table", "json", *told} >= wanted.keys()


# --- what is read of the environment

_SURROUNDINGS = {"environ", "environment"}
_OF_CONTAINERS = {"model.py", "families.py", "broker_settings.py"}  # of kafkactl/containers: what images read of theirs


def variables_read() -> set[str]:
    """The environment variables whose names stand in kafkactl's code where it reads its environment."""
    found: set[str] = set()
    for path in (REPOSITORY / "kafkactl").rglob("*.py"):
        if path.parent.name == "containers" and path.name in _OF_CONTAINERS:
            continue
        tree = ast.parse(read(path))
        constants = {
            node.targets[0].id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        }  # fmt: skip
        for node in ast.walk(tree):
            if isinstance(node, ast.Subscript):
                holder, name = node.value, node.slice
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                holder, name = node.func.value, node.args[0]
            else:
                continue
            if getattr(holder, "attr", getattr(holder, "id", "")) not in _SURROUNDINGS:
                continue
            value = constants.get(name.id) if isinstance(name, ast.Name) else getattr(name, "value", None)
            if isinstance(value, str) and re.fullmatch("[A-Z_]+", value):
                found.add(value)
        for node in ast.walk(tree):  # names handed to what reads them
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= set(
                    re.findall(r"\b_?KAFKACTL_[A-Z_]+\b|\bKAFKA_(?:BROKERS|TOPICS|CONSUMER_GROUP)\b", node.value)
                )
    return found


def test_the_table_of_variables_is_whole() -> None:
    """Those that kafkactl reads, and no others; those of libraries and tools stand in a table of their own."""
    text = read(REPOSITORY / "docs" / "environment.md")
    own = text.partition("## Of libraries and tools")[0]
    listed = set(re.findall(r"^\| `([A-Z_]+)`", own, re.MULTILINE))
    listed |= {
        name for row in re.findall(r"^\| (`.*?) \|", own, re.MULTILINE) for name in re.findall("`([A-Z_]+)`", row)
    }
    assert listed == variables_read() - {"_KAFKACTL_COMPLETE"}  # Typer's, between the shell and the completion


def test_the_table_of_the_stack_is_that_of_the_compose_files() -> None:
    table = read(REPOSITORY / "docs" / "stack.md").partition("## Variables")[2]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    found: dict[str, str] = {}
    for file in ("docker-compose.yml", "docker-compose.kraft.yml"):
        for name, default in re.findall(r"\$\{(\w+):-([^}]*)\}", read(REPOSITORY / file)):
            found[name] = default
            assert any(f"`{name}`" in row and default in row and (file in row or "both" in row) for row in rows), name
    assert set(re.findall("`([A-Z][A-Z_0-9]+)`", "".join(row.split("|")[1] for row in rows))) == found.keys()


# --- what is to be typed

_PLACEHOLDER = re.compile(r"[A-Z][A-Z_:]+|…")


def typed(text: str) -> Iterator[list[str]]:
    """Each kafkactl command of a text of the shell, by its words."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    words: list[str] = []
    for word in (*lexer, ";"):
        if set(word) <= set("();<>|&\n"):
            if word.startswith((">", "<")):
                words.append(">")
                continue
            yield from _of_kafkactl(words)
            words = []
        else:
            words.append(word)


def _of_kafkactl(words: list[str]) -> Iterator[list[str]]:
    while ">" in words:  # with the file that it leads to, and the number before it
        at = words.index(">")
        words = [*words[: at - 1 if at and words[at - 1] in ("1", "2") else at], *words[at + 2 :]]
    if "kafkactl" in words:
        at = words.index("kafkactl")
        if at == 0 or "=" in words[at - 1] or words[at - 1] in ("--", "-", "exec", "run:", "then", "do", "if", "!"):
            yield words[at + 1 :]
    for word in words:  # sh -c '…', "$(…)"
        if " " in word and "kafkactl " in word and words[0] in ("kafkactl", "sh", "eval", "bash"):
            inner = word.removeprefix("$").strip("()") if word.startswith("$(") else word
            yield from typed(inner)


def require_typeable(words: Sequence[str]) -> None:
    """kafkactl's own parser takes it; or it is the name of a command, or of a group of commands."""
    if words in (["--version"], ["--help"], ["--install-completion"]):  # they act while they are parsed
        return
    if words and all(_is_name(words[: count + 1]) for count in range(len(words))):
        return
    parse(["0" if _PLACEHOLDER.fullmatch(word) else word for word in words if word != "…"])


def _is_name(words: Sequence[str]) -> bool:
    entry = COMMANDS.get(words[0])
    if len(words) == 1 or entry is None or isinstance(entry, Leaf):
        return entry is not None and len(words) == 1
    return len(words) == 2 and words[1] in entry.commands


def prose(text: str) -> str:
    """A document without its blocks."""
    for part in parts(text):
        if isinstance(part, Block | tuple):
            block = part[1] if isinstance(part, tuple) else part
            text = text.replace(block.text, "\n", 1) if block.lines else text
    return text


def commands_in(text: str) -> Iterator[list[str]]:
    """Each kafkactl command that a document tells to type, in blocks of the shell and in the text."""
    for part in parts(text):
        if isinstance(part, Block) and part.tag in ("sh", "bash", "shell"):
            yield from typed(
                "".join(re.sub(r"(^|\s)# .*", "", line) + "\n" for line in part.lines).replace("\\\n", " ")
            )
        elif isinstance(part, Block) and part.tag in ("text", "yaml"):
            for line in part.lines:
                if found := re.match(r"(?:\$ (?:\w+=\S+ )*|\s*- run: )(kafkactl .*)", line):
                    yield from typed(re.sub(r"\s+# .*", "", found[1]))
    for span in re.findall(r"`+((?:\w+=\S+ )?kafkactl [^`]+?)`+", prose(text)):
        yield from typed(span.replace("\\|", "|").replace("\n", " "))


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_each_command_of_a_document_can_be_typed(path: Path) -> None:
    wrong = []
    for words in commands_in(read(path)):
        try:
            require_typeable(words)
        except Exception as error:  # noqa: BLE001 - whatever the parser says of it
            wrong.append(f"kafkactl {shlex.join(words)}: {getattr(error, 'message', error)}")
    assert wrong == []


def test_commands_are_found_where_they_are_written() -> None:
    text = "\n".join([
        "Type `kafkactl lag --wrong`.", "", "```sh", "docker compose up -d && kafkactl doctor --wait 90s   # waits",
        "kafkactl sandbox run -- sh -c 'kafkactl init-topics && pytest'", 'eval "$(kafkactl service-env analytics)"',
        "kafkactl export > topics.yaml", "```",
    ])  # fmt: skip
    assert list(commands_in(text)) == [
        ["doctor", "--wait", "90s"],
        ["sandbox", "run", "--", "sh", "-c", "kafkactl init-topics && pytest"],
        ["init-topics"],
        ["service-env", "analytics"],
        ["export"],
        ["lag", "--wrong"],
    ]
    with pytest.raises(Exception, match="wrong"):
        require_typeable(["lag", "--wrong"])


def test_codes_of_the_doctor_exist() -> None:
    assert f"the {len(codes())} checks" in read(REPOSITORY / "docs" / "doctor.md")
    for path in DOCUMENTS:
        unknown = set(re.findall(r"\bKD\d{3}\b", read(path))) - codes().keys()
        assert unknown == set(), named(path)


# --- links

_LINK = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\])*\]\(<?([^)\s>]+)>?\)")
_BARE = re.compile(r"<(https?://[^>]+)>")


def anchors(path: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    found: set[str] = set()
    fenced = False
    for line in read(path).splitlines():
        fenced ^= line.startswith("```")
        if not fenced and (heading := re.match(r"#+ (.*)", line)):
            words = re.sub(r"[*`]|\[([^\]]*)\]\([^)]*\)", r"\1", heading[1]).strip().lower()
            anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
            found.add(f"{anchor}-{sum(one == anchor or one.startswith(f'{anchor}-') for one in found)}"
                      if anchor in found else anchor)  # fmt: skip
    return found


@pytest.mark.parametrize("path", documents(), ids=named)
def test_links_lead_somewhere(path: Path) -> None:
    """Other sites' are only looked at: a test dials nobody."""
    broken = []
    text = prose(read(path))
    for link in [*_LINK.findall(text), *_BARE.findall(text)]:
        address = urlsplit(link)
        if address.scheme:
            good = address.scheme in ("http", "https") and bool(address.hostname)
        else:
            target = (path.parent / unquote(address.path)).resolve() if address.path else path
            good = target.exists() and (not address.fragment or unquote(address.fragment) in anchors(target))
        broken += [] if good else [link]
    assert broken == []


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    ahead = [REPOSITORY / "README.md"]
    while ahead:
        path = ahead.pop()
        if path in reached:
            continue
        reached.add(path)
        for link in _LINK.findall(prose(read(path))):
            target = (path.parent / unquote(urlsplit(link).path)).resolve()
            if target.suffix == ".md" and target.exists():
                ahead.append(target)
    assert set(documents()) - reached == set()


# --- the README


def test_the_readme_is_short_and_names_the_wheel_that_is_built() -> None:
    text = read(REPOSITORY / "README.md")
    assert len(text.splitlines()) <= 150
    for document in (text, read(REPOSITORY / "README.zh-CN.md")):
        assert set(re.findall(r"kafkactl-[\w.]+-py3-none-any\.whl", document)) == {
            f"kafkactl-{__version__}-py3-none-any.whl"
        }


def test_a_document_is_written_anew_as_a_whole_and_only_if_more_differs_than_may() -> None:
    text = "# A\n\n```console\n$ one\n27 created in 49 ms.\n$ two \\\n    more\nold\n```\n\nend\n"
    (one, two) = [step for step in steps_of(text) if isinstance(step, Step)]
    one.output, two.output = "27 created in  0.3 s.\n", "old\n"
    assert rewritten(text, [one, two]) == text
    two.output = "new\nlines\n"
    assert rewritten(text, [one, two]) == text.replace("old\n", "new\nlines\n").replace("in 49 ms", "in  0.3 s")
