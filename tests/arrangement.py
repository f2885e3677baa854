"""What runs beside what: `make test` spreads groups of tests over several workers, the long ones first.

A group is a module, since its tests may share what the module started. What needs the Docker engine is one group
whatever the module, for there is one engine.
"""

import random

import pytest

# Whoever comes last should be short. Measured; a module that is missing here is not wrong, only later.
_LONG_FIRST = ("engine", "test_lag_situations")
_FIXTURES_WITH_A_GROUP = ("engine",)


def group(item: pytest.Item) -> str:
    """The name of the group whose tests one worker runs, one after the other."""
    for name in _FIXTURES_WITH_A_GROUP:
        if name in getattr(item, "fixturenames", ()):
            return name
    return item.path.stem if item.path.parent.name == "tests" else f"{item.path.parent.name}/{item.path.stem}"


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
