"""How the health of a topic is judged, on made-up partitions."""

import pytest

from kafkactl.topics import ConfigValue, LivePartition, LiveTopic, health, is_internal


def topic(*partitions: LivePartition, min_isr: int = 1) -> LiveTopic:
    return LiveTopic("t", partitions, {"min.insync.replicas": ConfigValue(str(min_isr), "1", min_isr != 1)})


FINE = LivePartition(0, 1, (1, 2, 3), (1, 2, 3))
BEHIND = LivePartition(1, 1, (1, 2, 3), (1, 2))
ALONE = LivePartition(2, 1, (1, 2, 3), (1,))
LEADERLESS = LivePartition(3, None, (1, 2, 3), ())


@pytest.mark.parametrize(
    ("live", "state", "words"),
    [
        (topic(FINE), "ok", "ok"),
        (topic(FINE, BEHIND), "warning", "1 of 2 under-replicated"),
        (topic(FINE, ALONE, min_isr=2), "error", "1 of 2 under min ISR"),
        (topic(FINE, BEHIND, min_isr=2), "warning", "1 of 2 under-replicated"),
        (topic(LEADERLESS, ALONE, BEHIND, min_isr=2), "error",
         "1 of 3 without a leader, 1 of 3 under min ISR, 1 of 3 under-replicated"),
        # Since Kafka 3.7 a broker asks for no more replicas in sync than there are.
        (topic(LivePartition(0, 1, (1,), (1,)), min_isr=2), "ok", "ok"),
        (LiveTopic("t", (BEHIND,), None), "warning", "1 of 1 under-replicated"),
    ],
)  # fmt: skip
def test_the_worst_is_told(live: LiveTopic, state: str, words: str) -> None:
    assert health(live) == (state, words)


def test_moving_replicas_are_told() -> None:
    assert health(topic(FINE), frozenset({0})) == ("warning", "1 of 1 reassigning")


def test_internal_topics_are_kafkas() -> None:
    assert is_internal("__consumer_offsets")
    assert not is_internal("_schemas")
