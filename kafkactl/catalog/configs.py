"""Kafka's topic configs: their names, and their values in Kafka's own spelling.

Names and limits are those of Kafka 4.4's LogConfig; the few that only 3.x knows are kept for older clusters.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from kafkactl.text.suggest import closest
from kafkactl.text.units import parse_retention, parse_size, whole_number

INT_MAX = 2**31 - 1
LONG_MAX = 2**63 - 1
_SLIP = 0.84  # a name this similar to a known one is a typo; vendors' own names are less similar

Kind = Literal["time", "size", "count", "ratio", "flag", "choice", "choices", "replicas", "text"]


class ConfigKind(NamedTuple):
    """What one config accepts: its kind, its limits (inclusive) and, for choices, the options."""

    kind: Kind
    low: int = 0
    high: int = LONG_MAX
    choices: tuple[str, ...] = ()
    infinite: bool = False  # -1 means without limit, and may be written as `infinite`


def _time(low: int = 0, infinite: bool = False) -> ConfigKind:
    return ConfigKind("time", low, infinite=infinite)


def _size(low: int = 0, high: int = LONG_MAX, infinite: bool = False) -> ConfigKind:
    return ConfigKind("size", low, high, infinite=infinite)


def _count(low: int, high: int = INT_MAX) -> ConfigKind:
    return ConfigKind("count", low, high)


def _choice(*choices: str) -> ConfigKind:
    return ConfigKind("choice", choices=choices)


_FLAG = ConfigKind("flag")
_REPLICAS = ConfigKind("replicas")

CONFIGS: Mapping[str, ConfigKind] = {
    "cleanup.policy": ConfigKind("choices", choices=("compact", "delete")),
    "compression.gzip.level": _count(-1, 9),
    "compression.lz4.level": _count(1, 17),
    "compression.type": _choice("uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"),
    "compression.zstd.level": _count(-131072, 22),
    "delete.retention.ms": _time(),
    "errors.deadletterqueue.group.enable": _FLAG,  # 4.4
    "file.delete.delay.ms": _time(),
    "flush.messages": _count(1, LONG_MAX),
    "flush.ms": _time(),
    "follower.replication.throttled.replicas": _REPLICAS,
    "index.interval.bytes": _size(0, INT_MAX),
    "leader.replication.throttled.replicas": _REPLICAS,
    "local.retention.bytes": _size(-2),  # -2: as retention.bytes
    "local.retention.ms": _time(-2),  # -2: as retention.ms
    "max.compaction.lag.ms": _time(1),
    "max.decompressed.message.bytes": _size(1, INT_MAX - 8),  # 4.4
    "max.message.bytes": _size(0, INT_MAX),
    "message.downconversion.enable": _FLAG,  # gone in 4.0
    "message.format.version": ConfigKind("text"),  # gone in 4.0
    "message.timestamp.after.max.ms": _time(),
    "message.timestamp.before.max.ms": _time(),
    "message.timestamp.difference.max.ms": _time(),  # gone in 4.0
    "message.timestamp.type": _choice("CreateTime", "LogAppendTime"),
    "min.cleanable.dirty.ratio": ConfigKind("ratio", 0, 1),
    "min.compaction.lag.ms": _time(),
    "min.insync.replicas": _count(1),
    "preallocate": _FLAG,
    "remote.copy.lag.bytes": _size(-1),  # 4.4
    "remote.copy.lag.ms": _time(-1),  # 4.4
    "remote.log.copy.disable": _FLAG,
    "remote.log.delete.on.disable": _FLAG,
    "remote.storage.enable": _FLAG,
    "retention.bytes": _size(-(2**63), infinite=True),  # Kafka takes any number, and a negative one for -1
    "retention.ms": _time(-1, infinite=True),
    "segment.bytes": _size(14, INT_MAX),  # 1 MiB since 4.1, 14 bytes before
    "segment.index.bytes": _size(4, INT_MAX),
    "segment.jitter.ms": _time(),
    "segment.ms": _time(1),
    "unclean.leader.election.enable": _FLAG,
}

# Settings that have a key of their own in topics.yaml, by the names they have elsewhere.
_OWN_KEYS = {
    "replication.factor": "replication",
    "default.replication.factor": "replication",
    "replication": "replication",
    "num.partitions": "partitions",
    "partitions": "partitions",
}
_REPLICA_LIST = re.compile(r"\*|[0-9]+:[0-9]+(,[0-9]+:[0-9]+)*|")


def wrong_name(name: str) -> str | None:
    """A sentence that says why `name` cannot be a topic config; None if it is one, or may be a vendor's own."""
    if name in CONFIGS:
        return None
    if name in _OWN_KEYS:
        return f'"{name}" is not a topic config. Use the key "{_OWN_KEYS[name]}" next to config instead.'
    without_log = name.removeprefix("log.")  # the broker-wide name of many of them
    found = without_log if without_log in CONFIGS else closest(name, CONFIGS, cutoff=_SLIP)
    if found is None and len(name) >= 5:
        found = next((known for known in CONFIGS if known.startswith(f"{name}.")), None)
    return f'unknown config "{name}". Did you mean "{found}"?' if found else None


