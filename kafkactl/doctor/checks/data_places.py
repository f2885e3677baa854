"""Where a broker keeps its data, on which mount, and what becomes of it when the container is made anew. Pure."""

import re
from pathlib import PurePosixPath

from kafkactl.containers.broker_listeners import advertised
from kafkactl.containers.broker_settings import setting
from kafkactl.containers.families import data_directory
from kafkactl.containers.model import Container, Mount
from kafkactl.doctor.facts import BrokerFacts, Facts

_ANONYMOUS = re.compile(r"[0-9a-f]{64}")


def directories(facts: Facts, container: Container) -> list[str]:
    """Where a broker keeps its logs: as it reports itself, else as its variables and its image say."""
    broker = _broker_of(facts, container)
    told = (broker.settings.get("log.dirs") or broker.settings.get("log.dir", "")) if broker else ""
    text = told or setting(container, "LOG_DIRS") or setting(container, "LOG_DIR")
    return [directory.strip() for directory in (text or data_directory(container)).split(",") if directory.strip()]


def _broker_of(facts: Facts, container: Container) -> BrokerFacts | None:
    """The broker that runs in this container: the one whose address the container advertises."""
    brokers = facts.cluster.brokers if facts.cluster else ()
    addresses = {listener.address for listener in advertised(container)}
    return next((broker for broker in brokers if broker.dial.address in addresses), None)


def mount_of(container: Container, directory: str) -> Mount | None:
    """The mount that holds the directory; None for the container's own layer."""
    path = PurePosixPath(directory)
    above = [mount for mount in container.mounts if path.is_relative_to(mount.destination)]
    return max(above, key=lambda mount: len(mount.destination), default=None)


def is_anonymous(mount: Mount) -> bool:
    """Whether it is a volume without a name: `up` keeps it for the next container, `down` leaves it behind."""
    return bool(_ANONYMOUS.fullmatch(mount.source))


def is_lost_with_its_container(facts: Facts, container: Container) -> bool:
    """Whether a broker's data is in the container's own layer or in memory: whoever recreates it loses every topic."""
    if container.role not in ("broker", "controller"):
        return False
    mounts = [mount_of(container, directory) for directory in directories(facts, container)]
    return any(mount is None or mount.kind == "tmpfs" for mount in mounts)
