"""describe: the order of its list, what topics.yaml says without a cluster, and a page that fits its window."""

import contextlib
import io
import json
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.cluster.overview import TopicRow
from kafkactl.commands.describe.pages import sort_rows
from kafkactl.sandbox.foreground import throwaway
from kafkactl.view import output
from kafkactl.view.formats import SortBy
from kafkactl.view.output import Column, cell_width
from kafkactl.view.screen import captured
from tests.conftest import Outcome, admin_client, commit, create
from tests.sandboxes import free_port
from tests.test_terminal import ESCAPE, Terminal

Run = Callable[..., Outcome]


@given(
    st.dictionaries(st.text(min_size=1, max_size=3), st.tuples(*[st.none() | st.integers(0, 3)] * 3), max_size=8),
    st.sampled_from(list(SortBy)),
)
def test_the_largest_first_and_last_what_is_not_known(
    figures: Mapping[str, tuple[int | None, int | None, int | None]], order: SortBy
) -> None:
    rows = [TopicRow(name, None, span, size, False, "ok", "ok") for name, (span, size, _) in figures.items()]
    lags = {name: lag for name, (_, _, lag) in figures.items()}
    found = sort_rows(rows, order, lags)
    assert sorted(found, key=id) == sorted(rows, key=id)
    place = {SortBy.RECORDS: 0, SortBy.SIZE: 1, SortBy.LAG: 2}.get(order)
    values = [None if place is None else figures[row.name][place] for row in found]
    if place is None:
        assert [row.name for row in found] == sorted(figures)
        return
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=True)
    assert values[len(known) :] == [None] * (len(values) - len(known))
    names = [(value, row.name) for value, row in zip(values, found, strict=True)]
    assert all(a[1] < b[1] for a, b in pairwise(names) if a[0] == b[0])


@pytest.fixture
def filled(orders: str) -> str:
    """Of two topics, one has more records, and another more bytes and more lag."""
    create(orders, NewTopic("many", 1, 1), NewTopic("large", 1, 1))
    producer = Producer({"bootstrap.servers": orders, "compression.type": "none"})
    for _ in range(50):
        producer.produce("many", b"x")
    for _ in range(20):
        producer.produce("large", b"x" * 10_000)
    producer.flush(10)
    commit(admin_client(orders), "reads-many", "many", 45)
    commit(admin_client(orders), "reads-large", "large", 8)
    return orders


@pytest.mark.parametrize(
    ("order", "first"), [("records", "many"), ("size", "large"), ("lag", "large"), ("name", "large")]
)
def test_an_order(kafkactl: Run, filled: str, order: str, first: str) -> None:
    found = json.loads(kafkactl("describe", "--sort-by", order, "-o", "json").out)["topics"]
    assert found[0]["name"] == first
    assert kafkactl("describe", "--sort-by", order, "-o", "name").out.split() == [topic["name"] for topic in found]
    by_name = {topic["name"]: topic.get("lag", "-") for topic in found}
    assert (by_name["large"], by_name["orders"]) == ((12, None) if order == "lag" else ("-", "-"))
    if order == "lag":
        assert " LAG " in kafkactl("describe", "--sort-by", "lag").out


CATALOGUE = """
services: {payment-gateway: {group: pg}}
topics:
  payment.created: {description: 支付创建事件, producers: [payment-gateway], consumers: [accounting], dlq: dlq.payment}
  audit.logs: {producers: ['*'], event: base}
  dlq.payment: {}
"""