def normalise(name: str, value: str | Sequence[str]) -> str:
    """A config's value as Kafka spells it: `1MiB` → "1048576", `1h` → "3600000", [delete, compact] → "compact,delete".

    The value of an unknown config stays as it is. Raises ValueError with a sentence that quotes the value.
    """
    config = CONFIGS.get(name)
    if not isinstance(value, str):
        if config and config.kind not in ("choices", "replicas"):
            raise ValueError("must be one value, not a list.")
        value = ",".join(value)
    return _NORMALISERS[config.kind](config, value.strip()) if config else value


def _number(config: ConfigKind, text: str, parse: Callable[[str], int] | None) -> str:
    number = whole_number(text)
    if text == "infinite" and not config.infinite:
        raise ValueError("cannot be infinite.")
    if number is None and parse:
        number = parse(text)
    if number is None:
        raise ValueError(f'"{text}" is not a whole number.')
    if not config.low <= number <= config.high:
        least = "-1 (infinite)" if config.infinite else f"{config.low:,}"
        raise ValueError(
            f"{text} is too low; the minimum is {least}."
            if number < config.low
            else f"{text} is too high; the maximum is {config.high:,}."
        )
    return str(number)


def _ratio(config: ConfigKind, text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,20}(\.[0-9]{1,20})?", text) or not config.low <= float(text) <= config.high:
        raise ValueError(f'"{text}" is not a number from {config.low} to {config.high}.')
    return str(float(text))


def _flag(_: ConfigKind, text: str) -> str:
    if text.lower() not in ("true", "false"):
        raise ValueError(f'"{text}" is invalid; write true or false.')
    return text.lower()


def _chosen(config: ConfigKind, text: str) -> str:
    if text not in config.choices:
        near = closest(text, config.choices)
        known = ", ".join(config.choices)
        raise ValueError(f'"{text}" is not one of {known}.' + (f' Did you mean "{near}"?' if near else ""))
    return text


def _all_chosen(config: ConfigKind, text: str) -> str:
    # Kafka keeps the order it was given, but the order means nothing: sorted, so that two spellings compare equal.
    # Nothing is a choice as well: with an empty cleanup.policy Kafka keeps everything.
    return ",".join(sorted({_chosen(config, part.strip()) for part in text.split(",")})) if text else ""


def _replicas(_: ConfigKind, text: str) -> str:
    text = text.replace(" ", "")
    if not _REPLICA_LIST.fullmatch(text):
        raise ValueError(f'"{text}" is not "*" or a list of partition:broker such as 0:1,1:2.')
    return text


_NORMALISERS: Mapping[Kind, Callable[[ConfigKind, str], str]] = {
    "time": lambda config, text: _number(config, text, parse_retention),
    "size": lambda config, text: _number(config, text, parse_size),
    "count": lambda config, text: _number(config, text, None),
    "ratio": _ratio,
    "flag": _flag,
    "choice": _chosen,
    "choices": _all_chosen,
    "replicas": _replicas,
    "text": lambda _, text: text,
}
