"""What runs beside what: `make test` spreads groups of tests over several workers, the long ones first.

A group is a module, since its tests may share what the module started. What needs a Docker engine is one group whatever
the module, for a worker has one engine; the laboratory's is another, on an engine of its own. What shares the cluster
of three brokers is one group, too: three brokers are busy even while nobody asks for them. So is what shares a secured
broker, and what shares three of those.
"""

import random

import pytest

# Whoever comes last should be short. Measured; a module that is missing here is not wrong, only later.
_LONG_FIRST = (
    "docker",
    "test_lag_situations",
    "laboratory",
    "test_documents",
    "test_produce_faults",
    "three brokers",
    "lab/test_healthy",
    "lab/test_network",
    "test_monitoring",
    "test_init_topics",
)


def group(item: pytest.Item) -> str:
    """The name of the group whose tests one worker runs, one after the other."""
    room = item.path.parent.name
    for fixture in ("three_brokers", "three_racks", "secured_three", "secured_one"):
        if fixture in getattr(item, "fixturenames", ()):
            return fixture.replace("_", " ")
    if "engine" in getattr(item, "fixturenames", ()):
        return "laboratory" if room == "lab" else "docker"
    return item.path.stem if room == "tests" else f"{room}/{item.path.stem}"


def arrange(items: list[pytest.Item], seed: int | None) -> None:
    """Mark each test with its group, and sort: long groups first, or as a seed shuffles groups and tests in them."""
    chance = random.Random(seed)
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        name = group(item)
        item.add_marker(pytest.mark.xdist_group(name))
        groups.setdefault(name, []).append(item)
    names = sorted(groups, key=lambda name: _LONG_FIRST.index(name) if name in _LONG_FIRST else len(_LONG_FIRST))
    if seed is not None:
        chance.shuffle(names)
        for name in names:
            chance.shuffle(groups[name])
    items[:] = [item for name in names for item in groups[name]]
