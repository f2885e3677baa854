"""tail where timestamps do not rise: replays with kept timestamps, late records, clocks that differ."""

import itertools
import re
from collections.abc import Callable, Sequence

from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Outcome, create

Kafkactl = Callable[..., Outcome]
_NUMBERS = itertools.count()
PLACE = "%p@%o\n"


def log(brokers: str, *partitions: Sequence[int], topic: str = "", **config: str) -> str:
    """A new topic with these timestamps (ms) in each partition."""
    topic = topic or f"t{next(_NUMBERS)}"
    create(brokers, NewTopic(topic, len(partitions), 1, config={k.replace("__", "."): v for k, v in config.items()}))
    producer = Producer({"bootstrap.servers": brokers, "linger.ms": 0})
    for partition, timestamps in enumerate(partitions):
        for number, timestamp in enumerate(timestamps):
            producer.produce(topic, value=str(number), partition=partition, timestamp=timestamp)
    assert producer.flush(20) == 0
    return topic


def shown(run: Outcome) -> list[tuple[int, int]]:
    assert run.code == 0, run.text
    return [(int(p), int(o)) for p, o in re.findall(r"(\d+)@(\d+)", run.out)]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.integers(1, 50), max_size=12), min_size=1, max_size=3),
    st.integers(0, 15),
)
def test_the_last_records_leave_no_hole_and_keep_the_order_of_each_partition(
    one_broker: str, kafkactl: Kafkactl, partitions: list[list[int]], number: int
) -> None:
    topic = log(one_broker, *partitions)
    found = shown(kafkactl("tail", topic, "-n", str(number), "--no-follow", "--format", PLACE))
    assert len(found) == min(number, sum(map(len, partitions)))
    for partition, timestamps in enumerate(partitions):
        mine = [offset for place, offset in found if place == partition]
        assert mine == list(range(len(timestamps) - len(mine), len(timestamps)))


def test_the_newest_record_is_shown_though_its_timestamp_is_old(one_broker: str, kafkactl: Kafkactl) -> None:
    topic = log(one_broker, [9], [5, 4, 3, 2, 1])
    run = kafkactl("tail", topic, "-n", "3", "--no-follow", "--format", PLACE)
    assert shown(run) == [(1, 3), (1, 4), (0, 0)]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.integers(1, 40), max_size=12), min_size=1, max_size=3),
    st.integers(1, 40),
    st.integers(1, 40),
)
def test_a_window_shows_what_is_inside_and_nothing_else(
    one_broker: str, kafkactl: Kafkactl, partitions: list[list[int]], since: int, length: int
) -> None:
    topic = log(one_broker, *([10**12 + t for t in timestamps] for timestamps in partitions))
    window = range(since, since + length)
    run = kafkactl(
        *("tail", topic, "--since", str(10**12 + since), "--until", str(10**12 + since + length)),
        *("--late", "inf", "--no-follow", "--format", PLACE),
    )
    wanted = {(p, o) for p, timestamps in enumerate(partitions) for o, t in enumerate(timestamps) if t in window}
    assert set(shown(run)) == wanted
    assert len(shown(run)) == len(wanted)


def test_late_records_of_a_window(one_broker: str, kafkactl: Kafkactl) -> None:
    """10:00, 10:10, 10:05, then one that is half an hour later, and behind it a straggler."""
    minute, start = 60_000, 1_764_064_800_000
    topic = log(one_broker, [start + m * minute for m in (0, 10, 5, 40, 6)])

    def window(since: int, until: int, *more: str) -> Outcome:
        times = ("--since", str(start + since * minute), "--until", str(start + until * minute))
        return kafkactl("tail", topic, *times, "--no-follow", "--format", PLACE, *more)

    assert shown(window(-1, 7)) == [(0, 0), (0, 2)]
    assert shown(window(8, 20)) == [(0, 1)]
    cut = window(-1, 7)
    assert "more than 10m after --until were not looked at" in cut.err
    everything = window(-1, 7, "--late", "inf")
    assert shown(everything) == [(0, 0), (0, 2), (0, 4)]
    assert "not looked at" not in everything.err
    assert "records before --since were filtered out" in window(8, 20, "--late", "inf").err


def test_a_broker_that_stamps_needs_no_patience(one_broker: str, kafkactl: Kafkactl) -> None:
    topic = log(one_broker, [1, 2, 3], message__timestamp__type="LogAppendTime")
    run = kafkactl("tail", topic, "--since", "1h", "--until", "now", "--no-follow", "--format", PLACE)
    assert shown(run) == [(0, 0), (0, 1), (0, 2)]
    assert "not looked at" not in run.err


def test_an_inverted_window_is_refused(kafkactl: Kafkactl) -> None:
    run = kafkactl("tail", "t", "--since", "1m", "--until", "5m", "-b", "127.0.0.1:1")
    assert (run.code, run.err) == (2, "--until is not after --since: no record can be between them.\n")


def test_no_record_is_shown_twice_where_a_partition_ends_at_a_batch(one_broker: str, kafkactl: Kafkactl) -> None:
    """Key search over a short and a long partition: the short one ends first, and must not be read beyond its end."""
    topic = f"t{next(_NUMBERS)}"
    create(one_broker, NewTopic(topic, 2, 1))
    producer = Producer({"bootstrap.servers": one_broker, "linger.ms": 20, "queue.buffering.max.messages": 200_000})
    for number in range(3001):
        key = "hit" if number in (10, 2500, 2600) else "k"
        producer.produce(topic, value="v", key=key, partition=0)
    for _ in range(60_000):
        producer.produce(topic, value="v", key="k", partition=1)
    assert producer.flush(30) == 0
    for _ in range(3):
        run = kafkactl("tail", topic, "-n", "1000", "--key", "hit", "--no-follow", "--format", PLACE)
        assert shown(run) == [(0, 10), (0, 2500), (0, 2600)]


def test_nothing_is_left_out_in_silence(one_broker: str, kafkactl: Kafkactl) -> None:
    topic = log(one_broker, [1, 2, 3])
    none = kafkactl("tail", topic, "--grep", "nothing", "--no-follow")
    assert (none.code, none.out, none.err) == (0, "", "0 of 3 records matched.\n")
    failing = kafkactl("tail", topic, "--jq", 'error("boom")', "--no-follow")
    assert failing.code == 1
    assert "--jq failed on 3 records; on the first with: " in failing.err
    assert "boom" in failing.err
    beyond = kafkactl("tail", topic, "--offset", "99", "--no-follow")
    assert beyond.err == f"{topic}[0]: offset 99 is beyond the end, 3; starting there.\n"
    assert kafkactl("tail", topic, "--late", "5m").code == 2
    both = kafkactl("tail", topic, "-n", "1", "--from-beginning")
    assert both.code == 2
    assert "-n and --from-beginning cannot be combined" in both.err


def test_a_binary_key_can_be_searched(one_broker: str, kafkactl: Kafkactl) -> None:
    topic = f"t{next(_NUMBERS)}"
    create(one_broker, NewTopic(topic, 1, 1))
    producer = Producer({"bootstrap.servers": one_broker})
    producer.produce(topic, value="v", key=b"\x00\xff\tk", headers=[("h", b"\xfe")])
    assert producer.flush(10) == 0
    for words in (("--key", r"\x00\xff\tk"), ("--grep", r"\x00\xff\t"), ("--header", r"h=\xfe"), ("--grep", "\udcff")):
        assert shown(kafkactl("tail", topic, *words, "--no-follow", "--format", PLACE)) == [(0, 0)], words
