"""Results for CI on stdout: JUnit XML and GitHub workflow commands."""

import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Literal, NamedTuple

from kafkactl import process
from kafkactl.view.output import say, told


class Case(NamedTuple):
    """One result, as JUnit and GitHub show it: a topic, a step, a check.

    `level` is how bad a failure is ("ok" is a pass); `file`, `line` and `column` place it in a file. `subject` is what
    JUnit calls it, where its name says more than stays the same from run to run (counts, addresses).
    """

    name: str
    level: Literal["ok", "warning", "error", "skipped"] = "ok"
    message: str = ""
    seconds: float = 0.0
    file: str = ""
    line: int = 0
    column: int = 0
    subject: str = ""


def junit(suite: str, cases: Sequence[Case]) -> None:
    """Cases as one Maven Surefire test suite, whose time is the command's until now.

    A warning passes, as it does in the exit code, with a message. Several cases of one subject are one: a dashboard
    follows a test case by its name.
    """
    from xml.etree import ElementTree as ET

    told(suite)
    cases = list(_by_subject(cases))
    failed = [case for case in cases if case.level == "error"]
    root = ET.Element(
        "testsuite",
        name=f"kafkactl {suite}",
        tests=str(len(cases)),
        failures=str(len(failed)),
        errors="0",
        skipped=str(sum(case.level == "skipped" for case in cases)),
        time=f"{process.seconds():.3f}",
    )
    for case in cases:
        element = ET.SubElement(
            root, "testcase", name=_xml(case.name), classname=f"kafkactl.{suite}", time=f"{case.seconds:.3f}"
        )
        if case.level == "skipped":
            ET.SubElement(element, "skipped", message=_xml(case.message))
        elif case.level == "warning":
            ET.SubElement(element, "system-out").text = _xml(f"warning: {_place(case)}{case.message}")
        elif case.level == "error":
            failure = ET.SubElement(element, "failure", message=_xml(case.message), type=case.level)
            failure.text = _xml(f"{_place(case)}{case.message}")
    ET.indent(root)
    sys.stdout.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    sys.stdout.write(ET.tostring(root, encoding="unicode") + "\n")


_WORST_FIRST = ("error", "warning", "skipped", "ok")


def _by_subject(cases: Iterable[Case]) -> Iterable[Case]:
    """One case for each subject, named by it: as bad as the worst of its cases, with all that these say."""
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.subject or case.name, []).append(case)
    for subject, group in groups.items():
        if len(group) == 1:
            yield group[0]._replace(name=subject)
            continue
        group.sort(key=lambda case: _WORST_FIRST.index(case.level))
        messages = [case.message for case in group if case.message]
        taken = sum(case.seconds for case in group)
        yield group[0]._replace(name=subject, message="; ".join(messages), seconds=taken)


def _xml(text: str) -> str:
    """`text` without the characters XML 1.0 cannot hold."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


def _place(case: Case) -> str:
    return f"{case.file}:{case.line}:{case.column}: " if case.file else ""


def github(suite: str, cases: Sequence[Case]) -> None:
    """Cases that are not fine as GitHub workflow commands, which annotate the file they name.

    Where a job runs, its page gets a table of them, too (GITHUB_STEP_SUMMARY).
    """
    told("github")
    _summarise(suite, cases)
    for case in cases:
        if case.level not in ("error", "warning"):
            continue
        where = [f"file={_property(case.file)}", f"line={case.line}", f"col={case.column}"] if case.file else []
        say(f"::{case.level} {','.join([*where, f'title={_property(case.name)}'])}::{_command(case.message)}")


_ROWS = 200  # of a summary: GitHub takes no more than 1 MiB for a step


def _summarise(suite: str, cases: Sequence[Case]) -> None:
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    bad = [case for case in cases if case.level in ("error", "warning")]
    counts = Counter(str(case.level) for case in cases)
    words = {"ok": "fine", "warning": "warnings", "error": "errors", "skipped": "skipped"}
    summary = " · ".join(f"{counts[level]:,} {word}" for level, word in words.items() if counts[level])
    lines = [f"### kafkactl {suite}", "", summary or "Nothing to report.", ""]
    if bad:
        lines += ["| | What | Where |", "|---|---|---|"]
        lines += [f"| {case.level} | {_cell(case)} | {_markdown(_place(case).rstrip(': '))} |" for case in bad[:_ROWS]]
        lines += [f"| | {len(bad) - _ROWS:,} more | |"] if len(bad) > _ROWS else []
    with suppress(OSError), open(path, "a", encoding="utf-8", errors="replace") as page:
        page.write("\n".join(lines) + "\n\n")


def _cell(case: Case) -> str:
    name, message = _markdown(case.name), _markdown(case.message)
    return message if name in ("", message, _markdown(_place(case).rstrip(": "))) else f"**{name}** {message}".rstrip()


def _markdown(text: str) -> str:
    """A text that means nothing but itself in a table of GitHub's."""
    folded = " ".join(text.split())
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", folded)


def _command(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _command(text).replace(":", "%3A").replace(",", "%2C")
