"""Where a dead letter comes from and why it was given up, by the headers its writer added. Pure.

The names are those of Kafka Connect (KIP-298, `errors.deadletterqueue.context.headers.enable`), of Spring Kafka's
DeadLetterPublishingRecoverer and its retry topics (KafkaHeaders), of Spring Cloud Stream's Kafka binder
(`x-original-…`, `x-exception-…`) and the spellings that teams choose; `dlq_headers` of topics.yaml adds more.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from kafkactl.catalog.model import Catalog
from kafkactl.records.model import Headers

Part = str  # what a header says: topic, partition, offset, timestamp, group, tries, error_class, error, stacktrace

UNKNOWN_WRITER = "unknown"

# kafkactl's own headers. A service that gives a record up again copies them, so that they say how often it came back.
REPLAY_COUNT: Final = "kafkactl-replay-count"
REPLAY_ID: Final = "kafkactl-replay-id"
ORIGINAL_TIME: Final = "kafkactl-original-timestamp"
EDITED: Final = "kafkactl-edited"
OWN_HEADERS: Final = frozenset({REPLAY_COUNT, REPLAY_ID, ORIGINAL_TIME, EDITED})


class Origin(msgspec.Struct, frozen=True, gc=False):
    """What the headers of a dead letter tell; None and "" where they do not.

    `timestamp` is in ms since 1970; `tries` counts how often a consumer tried; `replays` how often kafkactl sent the
    record back already. `writer` names who wrote the headers.
    """

    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    timestamp: int | None = None
    group: str = ""
    tries: int | None = None
    error_class: str = ""
    error: str = ""
    stacktrace: str = ""
    replays: int = 0
    writer: str = UNKNOWN_WRITER


class HeaderMeaning(msgspec.Struct, frozen=True, gc=False):
    """What a header says, if it is one of a dead letter's; `writer` is who writes such ones."""

    part: Part
    writer: str
    first: bool  # of several of that name, the first one counts: who gave it up first; else the last one


# By the part of the name behind the writer's own prefix.
_CONNECT = {
    "topic": "topic",
    "partition": "partition",
    "offset": "offset",
    "exception.class.name": "error_class",
    "exception.message": "error",
    "exception.stacktrace": "stacktrace",
}
_SPRING = {
    "original-topic": "topic",
    "original-partition": "partition",
    "original-offset": "offset",
    "original-timestamp": "timestamp",
    "original-consumer-group": "group",
    "exception-fqcn": "error_class",
    "exception-message": "error",
    "exception-stacktrace": "stacktrace",
    "attempts": "tries",
    "deliveryattempt": "tries",
}
_PLAIN = {
    "original-topic": "topic",
    "original-partition": "partition",
    "original-offset": "offset",
    "original-timestamp": "timestamp",
    "original-consumer-group": "group",
    "original-group": "group",
    "source-topic": "topic",
    "source-partition": "partition",
    "source-offset": "offset",
    "source-timestamp": "timestamp",
}
_MARKED = {  # meant so behind `x-` or a word for dead letters only
    **_PLAIN,
    "error": "error",
    "error-message": "error",
    "error-reason": "error",
    "exception": "error",
    "exception-message": "error",
    "failure-reason": "error",
    "error-class": "error_class",
    "error-type": "error_class",
    "exception-class": "error_class",
    "exception-class-name": "error_class",
    "exception-type": "error_class",
    "exception-fqcn": "error_class",
    "error-stacktrace": "stacktrace",
    "exception-stacktrace": "stacktrace",
    "stacktrace": "stacktrace",
    "stack-trace": "stacktrace",
    "retry-count": "tries",
    "retries": "tries",
    "attempt": "tries",
    "attempts": "tries",
    "delivery-attempt": "tries",
    "delivery-attempts": "tries",
    "retry-attempts": "tries",
    "consumer-group": "group",
}
_OF_DEAD_LETTERS = {  # only behind a word for dead letters
    **_MARKED,
    "topic": "topic",
    "partition": "partition",
    "offset": "offset",
    "timestamp": "timestamp",
    "group": "group",
    "reason": "error",
    "message": "error",
    "cause": "error",
    "class": "error_class",
    "failed-at": "",
}
_CONNECT_PREFIX = "__connect.errors."
_SPRING_PREFIXES = re.compile(r"kafka_dlt-|kafka_|retry_topic-")
_SPRING_ONLY = re.compile(
    r"kafka_dlt-|kafka_original-|kafka_exception-|kafka_key-exception-|retry_topic-|kafka_deliveryAttempt$"
    r"|springDeserializerException"
)
_MARK = re.compile(r"(x-)?((?:dlq|dlt|dead-?letter(?:-queue|-topic)?)-)?(.*)")


