"""The writers: one for each format."""

import json
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.text import words
from kafkactl.text.words import many, took
from kafkactl.view import output
from kafkactl.view.cases import Case, github, junit
from kafkactl.view.output import Column


def test_a_table_in_a_pipe_is_aligned_and_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    output.table([Column("A"), Column("N", right=True)], [["支付", 1204], ["x" * 60, None], ["[bold]", 3]])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("    N")
    assert output.cell_width(lines[1]) == output.cell_width(lines[2]) == 67
    assert lines[3].startswith("[bold] ")


def test_a_very_long_cell_widens_its_own_row_only(capsys: pytest.CaptureFixture[str]) -> None:
    output.table([Column("A"), Column("N", right=True)], [["支付", 1204], ["x" * 300, None]])
    assert capsys.readouterr().out.splitlines() == ["A         N", "支付  1,204", f"{'x' * 300}      –"]
    output.table([Column("A"), Column("B")], [["x" * 300, "b"]])
    assert "x" * 300 + "  b" in capsys.readouterr().out


@given(st.text(), st.integers(2, 30))
def test_a_line_that_does_not_fit_says_so(text: str, room: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(output, "width", lambda: room)
        fitted = output.fitted(text)
    assert output.cell_width(fitted) <= room
    assert fitted == text or (fitted[-1] == "…" and text.startswith(fitted[:-1]) and output.cell_width(text) > room)


def test_figures_of_people() -> None:
    assert [words.size(n) for n in (None, 0, 1023, 1024, 1536, 640_000, 2**40 * 3)] == [
        "–",
        "0 B",
        "1023 B",
        "1 KiB",
        "1.5 KiB",
        "625 KiB",
        "3.0 TiB",
    ]
    assert [took(s) for s in (0.003, 0.42, 61.0, 125.0)] == ["3 ms", "0.4 s", "61.0 s", "2 min 5 s"]
    assert [many(n, "topic") for n in (0, 1, 1204)] == ["0 topics", "1 topic", "1,204 topics"]


@given(st.text().filter(lambda name: name not in ("fine", "w", "later")), st.text())
def test_junit_is_xml_whatever_it_holds(name: str, message: str) -> None:
    import contextlib
    import io

    cases = [Case(name, "error", message, 0.5, "f.yaml", 3, 1), Case("fine"), Case("w", "warning", message)]
    with contextlib.redirect_stdout(io.StringIO()) as written:
        junit("s", [*cases, Case("later", "skipped", message)])
    suite = ET.fromstring(written.getvalue().encode("utf-8", "surrogatepass"))
    assert (suite.attrib["tests"], suite.attrib["failures"], suite.attrib["skipped"]) == ("4", "1", "1")


def test_github_annotations_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    github("lint", [Case("a,b: c", "error", "50%\nof it", file="dir,x/f.yaml", line=3, column=7), Case("fine")])
    assert capsys.readouterr().out == "::error file=dir%2Cx/f.yaml,line=3,col=7,title=a%2Cb%3A c::50%25%0Aof it\n"


def test_documents_carry_their_version(capsys: pytest.CaptureFixture[str]) -> None:
    output.document("topics", {"topics": ["支付"]})
    text = capsys.readouterr().out
    assert json.loads(text) == {"schema_version": 1, "kind": "topics", "topics": ["支付"]}
    assert "支付" in text


def test_no_color_takes_colour_and_symbols_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert output.style().mark("ok") == "ok"
    assert output.style().mark("error") == "!!"
