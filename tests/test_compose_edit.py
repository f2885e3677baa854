"""Changes to compose files: what comes out is what was wanted, and nothing else has changed."""

import json
from collections.abc import Mapping
from difflib import ndiff
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.containers.compose_edit import ComposeEditError, edited
from kafkactl.text.remedies import ServiceChange

MAP = """\
# our stack
services:
  zookeeper: {image: zk}
  kafka:
    image: confluentinc/cp-kafka:7.6.0   # pinned
    environment:
      # where clients go
      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092
      KAFKA_HEAP_OPTS: '-Xmx4g'
      KAFKA_NUM: 3
    ports:
      - "127.0.0.1:9092:9092"
volumes: {}
"""
LIST = """\
services:
    kafka:
        image: bitnami/kafka
        environment:
            - KAFKA_CFG_NODE_ID=1
            - "KAFKA_MESSAGE_MAX_BYTES=5000000"
            - KAFKA_BROKERS=${HOST}:9092,localhost:9092
        ports: ["9092:9092"]
"""
BARE = "services:\n  kafka:\n    image: apache/kafka\n"
FLOW = json.dumps({"services": {"kafka": {"image": "x", "environment": {"A": "1"}, "ports": ["1:1"]}, "zookeeper": {}}})


def environment(text: str, service: str = "kafka") -> dict[str, str]:
    told = yaml.safe_load(text)["services"][service].get("environment") or {}
    if isinstance(told, list):
        return dict(entry.partition("=")[::2] for entry in told)
    return {name: str(value) for name, value in told.items()}


