"""The JSON Schema agrees with the reader."""

from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from kafkactl.catalog import keys as table
from kafkactl.catalog.configs import CONFIGS
from kafkactl.catalog.file import parse_catalog
from kafkactl.catalog.model import CatalogError
from kafkactl.catalog.schema import json_schema
from tests.conftest import REPOSITORY

SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def accepted(text: str) -> bool:
    return bool(VALIDATOR.is_valid(yaml.safe_load(text)))


def read(text: str) -> bool:
    try:
        parse_catalog(text)
    except CatalogError:
        return False
    return True


def test_it_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_platforms_catalogue_validates() -> None:
    text = (REPOSITORY / "topics.yaml").read_text(encoding="utf-8")
    assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize(
    "text",
    [
        "topics: {}",
        "topics: {a: }",
        "topics: {a: {partitions: 3, replication: 1, retention: 7d}}",
        "topics: {a: {retention: infinite}, b: {retention: -1}, c: {retention: 604800000}, d: {retention: 500 ms}}",
        "topics: {a: {config: {max.message.bytes: 1MiB, segment.ms: 1h, cleanup.policy: [compact, delete]}}}",
        "topics: {a: {config: {cleanup.policy: 'compact,delete', preallocate: true, retention.ms: '1'}}}",
        "topics: {a: {config: {confluent.tier.enable: true, min.cleanable.dirty.ratio: 0.5}}}",
        "topics: {a: {config: {compression.type: zstd, compression.gzip.level: -1, local.retention.bytes: -2}}}",
        "topics: {a: {description: 3, producers: ['*'], consumers: [], mask: [a.b], event: payment}}",
        "{topics: {}, ignore: ['connect-*'], removed: [old], events: {x: x.json}}",
        "{topics: {d: {dlq_value: payload.original}}, dlq_headers: {topic: x-t, tries: x-n}, dedup_window: 48h}",
        "{topics: {}, services: {s: , t: {group: g, aliases: [u], lag_threshold: 0}}}",
        "{topics: {}, environments: {e: {brokers: ['h:1'], cluster_id: x, protected: true, client_config: f}}}",
    ],
)
def test_both_accept(text: str) -> None:
    assert read(text)
    assert accepted(text)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "topic: {}",
        "topics: []",
        "topics: {a: {partition: 3}}",
        "topics: {a: {partitions: three}}",
        "topics: {a: {partitions: '3'}}",
        "topics: {a: {partitions: 3.5}}",
        "topics: {a: {partitions: true}}",
        "topics: {a: {partitions: 0}}",
        "topics: {a: {partitions: 10001}}",
        "topics: {a: {replication: 32768}}",
        "topics: {a: {retention: 7x}}",
        "topics: {a: {retention: -2}}",
        "topics: {a: {producers: x}}",
        "topics: {a: {producers: [x, x]}}",
        "topics: {a: {config: []}}",
        "topics: {a: {config: {cleanup.policy: compac}}}",
        "topics: {a: {config: {cleanup.policy: [compac]}}}",
        "topics: {a: {config: {max.message.bytes: -1}}}",
        "topics: {a: {config: {max.message.bytes: 1MB}}}",
        "topics: {a: {config: {preallocate: 3}}}",
        "topics: {a: {config: {min.insync.replicas: 0}}}",
        "topics: {a: {config: {segment.ms: {}}}}",
        "topics: {a b: {}}",
        "topics: {'..': {}}",
        "topics: {__x: {}}",
        f"topics: {{{'x' * 250}: {{}}}}",
        "{topics: {}, removed: [__x]}",
        "{topics: {}, ignore: x}",
        "{topics: {}, environments: {e: {}}}",
        "{topics: {}, environments: {e: {brokers: []}}}",
        "{topics: {}, environments: {e: {brokers: [kafka]}}}",
        "{topics: {}, environments: {e: {brokers: ['h:1'], protected: 'true'}}}",
        "{topics: {a: {}}, environments: {e: {brokers: ['h:1'], topics: {a: {dlq: x}}}}}",
        "{topics: {}, services: {s: {grop: x}}}",
        "{topics: {}, events: {x: []}}",
        "{topics: {}, dlq_headers: {topics: x}}",
        "{topics: {}, dedup_window: 1y}",
        "topics: {kafkactl.mine: {}}",
    ],
)
def test_both_refuse(text: str) -> None:
    assert not read(text)
    assert not accepted(text)


def test_every_key_and_config_is_described() -> None:
    topic: dict[str, Any] = SCHEMA["properties"]["topics"]["additionalProperties"]["properties"]
    assert set(topic) == set(table.TOPIC)
    assert set(SCHEMA["properties"]) == set(table.CATALOG)
    assert set(SCHEMA["$defs"]["configs"]["properties"]) == set(CONFIGS)
    for section in (table.CATALOG, table.ENVIRONMENT, table.SERVICE, table.TOPIC):
        assert all(key.description.endswith(".") or "default" in key.description for key in section.values())
