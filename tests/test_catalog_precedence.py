"""Which value a topic has in an environment."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.catalog.declaration import Values, merged_values
from kafkactl.catalog.file import parse_catalog
from kafkactl.errors import ExitCode, UsageError

LEVELS = """
defaults: {partitions: 1, replication: 1, retention: 1d, config: {segment.ms: 1h, preallocate: true}}
environments:
  prod:
    brokers: [kafka:9092]
    client_config: secrets/prod.properties
    cluster_id: 0123
    defaults: {partitions: 2, config: {retention.ms: 2d, max.message.bytes: 2MiB}, lag_threshold: 20}
    topics:
      both: {partitions: 4, retention: 4d, config: {segment.ms: 4h}, lag_threshold: 0}
topics:
  plain:
  own: {partitions: 3, config: {max.message.bytes: 3MiB}}
  both: {partitions: 3, retention: 3d, replication: 3, lag_threshold: 30}
"""
DAY = 86_400_000
HOUR = 3_600_000


@pytest.mark.parametrize(
    ("environment", "topic", "numbers", "config"),
    [
        (None, "plain", (1, 1, None), {"retention.ms": DAY, "segment.ms": HOUR}),
        (None, "own", (3, 1, None), {"retention.ms": DAY, "segment.ms": HOUR, "max.message.bytes": 3 * 2**20}),
        (None, "both", (3, 3, 30), {"retention.ms": 3 * DAY, "segment.ms": HOUR}),
        ("prod", "plain", (2, 1, 20), {"retention.ms": 2 * DAY, "segment.ms": HOUR, "max.message.bytes": 2**21}),
        ("prod", "own", (3, 1, 20), {"retention.ms": 2 * DAY, "segment.ms": HOUR, "max.message.bytes": 3 * 2**20}),
        ("prod", "both", (4, 3, 0), {"retention.ms": 4 * DAY, "segment.ms": 4 * HOUR, "max.message.bytes": 2**21}),
    ],
)
def test_the_strongest_level_that_speaks_wins(
    environment: str | None, topic: str, numbers: tuple[int | None, ...], config: dict[str, int]
) -> None:
    found = parse_catalog(LEVELS, environment=environment).topics[topic]
    assert (found.partitions, found.replication, found.lag_threshold) == numbers
    assert found.config == {"preallocate": "true", **{name: str(value) for name, value in config.items()}}


def test_a_value_nobody_says_is_the_brokers() -> None:
    topic = parse_catalog("topics: {a: {}}").topics["a"]
    assert (topic.partitions, topic.replication, topic.config, topic.lag_threshold) == (None, None, {}, None)


def test_the_environment_and_its_files() -> None:
    catalog = parse_catalog(LEVELS, "deploy/topics.yaml", "prod")
    assert catalog.environment == "prod"
    assert catalog.path == Path("deploy/topics.yaml")
    prod = catalog.environments["prod"]
    assert prod.client_config == Path("deploy/secrets/prod.properties")
    assert prod.cluster_id == "0123"  # the text as it was written
    assert not prod.protected


def test_an_unknown_environment_gets_a_suggestion() -> None:
    with pytest.raises(UsageError) as caught:
        parse_catalog(LEVELS, environment="prdo")
    assert caught.value.exit_code == ExitCode.USAGE
    assert caught.value.lines() == [
        "There is no environment prdo in topics.yaml. Did you mean prod?",
        "  The file has prod.",
    ]
    with pytest.raises(UsageError, match=r"There is no environment prod in topics\.yaml\."):
        parse_catalog("topics: {}", environment="prod")


def test_retention_said_twice_alike_is_no_contradiction() -> None:
    topic = parse_catalog("topics: {a: {retention: 7d, config: {retention.ms: 168h}}}").topics["a"]
    assert topic.config == {"retention.ms": "604800000"}


NUMBER = st.none() | st.integers(1, 9)
CONFIG = st.dictionaries(st.sampled_from(["segment.ms", "retention.ms", "max.message.bytes"]), st.integers(1, 9))
LEVEL = st.builds(
    lambda partitions, replication, lag, config: Values(
        partitions, replication, lag, {name: str(value) for name, value in config.items()}
    ),
    NUMBER,
    NUMBER,
    NUMBER,
    CONFIG,
)


def written(values: Values) -> dict[str, Any]:
    level = {
        "partitions": values.partitions,
        "replication": values.replication,
        "lag_threshold": values.lag_threshold,
        "config": {name: int(value) for name, value in values.config.items()} or None,
    }
    return {key: value for key, value in level.items() if value is not None}


@given(LEVEL, LEVEL, LEVEL, LEVEL)
def test_precedence(defaults: Values, for_all: Values, own: Values, for_one: Values) -> None:
    document = {
        "defaults": written(defaults),
        "environments": {"e": {"brokers": ["h:1"], "defaults": written(for_all), "topics": {"a": written(for_one)}}},
        "topics": {"a": written(own)},
    }
    topic = parse_catalog(yaml.safe_dump(document), environment="e").topics["a"]
    strongest_first = [for_one, own, for_all, defaults]
    for name in ("partitions", "replication", "lag_threshold"):
        said = [value for level in strongest_first if (value := getattr(level, name)) is not None]
        assert getattr(topic, name) == (said[0] if said else None)
    for name in {name for level in strongest_first for name in level.config}:
        assert topic.config[name] == next(level.config[name] for level in strongest_first if name in level.config)
    base = parse_catalog(yaml.safe_dump(document)).topics["a"]
    assert (base.partitions, base.config) == (
        merged_values([defaults, own]).partitions,
        merged_values([defaults, own]).config,
    )