def meaning(name: str) -> HeaderMeaning | None:
    """What a header of this name says of a dead letter; None where it is none of a dead letter's."""
    if name.startswith(_CONNECT_PREFIX):
        return HeaderMeaning(_CONNECT.get(name.removeprefix(_CONNECT_PREFIX), ""), "Kafka Connect", first=False)
    if _SPRING_ONLY.match(name):
        rest = _SPRING_PREFIXES.sub("", name, count=1).lower()
        part = _SPRING.get(rest, "")
        return HeaderMeaning(part, "Spring Kafka", first=rest.startswith("original-"))
    match = _MARK.fullmatch(re.sub(r"[._]", "-", name.lower()))
    if match is None:
        return None
    known = _OF_DEAD_LETTERS if match[2] else _MARKED if match[1] else _PLAIN
    rest = match[3]
    if rest not in known:
        return None
    return HeaderMeaning(known[rest], "x- headers" if match[1] and not match[2] else "dlq headers", first=False)


class HeaderReading:
    """How the headers of dead letters are read: the usual ones, and a team's own by their names.

    `dlq_headers` is what topics.yaml says: the name of the header, by what it says.
    """

    def __init__(self, dlq_headers: Mapping[str, str] | None = None) -> None:
        self._known: dict[str, HeaderMeaning | None] = {
            name: HeaderMeaning(part, "dlq_headers", first=False) for part, name in (dlq_headers or {}).items()
        }

    @staticmethod
    def of(catalog: Catalog | None) -> "HeaderReading":
        """As topics.yaml says, where there is one."""
        return HeaderReading(catalog.dlq_headers if catalog else None)

    def meaning(self, name: str) -> HeaderMeaning | None:
        """As the function `meaning`; a team's own names come first."""
        try:
            return self._known[name]
        except KeyError:
            return self._known.setdefault(name, meaning(name))

    def origin(self, headers: Headers) -> Origin:
        """What these headers tell. A number may be written as text or, as Java does, in 4 or 8 bytes."""
        said: dict[Part, bytes] = {}
        writer = ""
        replays = 0
        for name, value in headers:
            if name == REPLAY_COUNT:
                replays = _number(value) or 0
                continue
            found = self.meaning(name)
            if found is None or value is None:
                continue
            writer = writer or found.writer
            if found.part and not (found.first and found.part in said):
                said[found.part] = value
        if not writer:
            return Origin(replays=replays)
        return Origin(
            topic=_text(said.get("topic")) or None,
            partition=_number(said.get("partition")),
            offset=_number(said.get("offset")),
            timestamp=_number(said.get("timestamp")),
            group=_text(said.get("group")),
            tries=_number(said.get("tries")),
            error_class=_text(said.get("error_class")),
            error=_text(said.get("error")),
            stacktrace=_text(said.get("stacktrace")),
            replays=replays,
            writer=writer,
        )

    def gist(self, headers: Headers) -> tuple[bytes, bytes, str]:
        """The source topic, the error's class and the writer, as quickly as they can be had: a million are counted."""
        topic = error_class = b""
        writer = ""
        known = self._known
        for name, value in headers:
            found = known[name] if name in known else self.meaning(name)
            if found is None or value is None:
                continue
            writer = writer or found.writer
            if found.part == "topic" and not (found.first and topic):
                topic = value
            elif found.part == "error_class":
                error_class = value
        return topic, error_class, writer or UNKNOWN_WRITER

    def kept(self, headers: Headers) -> Headers:
        """The record's own headers: without those that the writer of dead letters or kafkactl added."""
        return tuple((name, value) for name, value in headers if name not in OWN_HEADERS and self.meaning(name) is None)


def _text(value: bytes | None) -> str:
    """A header's text. Spring's JSON mapper puts quotes around it."""
    if not value:
        return ""
    text = value.decode("utf-8", "backslashreplace")
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


_DIGITS = re.compile(rb'"?(-?[0-9]{1,19})"?')


def _number(value: bytes | None) -> int | None:
    """A whole number that is not negative; None where it is none.

    Text goes first: four digits taken for an integer would be a partition of above 800 million.
    """
    if not value:
        return None
    match = _DIGITS.fullmatch(value)
    if match:
        number = int(match[1])
    elif len(value) in (4, 8):
        number = int.from_bytes(value, "big", signed=True)
    else:
        return None
    return number if 0 <= number < 2**63 else None
