"""Signs: lines of a container's log that say why it is in trouble. Pure.

These are the wordings of Kafka 3.9 (the last with ZooKeeper), 4.x and some older ones; tests/lab provokes each.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Literal

from kafkactl.containers.model import LogLine
from kafkactl.redaction.structures import redacted

Kind = Literal[
    "cluster-id",
    "node-id",
    "unformatted",
    "disk-full",
    "not-writable",
    "log-dir-failed",
    "ephemeral",
    "registration",
    "listener",
    "required",
    "zookeeper",
    "heap-exhausted",
    "no-memory",
    "fatal",
    # Of applications.
    "client-topic",
    "client-size",
    "client-security",
    "kafka-address",
    "any-address",
]

# The most telling first: a line further down may only be a consequence of one further up.
_PATTERNS: Mapping[Kind, str] = {
    "cluster-id": r"Invalid cluster\.id in: .*Expected (?P<wanted>\S+), but read (?P<stored>\S+)"
    r"|The Cluster ID (?P<wanted2>\S+) doesn't match stored clusterId Some\((?P<stored2>[^)]+)\)",
    "node-id": r"Stored node id (?P<stored>\d+) doesn't match previous node id (?P<wanted>\d+)"
    r"|Configured (?:broker|node)\.id (?P<wanted2>\d+) doesn't match stored (?:broker|node)\.id \D*(?P<stored2>\d+)",
    "unformatted": r"No `?meta\.properties`? found in|No readable meta\.properties files? found",
    "disk-full": r"No space left on device",
    "not-writable": r"(?P<path>/[^\s:]+) \(Permission denied\)|AccessDeniedException: (?P<path2>/[^\s:]+)"
    r"|dub path (?P<path3>\S+) writable\] FAILED|(?P<path4>/\S+) file not writable"
    r"|(?:cannot|can't) (?:create directory|touch) [‘'`\"]?(?P<path5>/[^’'\"]+)[’'\"]?: Permission denied",
    "log-dir-failed": r"Shutdown broker because all log dirs in (?P<path>.+?) have failed"
    r"|Stopping serving logs in dir (?P<path2>\S+)|Error while appending records to \S+ in dir (?P<path3>\S+)",
    "ephemeral": r"Error while creating ephemeral at (?P<path>/brokers/ids/\d+), node already exists and owner"
    r"|A broker is already registered on the path (?P<path2>\S+)",
    "registration": r"Unable to register broker (?P<id>\d+) because the controller returned error (?P<why>\w+)"
    r"|Broker (?P<id2>\d+) sent a heartbeat request but received error (?P<why2>STALE_BROKER_EPOCH)",
    "listener": r"(?P<why>(?:advertised\.listeners cannot|advertised\.listeners listener names must"
    r"|No security protocol defined for listener|Each listener must have a different|Listener with name \S+ defined in"
    r"|inter\.broker\.listener\.name must|Unable to parse \S+ to a (?:broker endpoint|listener)).*)",
    # The start scripts of Confluent and Apache, Kafka itself, Bitnami's.
    "required": r"^(?:Error: environment variable \")?(?P<name>(?:KAFKA|ZOOKEEPER|CLUSTER)_\w+)"
    r"(?:\" is not set| is required| environment variable not set)"
    r"|^(?P<why2>KAFKA_\w+ is not supported on a KRaft controller)"
    r"|Missing required configuration [\"`](?P<name2>[\w.]+)[\"`]|ERROR\W+==> (?P<why>.+)",
    "zookeeper": r"Timed out waiting for connection while in state: CONNECTING"
    r"|Unable to resolve address: (?P<host>[^/<]+)/?<unresolved>|UnknownHostException: (?P<host2>\S+)$",
    "heap-exhausted": r"OutOfMemoryError: (?P<why>Java heap space|GC overhead limit exceeded)",
    "no-memory": r"insufficient memory for the Java Runtime|os::commit_memory\(.*failed",
    "fatal": r"Exiting Kafka due to fatal exception|Fatal error during \S+ startup|^Exception in thread \"main\"",
}
_COMPILED = {kind: re.compile(pattern) for kind, pattern in _PATTERNS.items()}
_CAUSE = re.compile(r"\b\w+(?:\.\w+)*(?:Exception|Error)\b(?:: .*)?")
_AFTER = 4  # lines after a fatal one in which its exception stands
_KEPT = 3  # how many of each kind are kept, the latest ones
_LONGEST = 400  # characters of a line


@dataclass(frozen=True)
class Sign:
    """A telling log line. `time` is in ns since 1970, `found` what the line names (an id, a path, a host)."""

    kind: Kind
    text: str
    time: int
    found: Mapping[str, str]


def signs(lines: Iterable[LogLine]) -> tuple[Sign, ...]:
    """The signs in the log of a container of Kafka's, the most telling first; of each kind the last few."""
    return found_in(lines, _COMPILED)


def found_in(lines: Iterable[LogLine], patterns: Mapping[Kind, re.Pattern[str]]) -> tuple[Sign, ...]:
    """The lines that match, by kind in the order of the patterns; of each kind the last few."""
    listed, quick = list(lines), _quick(tuple(patterns.values()))
    found: dict[Kind, list[Sign]] = {}
    for place, line in enumerate(listed):
        if quick.search(line.text):
            for sign in _of_line(line, patterns, islice(listed, place, place + _AFTER)):
                found.setdefault(sign.kind, []).append(sign)
    return tuple(sign for kind in patterns for sign in found.get(kind, ())[-_KEPT:])


@cache
def _quick(patterns: tuple[re.Pattern[str], ...]) -> re.Pattern[str]:
    """A quick test that tells whether a line is worth the patterns one by one."""
    return re.compile("|".join(re.sub(r"\?P<\w+>", "?:", pattern.pattern) for pattern in patterns))


def _of_line(line: LogLine, patterns: Mapping[Kind, re.Pattern[str]], following: Iterable[LogLine]) -> Iterator[Sign]:
    for kind, pattern in patterns.items():
        match = pattern.search(line.text)
        if match:
            names = {name.rstrip("0123456789"): redacted(text) for name, text in match.groupdict().items() if text}
            text = line.text
            if kind == "fatal":
                cause = next((words[0] for later in following if (words := _CAUSE.search(later.text))), "")
                names["cause"] = redacted(cause)[:_LONGEST]
                text = cause or text
            yield Sign(kind, redacted(text.strip())[:_LONGEST], line.time, names)


def first(found: Iterable[Sign], *kinds: Kind) -> Sign | None:
    """The latest sign of the most telling kind."""
    by_kind = {sign.kind: sign for sign in found}
    return next((by_kind[kind] for kind in kinds if kind in by_kind), None)
