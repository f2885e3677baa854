"""What a command loads: nothing that its run does not use. Counted, not timed."""


import pytest

from kafkactl.catalog.file import parse_catalog
from kafkactl.catalog.find import names_at_a_glance
from tests.conftest import REPOSITORY


def test_the_names_at_a_glance_are_those_of_the_catalogue() -> None:
    text = (REPOSITORY / "topics.yaml").read_text(encoding="utf-8")
    assert sorted(names_at_a_glance(text)) == sorted(parse_catalog(text).topics)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("topics:\n  a: {}\n  b.c:\n    partitions: 3\n", ["a", "b.c"]),
        ("topics: # ours\n\n  # one\n    'a': {}\n\n    \"b\": {}\nservices:\n    x: {}\n", ["a", "b"]),
        ("environments:\n  e:\n    topics:\n      no: {}\ntopics:\r\n  a:\r\n    dlq: b\r\n", ["a"]),
        ("topics:\n  a:", ["a"]),
        ("topics: {a: {}}\n", []),
        ("topics:\n- a\n", []),
        ("services: {}\n", []),
        ("", []),
    ],
)
def test_names_at_a_glance(text: str, names: list[str]) -> None:
    assert names_at_a_glance(text) == names
