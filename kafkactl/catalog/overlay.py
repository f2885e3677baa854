"""Which value wins: the environment's topic, then the topic, then the environment's defaults, then the defaults."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple


class Values(NamedTuple):
    """What one level says about a topic. None, or a config that is not there, leaves it to the level below."""

    partitions: int | None = None
    replication: int | None = None
    lag_threshold: int | None = None
    config: Mapping[str, str] = MappingProxyType({})  # retention included, as retention.ms


NOTHING = Values()


def merged(levels: Iterable[Values]) -> Values:
    """Levels from the weakest to the strongest, as one. `config` merges key by key."""
    partitions = replication = lag_threshold = None
    config: dict[str, str] = {}
    for level in levels:
        partitions = level.partitions if level.partitions is not None else partitions
        replication = level.replication if level.replication is not None else replication
        lag_threshold = level.lag_threshold if level.lag_threshold is not None else lag_threshold
        config.update(level.config)
    return Values(partitions, replication, lag_threshold, config)
