"""Help in groups, and what is offered to whoever types another tool's word or slips."""

from collections.abc import Callable

import pytest

from kafkactl.cli import COMMANDS, Branch
from kafkactl.help_pages import OF_EVERY_COMMAND, SECTIONS
from kafkactl.other_words import OTHER_SUBWORDS, OTHER_WORDS
from tests.conftest import Outcome
from tests.program import commands

Run = Callable[..., Outcome]


def sections(text: str) -> dict[str, list[str]]:
    """The options, arguments or commands of each section of a help page."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.endswith(":") and not line.startswith(" "):
            title = line.removesuffix(":")
            found[title] = []
        elif found and line.startswith("  ") and line[2:3] not in (" ", ""):
            found[title].append(line.split()[0])
    return found


def test_every_command_has_its_place(kafkactl: Run) -> None:
    assert sorted(name for names in SECTIONS.values() for name in names) == sorted(COMMANDS)
    shown = sections(kafkactl("--help").out)
    assert {title: names for title, names in shown.items() if title != "Options"} == {
        title: [name for name in COMMANDS if name in names] for title, names in SECTIONS.items()
    }


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_options_are_in_groups_that_can_be_read(kafkactl: Run, name: str) -> None:
    page = kafkactl(*name.split(), "--help").out
    shown = sections(page)
    assert all(len(names) <= 14 for names in shown.values()), {title: len(names) for title, names in shown.items()}
    if "-b," in shown.get(OF_EVERY_COMMAND, []):
        assert list(shown)[-1] == OF_EVERY_COMMAND
    # The second columns stand below each other, in every section.
    columns = {line.index("  ", 3) for line in page.splitlines() if line.startswith("  -") and "  " in line[3:]}
    assert len({page_column(line) for line in page.splitlines() if line.startswith("  -")} - {None}) <= 1, columns


def page_column(line: str) -> int | None:
    """Where the help of an option begins; None where it begins in the next line."""
    name, gap, text = line[2:].partition("  ")
    return 2 + len(name) + len(gap) + len(text) - len(text.lstrip()) if gap and text.strip() else None


@pytest.mark.parametrize(
    ("typed", "offered"),
    [*OTHER_WORDS.items(), ("topcis", "topic"), ("porduce", "produce"), ("doctr", "doctor"), ("consme", "tail")],
)
def test_another_tools_word(kafkactl: Run, typed: str, offered: str) -> None:
    refused = kafkactl(typed)
    assert refused.code == 2
    assert f"Did you mean: kafkactl {offered}" in refused.err


@pytest.mark.parametrize(
    ("group", "typed", "offered"),
    [
        (group, word, meant)
        for group, entry in COMMANDS.items()
        if isinstance(entry, Branch)
        for meant in entry.commands
        for word in OTHER_SUBWORDS.get(meant, ())
        if word not in entry.commands
        and next(name for name in entry.commands if word in OTHER_SUBWORDS.get(name, ())) == meant
    ],
)
def test_another_tools_subcommand(kafkactl: Run, group: str, typed: str, offered: str) -> None:
    refused = kafkactl(group, typed)
    assert refused.code == 2
    assert f"There is no command {group} {typed}." in refused.err
    assert f"Did you mean: kafkactl {group} {offered}" in refused.err


def test_what_nobody_means(kafkactl: Run) -> None:
    assert "List them: kafkactl --help" in kafkactl("xyzzy").err
    assert "List them: kafkactl groups --help" in kafkactl("groups", "xyzzy").err


def test_what_would_change_something_is_not_offered_bare(kafkactl: Run) -> None:
    for word in ("stop", "apply", "reset", "redrive"):
        assert kafkactl(word).err.rstrip().endswith("--help")


def test_the_old_names_of_options_stay(kafkactl: Run) -> None:
    from pathlib import Path

    Path("mine.yaml").write_text("topics: {a: {partitions: 3}}\n", encoding="utf-8")
    assert kafkactl("lint", "--file", "mine.yaml").code == kafkactl("lint", "mine.yaml").code == 0
    for options in (["--tail", "1"], ["-n", "1"], ["--lines", "1"]):
        for command in (["logs"], ["sandbox", "logs", "--port", "1"]):
            assert "No such option" not in kafkactl(*command, *options).err
    for option in ("--nodes", "--brokers"):
        assert "1 or 3 brokers" in kafkactl("sandbox", "up", option, "2").text
