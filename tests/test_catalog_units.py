"""Times, sizes, configs and suggestions."""

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kafkactl.catalog.configs import CONFIGS, normalise, wrong_name
from kafkactl.text.suggest import closest, suggest
from kafkactl.text.units import parse_duration, parse_retention, parse_size, retention_text, size_text

DAY = 86_400_000


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("7d", 7 * DAY),
        ("168h", 7 * DAY),
        ("1w", 7 * DAY),
        ("604800000", 7 * DAY),
        (604_800_000, 7 * DAY),
        ("30m", 1_800_000),
        ("45s", 45_000),
        ("500ms", 500),
        ("500 ms", 500),
        (" 7d ", 7 * DAY),
        ("0", 0),
        ("infinite", -1),
        ("-1", -1),
        (-1, -1),
    ],
)
def test_retention_is_read(text: str | int, milliseconds: int) -> None:
    assert parse_retention(text) == milliseconds


@pytest.mark.parametrize("text", ["7x", "", "d", "7 days", "-2", "-7d", "1.5h", "7dd", "07d", "1_000", "0x10", "٣d"])
def test_what_is_no_retention_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a valid duration\. Write 7d, 168h or a number of milliseconds\."):
        parse_retention(text)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (7 * DAY, "7d"),
        (36 * 3_600_000, "36h"),
        (1_800_000, "30m"),
        (1000, "1s"),
        (1500, "1500 ms"),
        (0, "0 ms"),
        (-1, "infinite"),
        (-2, "-2 ms"),
    ],
)
def test_retention_is_written_in_the_largest_exact_unit(milliseconds: int, text: str) -> None:
    assert retention_text(milliseconds) == text


@pytest.mark.parametrize(
    ("text", "number"),
    [("1GiB", 2**30), ("512MiB", 2**29), ("512 mib", 2**29), ("1048576", 2**20), (1048576, 2**20), ("12 bytes", 12)],
)
def test_size_is_read(text: str | int, number: int) -> None:
    assert parse_size(text) == number


@pytest.mark.parametrize("text", ["1GB", "1G", "1.5GiB", "-5", "", "many"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a valid size\. Write 1GiB, 512MiB or a number of bytes\."):
        parse_size(text)


@pytest.mark.parametrize(
    ("number", "text"),
    [(5 * 2**20, "5 MiB"), (1048588, "1048588 bytes"), (2**41, "2 TiB"), (0, "0 bytes"), (-1, "infinite")],
)
def test_size_is_written_in_the_largest_exact_unit(number: int, text: str) -> None:
    assert size_text(number) == text


LONG = st.integers(min_value=-1, max_value=2**63 - 1)


@given(LONG)
@example(7 * DAY)
def test_retention_survives_the_round_trip(milliseconds: int) -> None:
    assert parse_retention(retention_text(milliseconds)) == milliseconds


@given(LONG)
@example(2**63 - 1)
def test_size_survives_the_round_trip(number: int) -> None:
    assert parse_size(size_text(number)) == number


@given(st.text(max_size=50))
def test_units_raise_nothing_but_value_error(text: str) -> None:
    for parse in (parse_retention, parse_size):
        with suppress(ValueError):
            assert parse(text) >= -1


@pytest.mark.parametrize(
    ("name", "value", "kafka"),
    [
        ("max.message.bytes", "1MiB", "1048576"),
        ("segment.ms", "1h", "3600000"),
        ("retention.ms", "infinite", "-1"),
        ("retention.bytes", "infinite", "-1"),
        ("retention.bytes", "-5", "-5"),
        ("cleanup.policy", "", ""),
        ("retention.bytes", "10GiB", "10737418240"),
        ("local.retention.ms", "-2", "-2"),
        ("compression.gzip.level", "-1", "-1"),
        ("flush.messages", "9223372036854775807", "9223372036854775807"),
        ("preallocate", "True", "true"),
        ("cleanup.policy", ["delete", "compact"], "compact,delete"),
        ("cleanup.policy", "delete, compact", "compact,delete"),
        ("cleanup.policy", ["compact"], "compact"),
        ("min.cleanable.dirty.ratio", "0.50", "0.5"),
        ("min.cleanable.dirty.ratio", "1", "1.0"),
        ("leader.replication.throttled.replicas", ["0:1", "1:2"], "0:1,1:2"),
        ("follower.replication.throttled.replicas", "*", "*"),
        ("message.timestamp.type", "LogAppendTime", "LogAppendTime"),
        ("message.format.version", "3.0-IV1", "3.0-IV1"),
        ("confluent.value.schema.validation", "Yes", "Yes"),
    ],
)
def test_configs_are_written_as_kafka_writes_them(name: str, value: str | list[str], kafka: str) -> None:
    assert normalise(name, value) == kafka
    assert normalise(name, kafka) == kafka


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("cleanup.policy", "compac", 'Did you mean "compact"'),
        ("cleanup.policy", ["compact", "deleted"], 'Did you mean "delete"'),
        ("compression.type", "zstandard", "is not one of"),
        ("max.message.bytes", "-1", "too low; the minimum is 0"),
        ("max.message.bytes", "4GiB", "too high; the maximum is 2,147,483,647"),
        ("max.message.bytes", "1MB", "is not a valid size"),
        ("retention.ms", "-2", "too low; the minimum is -1"),
        ("retention.ms", "7x", "is not a valid duration"),
        ("segment.ms", "0", "too low; the minimum is 1"),
        ("segment.ms", "infinite", "cannot be infinite"),
        ("compression.zstd.level", "23", "too high; the maximum is 22"),
        ("min.insync.replicas", "two", "is not a whole number"),
        ("min.insync.replicas", "0", "too low; the minimum is 1"),
        ("preallocate", "yes", "write true or false"),
        ("min.cleanable.dirty.ratio", "1.5", "not a number from 0 to 1"),
        ("min.cleanable.dirty.ratio", "nan", "not a number from 0 to 1"),
        ("leader.replication.throttled.replicas", "all", "partition:broker"),
        ("segment.bytes", ["1"], "must be one value, not a list"),
    ],
)
def test_bad_config_values_are_refused(name: str, value: str | list[str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        normalise(name, value)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("min.insync.replica", "min.insync.replicas"),
        ("segment.byts", "segment.bytes"),
        ("cleanup.polcy", "cleanup.policy"),
        ("retention_ms", "retention.ms"),
        ("retention-ms", "retention.ms"),
        ("Retention.ms", "retention.ms"),
        ("log.retention.ms", "retention.ms"),
        ("retention", "retention.ms"),
        ("replication.factor", "replication"),
        ("num.partitions", "partitions"),
    ],
)
def test_slips_of_config_names_are_known(name: str, found: str) -> None:
    assert f'"{found}"' in (wrong_name(name) or "")