def test_what_topics_yaml_says_without_a_cluster(kafkactl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BROKERS", f"127.0.0.1:{free_port()}")
    Path("topics.yaml").write_text(CATALOGUE, encoding="utf-8")
    page = kafkactl("describe", "--catalog")
    assert (page.code, page.err, page.cluster) == (0, "", "")
    assert [line.split() for line in page.out.splitlines()] == [
        ["TOPIC", "DESCRIPTION", "PRODUCERS", "CONSUMERS", "EVENT", "DLQ"],
        ["payment.created", "支付创建事件", "payment-gateway", "accounting", "–", "dlq.payment"],
        ["audit.logs", "–", "every", "service", "–", "base", "–"],
        ["dlq.payment", "–", "–", "–", "–", "–"],
    ]
    document = json.loads(kafkactl("describe", "--catalog", "payment.*", "-o", "json").out)
    assert [topic["name"] for topic in document["topics"]] == ["payment.created"]
    assert document["topics"][0]["consumers"] == [{"service": "accounting", "group": "accounting-group"}]
    assert kafkactl("describe", "--catalog", "-o", "name").out.split() == [
        "payment.created",
        "audit.logs",
        "dlq.payment",
    ]
    slip = kafkactl("describe", "--catalog", "payment.craeted")
    assert (slip.code, "Did you mean payment.created?" in slip.err) == (1, True)


@pytest.mark.parametrize("other", [["--watch"], ["--broker"], ["--sort-by", "lag"], ["a", "--groups"]])
def test_what_cannot_be_combined_with_it(kafkactl: Run, other: list[str]) -> None:
    Path("topics.yaml").write_text(CATALOGUE, encoding="utf-8")
    assert "cannot be combined" in kafkactl("describe", "--catalog", *other).err


def test_a_page_fits_its_window_and_stays_while_kafka_is_away() -> None:
    with throwaway() as sandbox:
        create(sandbox.bootstrap, *[NewTopic(f"topic-{number:02}", 1, 1) for number in range(40)])
        Path("topics.yaml").write_text("topics: {zz.missing: {partitions: 1}}\n", encoding="utf-8")
        run = Terminal("describe", "--watch", "-b", sandbox.bootstrap, columns=80, rows=24)
        run.expect("Ctrl-C to stop")
        shown = screen(run.raw)
        assert len(shown) <= 24
        assert "zz.missing" in next(line for line in shown if line.startswith(("zz", "topic")))
        assert any("more lines than this window has" in line for line in shown)
        sandbox.kill(1)
        run.expect("Above is the answer of ")
        time.sleep(0.2)
        away = screen(run.raw)
        assert len(away) <= 24
        assert any(line.startswith("topic-00") for line in away)
        run.type("\x03")
        assert run.end() == 130
        assert run.raw.rstrip().endswith("\x1b[?1049l")


def screen(raw: str) -> list[str]:
    """The lines of the last page that was drawn."""
    return ESCAPE.sub("", raw.rpartition("\x1b[H")[2]).replace("\r\n", "\n").split("\n")


@pytest.mark.parametrize("columns", [60, 80, 100, 200])
def test_no_name_of_the_catalogue_is_broken(columns: int) -> None:
    Path("topics.yaml").write_text(CATALOGUE + "  payment.refund.created: {consumers: [a-service-of-many-words]}\n")
    run = Terminal("describe", "--catalog", columns=columns)
    assert run.end() == 0
    shown = "\n".join(run.lines)
    for name in ("payment.created", "payment.refund.created", "dlq.payment", "a-service-of-many-words", "支付创建事件"):
        assert name in shown
    assert all(cell_width(line) <= columns for line in run.lines)


SENTENCES = st.lists(st.text("ab中-", min_size=1, max_size=9), max_size=3).map(" ".join)


@given(
    st.lists(st.lists(SENTENCES, min_size=3, max_size=3), min_size=1, max_size=4),
    st.integers(30, 90),
)
def test_no_word_of_a_table_is_broken_where_all_fit(rows: list[list[str]], columns: int) -> None:
    """As on a terminal: each word stands whole in a line, if there is room for the longest of each column."""
    longest = [max(cell_width(word) for row in rows for word in (row[at].split() or [""])) for at in range(3)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(columns))
        drawn = captured(lambda: output.table([Column(title) for title in "XYZ"], rows))
    lines = [ESCAPE.sub("", line) for line in drawn]
    assert all(cell_width(line) <= columns for line in lines)
    if sum(max(1, width) for width in longest) + 3 <= columns:
        for word in {word for row in rows for cell in row for word in cell.split()}:
            assert any(word in line for line in lines), (word, lines)


@given(
    st.lists(st.lists(st.text("ab中é-", min_size=1, max_size=9), min_size=3, max_size=3), min_size=1, max_size=4),
    st.sampled_from(["utf-8", "ascii"]),
)
def test_columns_stand_below_each_other_whatever_signs_they_hold(rows: list[list[str]], encoding: str) -> None:
    """In a pipe: each cell begins where its title does, counted in cells of a terminal."""
    written = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace", newline="")
    with contextlib.redirect_stdout(written):
        output.table([Column(title) for title in "XYZ"], rows)
    written.flush()
    head, *lines = written.buffer.getvalue().decode(encoding).splitlines()  # type: ignore[attr-defined]
    starts = [head.index(title) for title in "XYZ"]
    for row, line in zip(rows, lines, strict=True):
        cells = "".join(sign + "\0" * (cell_width(sign) - 1) for sign in line)
        for start, text in zip(starts, row, strict=True):
            shown = text.encode(encoding, "backslashreplace").decode(encoding)
            assert cells[start:].replace("\0", "").startswith(shown)
