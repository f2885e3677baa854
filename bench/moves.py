"""Raising the replication of a topic with records, beside Kafka's own tool on the same data."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from random import Random

import kafka_scripts
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from kafka_scripts import Tools
from measure import Contest, Entry, Sheet, timed

from kafkactl.sandbox.foreground import throwaway

KAFKACTL = str(Path(sys.executable).parent / "kafkactl")
_TOPIC, _PARTITIONS, _RECORDS = "bench.moved", 12, 8_000
_VALUE = bytes(range(256)) * 4  # 1 KiB that does not compress


def moves() -> Generator[Contest | Sheet, None, None]:
    """Moves of replicas: 12 partitions of 8 MiB on three brokers, from one replica each to three."""
    with throwaway(3, full_jit=True) as brokers, tempfile.TemporaryDirectory() as scratch:
        tools = Tools.find()
        _fill(brokers.bootstrap)
        environment = {"KAFKA_BROKERS": brokers.bootstrap, "KAFKACTL_STATE": scratch}
        back = [KAFKACTL, "replicas", "move", _TOPIC, "--replication", "1", "--yes"]

        def lower() -> None:
            timed(back, None, environment)

        words = ("replicas", "move", _TOPIC, "--replication", "3", "--yes")
        ours = Entry(f"kafkactl {' '.join(words)}", (KAFKACTL, *words), environment, before=lower)
        label = "kafka-reassign-partitions --execute, then --verify until it is done"
        theirs = Entry(label, unavailable=tools.unavailable)
        if not tools.unavailable:
            script = kafka_scripts.write_script(Path(scratch) / "reassign.sh", _lines(Path(scratch)))
            theirs = Entry(label, script, {**tools.environment, **environment}, before=lower)
        yield Contest(
            f"replicas move: {_PARTITIONS} partitions of {_RECORDS * len(_VALUE) / 2**20:.0f} MiB, 1 replica → 3",
            [ours, theirs],
            note="Replicas are lowered again before each run, outside the timing. No throttle. Kafka's tool is told "
            "where replicas go; kafkactl plans it, waits until every broker knows, and elects the preferred leaders.",
            factor=1 / 1.1,
        )
    if not tools.unavailable:
        with throwaway(5, racks=["a", "a", "b", "b", "c"]) as brokers, tempfile.TemporaryDirectory() as scratch:
            environment = {"KAFKA_BROKERS": brokers.bootstrap, "KAFKACTL_STATE": scratch}
            yield _plans(brokers.bootstrap, {**tools.environment, **environment}, Path(scratch))


def _plans(brokers: str, environment: Mapping[str, str], scratch: Path) -> Sheet:
    """The plans of both for the same topics: 40 partitions of 3 replicas that are anywhere on five brokers."""
    lines = ["| | replicas copied | replicas per broker | leaders per broker | in fewer racks than can be |"]
    lines += ["|---|---:|---:|---:|---:|"]
    admin = AdminClient({"bootstrap.servers": brokers})
    for seed in (1, 2, 3):
        topic = f"bench.anywhere-{seed}"
        random = Random(seed)
        before = [random.sample(range(1, 6), 3) for _ in range(40)]
        for future in admin.create_topics([NewTopic(topic, 40, replica_assignment=before)]).values():
            future.result(30)
        plans = {"as it is": before, "kafkactl replicas plan --spread": _ours(topic, before, environment)}
        plans["kafka-reassign-partitions --generate"] = _generated(topic, environment, scratch)
        lines += [_judged(f"cluster {seed}: {name}", before, after) for name, after in plans.items()]
    return Sheet(
        "replicas plan --spread: five brokers in three racks, 40 partitions of 3 replicas that are anywhere", lines
    )


def _ours(topic: str, before: Sequence[Sequence[int]], environment: Mapping[str, str]) -> list[list[int]]:
    words = [KAFKACTL, "replicas", "plan", topic, "--spread", "-o", "json"]
    told = json.loads(_output(words, environment))
    after = [list(ids) for ids in before]
    for move in told["moves"]:
        after[move["partition"]] = move["after"]
    return after


def _generated(topic: str, environment: Mapping[str, str], scratch: Path) -> list[list[int]]:
    file = scratch / "topics.json"
    file.write_text(json.dumps({"version": 1, "topics": [{"topic": topic}]}), encoding="utf-8")
    reassign = f'{kafka_scripts.tool("kafka-reassign-partitions")} --bootstrap-server "$KAFKA_BROKERS"'
    text = _output(
        ["sh", "-c", f"{reassign} --generate --topics-to-move-json-file {file} --broker-list 1,2,3,4,5"], environment
    )
    found = json.loads(text.rsplit("Proposed partition reassignment configuration", 1)[1])["partitions"]
    return [entry["replicas"] for entry in sorted(found, key=lambda entry: entry["partition"])]


def _output(words: Sequence[str], environment: Mapping[str, str]) -> str:
    run = subprocess.run(words, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    return run.stdout


def _judged(name: str, before: Sequence[Sequence[int]], after: Sequence[Sequence[int]]) -> str:
    racks = {1: "a", 2: "a", 3: "b", 4: "b", 5: "c"}
    copied = sum(len(set(new) - set(old)) for old, new in zip(before, after, strict=True))
    held = [sum(broker in ids for ids in after) for broker in racks]
    led = [sum(ids[0] == broker for ids in after) for broker in racks]
    narrow = sum(len({racks[id] for id in ids}) < 3 for ids in after)
    return f"| {name} | {copied} | {min(held)}–{max(held)} | {min(led)}–{max(led)} | {narrow} |"


def _fill(brokers: str) -> None:
    admin = AdminClient({"bootstrap.servers": brokers})
    assignment = [[number % 3 + 1] for number in range(_PARTITIONS)]
    for future in admin.create_topics([NewTopic(_TOPIC, _PARTITIONS, replica_assignment=assignment)]).values():
        future.result(30)
    producer = Producer({"bootstrap.servers": brokers, "linger.ms": 20, "queue.buffering.max.messages": 1_000_000})
    for number in range(_RECORDS):
        for partition in range(_PARTITIONS):
            producer.produce(_TOPIC, _VALUE, partition=partition)
        if number % 500 == 499:
            producer.flush(60)
    if producer.flush(120):
        raise RuntimeError("the topic could not be filled")


def _lines(scratch: Path) -> list[str]:
    """Kafka's tool, from the file that says where each replica goes to the word that all is done."""
    file = scratch / "moves.json"
    partitions = [
        {"topic": _TOPIC, "partition": number, "replicas": [(number + shift) % 3 + 1 for shift in range(3)]}
        for number in range(_PARTITIONS)
    ]
    file.write_text(json.dumps({"version": 1, "partitions": partitions}), encoding="utf-8")
    reassign = f'{kafka_scripts.tool("kafka-reassign-partitions")} --bootstrap-server "$KAFKA_BROKERS"'
    return [
        f"{reassign} --reassignment-json-file {file} --execute > /dev/null",
        f"until {reassign} --reassignment-json-file {file} --verify | grep -c 'is completed' | grep -qx {_PARTITIONS}",
        "do sleep 0.1; done",
    ]
