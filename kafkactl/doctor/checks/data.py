"""KD2: is the brokers' data where it lasts, theirs, and can it be written? Pure."""

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from kafkactl.containers.model import Container, Mount
from kafkactl.doctor.checks.containers import log_line, severity, suffering
from kafkactl.doctor.checks.healing import anew, compose, up
from kafkactl.doctor.checks.troubles import Trouble, stack, told_by
from kafkactl.doctor.facts import BrokerFacts, Facts
from kafkactl.doctor.findings import Check, Finding
from kafkactl.doctor.listeners import advertised, variable
from kafkactl.words import and_more

_ANONYMOUS = re.compile(r"[0-9a-f]{64}")


def not_on_volume(facts: Facts) -> Iterator[Finding]:
    """KD201"""
    for container in stack(facts).of_role("broker"):
        for directory in _directories(facts, container):
            mount = _mount(container, directory)
            if mount and not _ANONYMOUS.fullmatch(mount.source) and mount.kind != "tmpfs":
                continue
            where = "in the container itself" if mount is None else f"on {_kind(mount)}"
            yield Finding(
                container.name,
                {"directory": directory, "where": where},
                [
                    (
                        "seen",
                        f"mounted: {and_more(f'{m.kind} at {m.destination}' for m in container.mounts) or 'nothing'}",
                    )
                ],
                anew(
                    facts,
                    container,
                    f'volumes: ["{container.service}-data:{directory}"], and name that volume at the file\'s end',
                    "makes it anew: what it holds now is not taken along",
                ),
            )


def _kind(mount: Mount) -> str:
    return "a tmpfs" if mount.kind == "tmpfs" else "a volume without a name"


def _directories(facts: Facts, container: Container) -> list[str]:
    """Where a broker keeps its logs: as it says itself, else as its variables do."""
    broker = _broker_of(facts, container)
    told = (broker.settings.get("log.dirs") or broker.settings.get("log.dir", "")) if broker else ""
    text = told or variable(container.environment, "LOG_DIRS") or variable(container.environment, "LOG_DIR")
    return [directory.strip() for directory in text.split(",") if directory.strip()]


def _broker_of(facts: Facts, container: Container) -> BrokerFacts | None:
    """The broker that runs in this container: it has an address that this one advertises."""
    brokers = facts.cluster.brokers if facts.cluster else ()
    addresses = {listener.address for listener in advertised(container)}
    return next((broker for broker in brokers if broker.dial.address in addresses), None)


def _mount(container: Container, directory: str) -> Mount | None:
    """What the directory lies on."""
    path = PurePosixPath(directory)
    above = [mount for mount in container.mounts if path.is_relative_to(mount.destination)]
    return max(above, key=lambda mount: len(mount.destination), default=None)


def failed(facts: Facts) -> Iterator[Finding]:
    """KD203"""
    for trouble in told_by(facts, "KD203"):
        full = trouble.sign is not None and trouble.sign.kind == "disk-full"
        where = _place(trouble)
        heal = [
            f"make room on {where}, or give it a larger one" if full else f"repair {where}",
            f"docker restart {trouble.container.name}    when that is done",
        ]
        yield _finding(trouble, heal, why="its disk is full" if full else "its log directory has failed")


def not_writable(facts: Facts) -> Iterator[Finding]:
    """KD204"""
    for trouble in told_by(facts, "KD204"):
        container = trouble.container
        path = trouble.sign.found.get("path", "") if trouble.sign else ""
        mount = _mount(container, path)
        owner = container.user.partition(":")[0] or "1000"
        again = f"docker restart {container.name}"
        if mount and mount.kind == "bind":
            sudo = "" if facts.root else "sudo "
            heal = [f"{sudo}chown -R {owner}:{owner} {shlex.quote(mount.source)} && {again}"]
        elif mount:
            chown = f"docker run --rm --user 0 --entrypoint chown -v {mount.source}:/data {container.image}"
            heal = [f"{chown} -R {owner}:{owner} /data && {again}"]
        else:
            heal = [f"make {path or 'its log directory'} writable for user {owner} in the image", again]
        yield _finding(trouble, heal, path=mount.destination if mount else path, user=container.user or "root")


def _place(trouble: Trouble) -> str:
    container = trouble.container
    path = (trouble.sign.found.get("path") if trouble.sign else "") or variable(container.environment, "LOG_DIRS")
    mount = _mount(container, path) if path else None
    if mount is None:
        return f"the disk of {path or container.name}"
    return f"{mount.source} ({mount.kind} at {mount.destination})" if mount.source else f"the {mount.kind} at {path}"


def cluster_id(facts: Facts) -> Iterator[Finding]:
    """KD205"""
    for trouble in told_by(facts, "KD205"):
        container = trouble.container
        found = trouble.sign.found if trouble.sign else {}
        stored, wanted = found.get("stored", "?"), found.get("wanted", "?")
        wipe = f"{compose(facts)} down -v && {compose(facts)} up -d    deletes all records: where they may be lost"
        if variable(container.environment, "ZOOKEEPER_CONNECT"):
            heal = [
                f"to keep the data: give ZooKeeper its old volume back, the one of cluster {stored}, and restart both",
                wipe,
            ]
        else:
            heal = [*anew(facts, container, f"CLUSTER_ID: {stored}"), wipe]
        yield _finding(trouble, heal, stored=stored, wanted=wanted)


def node_id(facts: Facts) -> Iterator[Finding]:
    """KD206"""
    for trouble in told_by(facts, "KD206"):
        container = trouble.container
        found = trouble.sign.found if trouble.sign else {}
        stored, wanted = found.get("stored", "?"), found.get("wanted", "?")
        name = "KAFKA_NODE_ID" if variable(container.environment, "PROCESS_ROLES") else "KAFKA_BROKER_ID"
        heal = anew(facts, container, f"{name}: {stored}")
        yield _finding(trouble, heal, stored=stored, wanted=wanted)


def unformatted(facts: Facts) -> Iterator[Finding]:
    """KD207"""
    for trouble in told_by(facts, "KD207"):
        container = trouble.container
        heal = [
            "let kafka-storage format --ignore-formatted run before the broker, with the cluster's id: the images' own "
            "start script does",
            up(facts, container, "once the service does that"),
        ]
        yield _finding(trouble, heal)


def _finding(trouble: Trouble, heal: list[str], **values: object) -> Finding:
    container = trouble.container
    return Finding(container.name, values, [*log_line(trouble), *suffering(trouble)], heal, severity(container))


CHECKS: Mapping[str, Check] = {
    "KD201": not_on_volume,
    "KD203": failed,
    "KD204": not_writable,
    "KD205": cluster_id,
    "KD206": node_id,
    "KD207": unformatted,
}