@pytest.mark.parametrize(
    "name", [*CONFIGS, "confluent.tier.enable", "redpanda.remote.read", "confluent.placement.constraints", "x", ""]
)
def test_known_and_vendors_config_names_pass(name: str) -> None:
    assert wrong_name(name) is None


@given(st.sampled_from(sorted(CONFIGS)), st.text(max_size=30))
def test_normalising_is_stable_and_raises_nothing_but_value_error(name: str, value: str) -> None:
    try:
        kafka = normalise(name, value)
    except ValueError:
        return
    assert normalise(name, kafka) == kafka


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("paymnet.created", "payment.created"),
        ("payment-created", "payment.created"),
        ("PAYMENT.CREATED", "payment.created"),
        ("audit", "audit.logs"),
        ("audit.log", "audit.logs"),
        ("payment", None),  # two begin so
        ("zzz", None),
        ("", None),
        ("x" * 5000, None),
    ],
)
def test_the_closest_name(word: str, found: str | None) -> None:
    assert closest(word, ["payment.created", "payment.failed", "audit.logs"]) == found


def test_suggestions_are_sentences_to_append() -> None:
    assert suggest("partition", ["partitions", "retention"]) == ' Did you mean "partitions"?'
    assert suggest("partition", ["partitions"], quoted=False) == " Did you mean partitions?"
    assert suggest("zzz", ["partitions"]) == ""


def test_the_closest_of_many_names() -> None:
    assert closest("topic.1234x", [f"topic.{number}" for number in range(5000)]) == "topic.1234"


@given(st.integers(0, 10**30), st.sampled_from(["", "ms", "s", "m", "h", "d", "w"]))
@example(10**60, "d")
@example(106_751_991_168, "d")
def test_what_is_too_long_is_told_as_that(number: int, unit: str) -> None:
    factor = {"": 1, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": DAY, "w": 7 * DAY}[unit]
    text = f"{number}{unit}"
    if number * factor < 2**63:
        assert parse_retention(text) == number * factor
        return
    with pytest.raises(ValueError, match="is too long; the longest is 106751991167d"):
        parse_retention(text)
    with pytest.raises(ValueError, match="is too long; the longest is 24d"):
        parse_duration(text)
    with pytest.raises(ValueError, match="is too large; the largest is 9223372036854775807 bytes"):
        parse_size(f"{number * factor}KiB")
