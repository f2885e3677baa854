"""A topics.yaml that is being edited stops no first aid; what must have all of it stops."""

from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic

from tests.conftest import Outcome, create

INVALID = "topics:\n  a: {mask: [cvv], partitons: 1}\n"
UNPARSABLE = "topics:\n  a: {mask: [cvv]\n  b: {}\n"


@pytest.fixture
def brokers(one_broker: str) -> str:
    create(one_broker, NewTopic("a", 1, 1))
    producer = Producer({"bootstrap.servers": one_broker})
    producer.produce("a", value='{"cvv":"c-v-v","n":1}')
    assert producer.flush(10) == 0
    return one_broker


@pytest.mark.parametrize("text", [INVALID, UNPARSABLE])
@pytest.mark.parametrize(
    "words",
    ["doctor", "describe", "describe a", "tail a --no-follow", "lag", "test", "groups list"],
)
def test_first_aid_warns_and_goes_on(words: str, text: str, brokers: str, kafkactl: Callable[..., Outcome]) -> None:
    Path("topics.yaml").write_text(text)
    run = kafkactl(*words.split(), "-b", brokers)
    assert run.code in (0, 1), run.text
    assert run.err.count("warning: topics.yaml:") <= 1
    if words != "groups list":  # it needs nothing of the file
        assert "Going on with" in run.err
    if words.startswith("tail"):
        assert '"cvv":"***"' in run.out
        assert "c-v-v" not in run.out


@pytest.mark.parametrize("text", [INVALID, UNPARSABLE])
@pytest.mark.parametrize("words", ["init-topics", "diff", "produce a v", "groups delete g --yes"])
def test_what_changes_something_needs_all_of_it(
    words: str, text: str, brokers: str, kafkactl: Callable[..., Outcome]
) -> None:
    Path("topics.yaml").write_text(text)
    run = kafkactl(*words.split(), "-b", brokers)
    assert run.code == 2 or "There is no group g" in run.err
    assert "Going on" not in run.err


@pytest.mark.parametrize(
    "text",
    [
        "topics:\n  a: {partitions: 1, masks: [cvv]}\n",
        "topics:\n  a: {partitions: 1, mask: cvv}\n",
        "topics:\n  a:\n  mask: [cvv]\n",
        "topic:\n  a: {mask: [cvv]}\n",
        "defaults: {mask: [cvv]}\ntopics:\n  a: {}\n",
        "topics:\n  a: {mask: [cvv}\n",
        "topics:\n  a:\n    mask:\n      - cvv\n    partitons: 1\n",
    ],
)
def test_a_file_with_a_mistake_hides_what_it_seems_to_hide(
    text: str, brokers: str, kafkactl: Callable[..., Outcome]
) -> None:
    Path("topics.yaml").write_text(text)
    producer = Producer({"bootstrap.servers": brokers})
    producer.produce("a", value='{"cvv":"c-v-v","pan":"4111111111111111"}')
    assert producer.flush(10) == 0
    run = kafkactl("tail", "a", "--no-follow", "-b", brokers)
    assert "what it masks is not certain" in run.err
    assert "4111111111111111" not in run.out
    assert "c-v-v" not in run.out
