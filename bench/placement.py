"""Planning where replicas go, on a cluster that exists in memory only: 5,000 partitions on 30 brokers."""

import random
import statistics
import time
from collections.abc import Generator, Mapping

from measure import Contest, Sheet

from kafkactl.placement.model import Assigned, Holding, Host, Wish, applied, holdings
from kafkactl.placement.planning import plan_placement
from kafkactl.topics import Place

_BROKERS, _TOPICS, _PARTITIONS, _RACKS = 30, 200, 25, 3
_RUNS = 5
_SECOND = 1.0  # that it may take


def placement() -> Generator[Contest | Sheet, None, None]:
    """Planning for 5,000 partitions on 30 brokers in 3 racks, three of them new and empty (pure)."""
    partitions, hosts = _cluster()
    topics = {partition.place.topic for partition in partitions}
    wishes = {
        "--spread": Wish(spread=True),
        "--from 3": Wish(drain=frozenset({3})),
        "--to 28,29,30": Wish(fill=frozenset({28, 29, 30})),
        "--replication 4": Wish(replication=dict.fromkeys(topics, 4)),
        "--replication 2": Wish(replication=dict.fromkeys(topics, 2)),
    }
    lines = ["| | median | moved | replicas per broker, before | after | |", "|---|---:|---:|---:|---:|---|"]
    lines += [_row(name, partitions, hosts, wish) for name, wish in wishes.items()]
    yield Sheet(
        f"placement: {_TOPICS * _PARTITIONS:,} partitions, {_BROKERS} brokers, {_RACKS} racks",
        lines,
        note="Replicas are anywhere before, without regard to racks, and sizes differ by powers of ten. `--spread` "
        "moves most partitions for their racks.",
    )


def _cluster() -> tuple[list[Assigned], list[Host]]:
    anywhere = random.Random(18)
    hosts = [Host(id, f"rack-{id % _RACKS}") for id in range(1, _BROKERS + 1)]
    old = range(1, _BROKERS - 2)
    return [
        Assigned(Place(f"t{topic}", id), tuple(anywhere.sample(old, 3)), int(anywhere.lognormvariate(18, 2)))
        for topic in range(_TOPICS)
        for id in range(_PARTITIONS)
    ], hosts


def _row(name: str, partitions: list[Assigned], hosts: list[Host], wish: Wish) -> str:
    times = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        plan = plan_placement(partitions, hosts, wish)
        times.append(time.perf_counter() - start)
    took = statistics.median(times)
    ids = [host.id for host in hosts]
    before, after = holdings(partitions, ids), holdings(applied(partitions, plan.moves), ids)
    kept = "ok" if took <= _SECOND else f"more than {_SECOND:g} s"
    return f"| `{name}` | {took:.2f} s | {len(plan.moves):,} | {_range(before)} | {_range(after)} | {kept} |"


def _range(found: Mapping[int, Holding]) -> str:
    counts = [held.replicas for held in found.values()]
    return f"{min(counts)}–{max(counts)}"
