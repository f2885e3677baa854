"""What a change can break: the names a user allows it by. Light, since every --help needs them."""

from enum import StrEnum


class Risk(StrEnum):
    """What a change can break; the names are those of --allow."""

    PARTITIONS = "partitions"
    RETENTION = "retention"
    REPLICATION = "replication"
    OVERRIDES = "overrides"
    DELETE = "delete"


CONSEQUENCE = {
    Risk.PARTITIONS: "breaks key order",
    Risk.RETENTION: "deletes records",
    Risk.REPLICATION: "moves data",
    Risk.OVERRIDES: "changes behaviour",
    Risk.DELETE: "deletes the topic",
}