def changed_lines(before: str, after: str) -> list[str]:
    return [line for line in ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"]


@pytest.mark.parametrize("text", [MAP, LIST, BARE, FLOW, MAP.replace("\n", "\r\n")])
def test_a_variable_is_set(text: str) -> None:
    before = environment(text)
    for name, value in (("KAFKA_NEW", "a: b, 1"), ("KAFKA_HEAP_OPTS", "-Xms1g -Xmx1g"), ("KAFKA_ON", "yes")):
        after = edited(text, ServiceChange("kafka", variables=((name, value),)))
        assert environment(after) == {**before, name: value}
        assert len(changed_lines(text, after)) <= 2
        assert after.count("\r") in (0, after.count("\n"))


def test_a_change_touches_only_its_lines() -> None:
    after = edited(MAP, ServiceChange("kafka", variables=(("KAFKA_HEAP_OPTS", "-Xmx1g"),)))
    assert changed_lines(MAP, after) == ["-       KAFKA_HEAP_OPTS: '-Xmx4g'", "+       KAFKA_HEAP_OPTS: '-Xmx1g'"]
    after = edited(MAP, ServiceChange("kafka", keys=(("mem_limit", "640m"),), ports=("127.0.0.1:9094:9094",)))
    assert changed_lines(MAP, after) == ["+     mem_limit: 640m", '+       - "127.0.0.1:9094:9094"']


def test_a_variable_is_renamed_and_keeps_its_value() -> None:
    after = edited(LIST, ServiceChange("kafka", renames=(("KAFKA_MESSAGE_MAX_BYTES", "KAFKA_CFG_MESSAGE_MAX_BYTES"),)))
    assert environment(after)["KAFKA_CFG_MESSAGE_MAX_BYTES"] == "5000000"
    assert "KAFKA_MESSAGE_MAX_BYTES" not in environment(after)
    spaced = LIST.replace('"KAFKA_MESSAGE_MAX_BYTES=', '"KAFKA_X =')
    assert (
        environment(edited(spaced, ServiceChange("kafka", renames=(("KAFKA_X ", "KAFKA_X"),))))["KAFKA_X"] == "5000000"
    )


def test_an_address_is_swapped_within_its_value() -> None:
    after = edited(LIST, ServiceChange("kafka", swaps=(("KAFKA_BROKERS", "localhost:9092", "kafka:29092"),)))
    assert environment(after)["KAFKA_BROKERS"] == "${HOST}:9092,kafka:29092"


@pytest.mark.parametrize(
    ("text", "change", "why"),
    [
        (LIST, ServiceChange("kafka", variables=(("KAFKA_BROKERS", "x"),)), "gets its value from a variable"),
        (LIST, ServiceChange("kafka", swaps=(("KAFKA_BROKERS", "db:9092", "x"),)), "gets db:9092 from a variable"),
        (LIST, ServiceChange("other", keys=(("a", "b"),)), "no service other"),
        (MAP.replace("    image: c", "    env_file: .env\n    image: c"),
         ServiceChange("kafka", keys=(("a", "b"),)), "env_file"),
        ("include: [a.yml]\n" + MAP, ServiceChange("kafka", keys=(("a", "b"),)), "includes others"),
        ("x: &e {A: b}\nservices:\n  kafka:\n    environment: *e\n",
         ServiceChange("kafka", variables=(("A", "c"),)), "shared"),
        ("x: &e {A: b}\nservices:\n  kafka:\n    environment:\n      <<: *e\n      B: c\n",
         ServiceChange("kafka", variables=(("A", "c"),)), "shared"),
        ("services:\n  kafka:\n    environment:\n      A: &a b\n      B: *a\n",
         ServiceChange("kafka", variables=(("A", "c"),)), "shared"),
        ("services:\n  kafka:\n    environment:\n      A: |\n        b\n",
         ServiceChange("kafka", variables=(("A", "c"),)), "several lines"),
        ("services: [", ServiceChange("kafka", keys=(("a", "b"),)), "not YAML"),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_refused(text: str, change: ServiceChange, why: str) -> None:
    with pytest.raises(ComposeEditError, match=why):
        edited(text, change)


NAMES = st.sampled_from(["KAFKA_A", "KAFKA_B", "KAFKA_C", "X"])
VALUES = st.text(
    st.characters(codec="ascii", exclude_characters="$", categories=["L", "N", "P", "S", "Zs"]), max_size=12
)


@given(st.dictionaries(NAMES, VALUES), st.booleans(), st.booleans(), NAMES, VALUES)
def test_any_variable_of_any_file(given_: Mapping[str, str], listed: bool, flow: bool, name: str, value: str) -> None:
    told: Any = [f"{key}={text}" for key, text in given_.items()] if listed else dict(given_)
    document = {"services": {"a": {"image": "i"}, "kafka": {"image": "x", "environment": told}, "z": {"b": ["c"]}}}
    text = yaml.safe_dump(document, default_flow_style=flow, sort_keys=False, width=10_000)
    after = edited(text, ServiceChange("kafka", variables=((name, value),)))
    assert environment(after) == {**given_, name: value}
    rest = yaml.safe_load(after)
    assert {**rest["services"], "kafka": None} == {**document["services"], "kafka": None}
    assert environment(text) == dict(given_)


@pytest.mark.parametrize("text", [MAP, LIST, BARE, FLOW, MAP.replace("\n", "\r\n"), MAP.replace("volumes: {}\n", "")])
def test_a_volume_is_mounted_and_declared(text: str) -> None:
    change = ServiceChange("kafka", volumes=("kafka-data:/data",), variables=(("KAFKA_LOG_DIRS", "/data"),))
    after = yaml.safe_load(edited(text, change))
    before = yaml.safe_load(text)
    assert after["services"]["kafka"]["volumes"] == ["kafka-data:/data"]
    assert after["volumes"] == {"kafka-data": None}
    assert after["services"].keys() == before["services"].keys()
    assert environment(edited(text, change))["KAFKA_LOG_DIRS"] == "/data"


def test_a_volume_beside_others() -> None:
    text = BARE + '    volumes: ["other:/o"]\nvolumes:\n  other:\n'
    after = yaml.safe_load(edited(text, ServiceChange("kafka", volumes=("kafka-data:/data",))))
    assert sorted(after["services"]["kafka"]["volumes"]) == ["kafka-data:/data", "other:/o"]
    assert after["volumes"] == {"kafka-data": None, "other": None}
    declared = BARE + "volumes:\n  kafka-data:\n    external: true\n"
    after = yaml.safe_load(edited(declared, ServiceChange("kafka", volumes=("kafka-data:/data",))))
    assert after["volumes"] == {"kafka-data": {"external": True}}


@pytest.mark.parametrize("mounted", ['["x:/data"]', '["x:/data:ro"]', "[/data]", "[{type: bind, target: /y}]"])
def test_no_volume_takes_the_place_of_another(mounted: str) -> None:
    with pytest.raises(ComposeEditError, match="something is mounted at /data, or may be"):
        edited(f"{BARE}    volumes: {mounted}\n", ServiceChange("kafka", volumes=("kafka-data:/data",)))
