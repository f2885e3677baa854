"""What a change of a topic can break, by the names of --allow. Pure."""

from collections.abc import Callable, Mapping
from enum import StrEnum


class Risk(StrEnum):
    """What a change can break; the names are those of --allow."""

    PARTITIONS = "partitions"
    RETENTION = "retention"
    REPLICATION = "replication"
    DURABILITY = "durability"
    REJECTION = "rejection"
    OVERRIDES = "overrides"
    DELETE = "delete"
    ACCESS = "access"


CONSEQUENCE: Mapping[Risk, str] = {
    Risk.PARTITIONS: "breaks key order",
    Risk.RETENTION: "deletes records",
    Risk.REPLICATION: "moves data",
    Risk.DURABILITY: "can lose acknowledged records",
    Risk.REJECTION: "refuses records that are accepted today",
    Risk.OVERRIDES: "changes behaviour",
    Risk.DELETE: "deletes the topic",
    Risk.ACCESS: "takes access from somebody",
}


def config_risks(key: str, old: str | None, new: str | None) -> frozenset[Risk]:
    """The risks of changing one setting of a topic, as Kafka writes its values; None where a value is not known.

    A value that is not known is taken for the one that makes the change risky.
    """
    rule = _RULES.get(key)
    return frozenset({rule[0]}) if rule and rule[1](old, new) else frozenset()


def _differs(old: str | None, new: str | None) -> bool:
    return True


def _shrinks(old: str | None, new: str | None) -> bool:
    """A limit that deletes or refuses what is beyond it; -1 is none, -2 (of local.retention) follows another."""
    return new is None or _limit(new) < _limit(old)


def _falls(old: str | None, new: str | None) -> bool:
    """A number of replicas that have to hold a record before it is acknowledged; the least is 1."""
    return new != old and _number(new, 1) < _number(old, 2**31)


def _turned_on(old: str | None, new: str | None) -> bool:
    return (new or "true").lower() == "true" != (old or "").lower()


def _turned_off(old: str | None, new: str | None) -> bool:
    return (new or "false").lower() == "false" != (old or "").lower()


_RULES: Mapping[str, tuple[Risk, Callable[[str | None, str | None], bool]]] = {
    "cleanup.policy": (Risk.RETENTION, _differs),
    "retention.ms": (Risk.RETENTION, _shrinks),
    "retention.bytes": (Risk.RETENTION, _shrinks),
    "remote.storage.enable": (Risk.RETENTION, _turned_off),
    "remote.log.delete.on.disable": (Risk.RETENTION, _turned_on),
    "min.insync.replicas": (Risk.DURABILITY, _falls),
    "unclean.leader.election.enable": (Risk.DURABILITY, _turned_on),
    "max.message.bytes": (Risk.REJECTION, _shrinks),
    "message.timestamp.before.max.ms": (Risk.REJECTION, _shrinks),
    "message.timestamp.after.max.ms": (Risk.REJECTION, _shrinks),
    "message.timestamp.difference.max.ms": (Risk.REJECTION, _shrinks),
}


def _limit(value: str | None) -> float:
    """A limit that can be compared. -1 is Kafka's word for no limit; an unknown old limit may be none."""
    number = _number(value, -1)
    return float("inf") if number < 0 else number


def _number(value: str | None, otherwise: int) -> int:
    try:
        return int(value or "")
    except ValueError:
        return otherwise
