"""describe says which records it does not know of, and why: no dash without a reason."""

import dataclasses

import pytest

from kafkactl.cluster.client import connect
from kafkactl.cluster.offsets import Range
from kafkactl.cluster.overview import read_overview
from kafkactl.connection import Connection
from kafkactl.topics import Place
from kafkactl.view.cluster_page import admit_gaps


@pytest.mark.parametrize(
    ("count", "words"), [(0, ""), (1, "orders[0] are unknown: its leader does not answer"), (3, "")]
)
def test_a_leader_that_does_not_answer_is_told(
    orders: str, capsys: pytest.CaptureFixture[str], count: int, words: str
) -> None:
    view = read_overview(connect(Connection((orders,), "")), [], only=["orders"])
    silent = {Place("orders", id): Range(None, None) for id in range(count)}
    admit_gaps(dataclasses.replace(view, ranges={**view.ranges, **silent}))
    told = capsys.readouterr().err
    assert words in told
    assert ("warning: the records of " in told) == bool(count)
    assert ("orders[0], orders[1] and orders[2]" in told or "orders[2]" in told) == (count == 3)
