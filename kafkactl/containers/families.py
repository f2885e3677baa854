"""Whose image a container runs, and what holds for all containers of that family: user, heap, data, programs. Pure.

From the images' Dockerfiles and documents: confluentinc/cp-kafka (docs.confluent.io, "Docker Image Reference"),
apache/kafka and strimzi/kafka on GitHub, the README of bitnami/kafka, wurstmeister/kafka-docker's Dockerfile,
debezium/container-images (kafka), docs.redpanda.com. What no document tells is not known.
"""

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from kafkactl.containers.model import Container

FamilyName = Literal[
    "cp",
    "apache",
    "bitnami",
    "wurstmeister",
    "debezium",
    "strimzi",
    "redpanda",
    "fast-data-dev",
    "spotify",
    "unknown",
]
_FAMILIES: tuple[tuple[FamilyName, re.Pattern[str]], ...] = (
    ("redpanda", re.compile(r"(^|/)redpanda(data)?(/redpanda)?(-unstable)?$")),
    ("cp", re.compile(r"(^|/)confluentinc/|(^|/)cp-")),
    ("apache", re.compile(r"(^|/)apache/kafka(-native)?$")),
    ("bitnami", re.compile(r"(^|/)(bitnami(legacy|secure)?|soldevelo)/kafka$")),
    ("wurstmeister", re.compile(r"(^|/)wurstmeister/kafka$")),
    ("debezium", re.compile(r"(^|/)debezium/kafka$")),
    ("strimzi", re.compile(r"(^|/)strimzi/kafka$")),
    ("fast-data-dev", re.compile(r"(^|/)(lensesio|landoop)/fast-data-dev$")),
    ("spotify", re.compile(r"(^|/)spotify/kafka$")),
)


def family_of(image: str) -> FamilyName:
    """Whose image this is, by its name without registry and tag."""
    name = re.sub(r"(@sha256:.*|:[^/:]+)$", "", image)
    return next((family for family, pattern in _FAMILIES if pattern.search(name)), "unknown")


# The number of the user that an image's processes run as, by its Dockerfile.
_USERS: Mapping[FamilyName, str] = {
    "cp": "1000",
    "apache": "1000",
    "bitnami": "1001",
    "debezium": "1001",
    "strimzi": "1001",
    "redpanda": "101",
}


def user_number(container: Container) -> str:
    """The number of the user that a container's processes run as; "" where only its image knows."""
    named = container.user.partition(":")[0]
    if named.isdigit():
        return named
    return "0" if named == "root" else _USERS.get(family_of(container.image), "" if named else "1000")


_HEAP = re.compile(r"-Xmx(\d+)([kKmMgG]?)")
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}
_DEFAULT_HEAP = {"broker": 2**30, "controller": 2**30, "zookeeper": 512 * 2**20}  # of Kafka's own scripts


def heap_variable(container: Container) -> str:
    """What tells a container's JVM how large its heap is."""
    given = container.environment
    other = "HEAP_OPTS" if family_of(container.image) == "debezium" else "JAVA_OPTS"
    return other if _HEAP.search(given.get(other, "")) and not given.get("KAFKA_HEAP_OPTS") else "KAFKA_HEAP_OPTS"


def heap_of(container: Container) -> int | None:
    """How large a JVM's heap can grow, in bytes; None for a container that is not known to run a JVM."""
    if family_of(container.image) == "redpanda" or "-native" in container.image:
        return None
    if found := _HEAP.findall(container.environment.get(heap_variable(container), "")):
        number, unit = found[-1]
        return int(number) * _UNITS[unit.lower()]
    return _DEFAULT_HEAP.get(container.role)


# Where brokers keep their data by their images' own configuration, as far as that is one place.
_DATA: Mapping[FamilyName, str] = {
    "cp": "/var/lib/kafka/data",
    "bitnami": "/bitnami/kafka/data",
    "wurstmeister": "/kafka",
    "debezium": "/kafka/data",
    "redpanda": "/var/lib/redpanda/data",
}


def data_directory(container: Container) -> str:
    """Where a broker keeps its data if no setting says; "" where that is not known."""
    return _DATA.get(family_of(container.image), "") if container.role == "broker" else ""


class DurablePlace(NamedTuple):
    """Where a named volume is mounted that a family's user may write to, and the log.dirs on it ("": as it is)."""

    mount: str
    log_dirs: str = ""


_PLACES: Mapping[FamilyName, DurablePlace] = {
    "cp": DurablePlace("/var/lib/kafka/data", "/var/lib/kafka/data"),
    "apache": DurablePlace("/var/lib/kafka/data", "/var/lib/kafka/data"),
    "bitnami": DurablePlace("/bitnami/kafka", "/bitnami/kafka/data"),
    "wurstmeister": DurablePlace("/kafka", "/kafka/kafka-logs"),  # its own has the container's id in its name
    "debezium": DurablePlace("/kafka/data"),
    "redpanda": DurablePlace("/var/lib/redpanda/data"),
}


def durable_place(container: Container, directory: str) -> DurablePlace | None:
    """Where a broker that keeps its data in `directory` can keep it on a volume; None where nobody here knows."""
    family = family_of(container.image)
    place = _PLACES.get(family)
    if place is None:
        return None
    inside = directory == place.mount or directory.startswith(f"{place.mount}/")
    return DurablePlace(place.mount) if inside and family != "wurstmeister" else place


# Where the families keep Kafka's own programs; elsewhere they are on the path, without an ending.
_PROGRAMS: Mapping[FamilyName, str] = {
    "apache": "/opt/kafka/bin/{}.sh",
    "bitnami": "/opt/bitnami/kafka/bin/{}.sh",
    "wurstmeister": "/opt/kafka/bin/{}.sh",
    "debezium": "/kafka/bin/{}.sh",
    "strimzi": "/opt/kafka/bin/{}.sh",
}


def program_of(container: Container, name: str) -> str:
    """How one of Kafka's programs (kafka-topics) is called in this container; "" where its image has none."""
    if family_of(container.image) == "redpanda" or "-native" in container.image:
        return ""
    return _PROGRAMS.get(family_of(container.image), "{}").format(name)


def cluster_id_variable(container: Container) -> str:
    """What tells a KRaft broker its cluster's id; "" where no variable does."""
    family = family_of(container.image)
    if family in ("strimzi", "redpanda") or (family == "unknown" and not container.environment.get("CLUSTER_ID")):
        return ""
    return "KAFKA_KRAFT_CLUSTER_ID" if family == "bitnami" else "CLUSTER_ID"
