"""KD2: do the disks have space, and is each broker's data persistent, its own, and writable? Pure."""

import re
from collections.abc import Iterator

from kafkactl.containers.broker_settings import setting
from kafkactl.containers.families import cluster_id_variable, user_number
from kafkactl.containers.model import Mount
from kafkactl.doctor.checks.container_remedies import (
    changed,
    compose,
    docker,
    on_a_volume,
    recreate,
    recreated,
    stack,
    with_settings,
)
from kafkactl.doctor.checks.data_places import directories, is_anonymous, mount_of
from kafkactl.doctor.checks.lifecycle import log_line, severity, suffering
from kafkactl.doctor.checks.troubles import Trouble, told_by
from kafkactl.doctor.codes import Finding, NotApplicableError, Severity, check
from kafkactl.doctor.facts import Facts, TopicFacts
from kafkactl.text.remedies import Advice, Remedy, ServiceChange, command
from kafkactl.text.units import is_number, retention_text
from kafkactl.text.words import and_more, size

_WARNING, _ERROR = 85, 95  # percent
_DAY = 86_400_000  # ms
_HIGHEST_ID = 1000  # reserved.broker.max.id


@check("KD202")
def disk_low(facts: Facts) -> Iterator[Finding]:
    known = [broker for broker in (facts.cluster.brokers if facts.cluster else ()) if broker.disk_total]
    if not known:
        raise NotApplicableError(facts.missing.get("sizes", "no broker reported its disk"))
    for broker in known:
        usable, total = broker.disk_usable or 0, broker.disk_total or 1
        percent = 100 - 100 * usable // total
        if percent >= _WARNING:
            values = {"percent": percent, "free": size(usable)}
            severity: Severity = "error" if percent >= _ERROR else "warning"
            seen = ("seen", f"DescribeLogDirs: {usable:,} of {total:,} bytes usable")
            yield Finding(str(broker.id), values, [seen], severity=severity)


@check("KD208")
def retention_beyond_disk(facts: Facts) -> Iterator[Finding]:
    brokers = facts.cluster.brokers if facts.cluster else ()
    usable = [broker.disk_usable for broker in brokers if broker.disk_usable is not None]
    if facts.cluster is None or not usable:
        raise NotApplicableError(facts.missing.get("sizes", "no broker reported its disk"))
    free = sum(usable)
    for topic in facts.cluster.topics:
        kept = _retention(topic)
        if not topic.bytes or not topic.last_day or not topic.span or kept is None:
            continue
        daily = topic.bytes * topic.last_day / topic.span
        if daily * kept / _DAY > topic.bytes + free:
            days = int((topic.bytes + free) / daily)
            yield Finding(
                topic.name,
                {
                    "rate": size(daily),
                    "retention": retention_text(kept),
                    "wanted": size(daily * kept / _DAY),
                    "free": size(free),
                    "affordable": f"{days}d" if days else "12h",
                },
                [
                    (
                        "seen",
                        f"{topic.last_day:,} of {topic.span:,} offsets ({size(topic.bytes)}) arrived in 24 hours",
                    )
                ],
            )


def _retention(topic: TopicFacts) -> int | None:
    """How long (ms) a topic without a size limit keeps records; None if retention cannot fill its disk."""
    if topic.config.get("retention.bytes", "-1") != "-1" or "delete" not in topic.config.get("cleanup.policy", ""):
        return None
    text = topic.config.get("retention.ms", "")
    return int(text) if is_number(text) else None


@check("KD201")
def not_on_volume(facts: Facts) -> Iterator[Finding]:
    for container in stack(facts).of_role("broker"):
        for directory in directories(facts, container):
            mount = mount_of(container, directory)
            if mount and not is_anonymous(mount) and mount.kind != "tmpfs":
                continue
            where = "in the container itself" if mount is None else f"on {_kind(mount)}"
            lost = "it is lost when the container is recreated"
            if mount and mount.kind != "tmpfs":
                lost = "it stays behind, unused, when the container is removed"
            yield Finding(
                container.name,
                {"directory": directory, "where": where, "lost": lost},
                [
                    (
                        "seen",
                        f"mounted: {and_more(f'{m.kind} at {m.destination}' for m in container.mounts) or 'nothing'}",
                    )
                ],
                on_a_volume(facts, container, directory),
            )


def _kind(mount: Mount) -> str:
    return "a tmpfs" if mount.kind == "tmpfs" else "an anonymous volume"


@check("KD203")
def log_dir_failed(facts: Facts) -> Iterator[Finding]:
    for trouble in told_by(facts, "KD203"):
        full = trouble.sign is not None and trouble.sign.kind == "disk-full"
        where = _place(trouble)
        heal: list[Remedy] = [
            Advice(f"free space on {where}, or use a larger disk" if full else f"repair {where}"),
            docker("restart", trouble.container, note="once that is done"),
        ]
        yield _finding(trouble, heal, why="its disk is full" if full else "its log directory has failed")


@check("KD204")
def not_writable(facts: Facts) -> Iterator[Finding]:
    for trouble in told_by(facts, "KD204"):
        container = trouble.container
        path = trouble.sign.found.get("path", "") if trouble.sign else ""
        mount = mount_of(container, path)
        owner = user_number(container)
        again, heal = docker("restart", container), list[Remedy]()
        if not owner:
            look = command(
                "docker", "run", "--rm", "--entrypoint", "id", container.image, note="shows its user's number"
            )
            heal = [look, Advice(f"make {mount.source if mount else path} writable for that number, then"), again]
        elif mount and mount.kind == "bind":
            sudo = () if facts.root else ("sudo",)
            heal = [command(*sudo, "chown", "-R", f"{owner}:{owner}", mount.source).then(again)]
        elif mount:
            run = ("docker", "run", "--rm", "--user", "0", "--entrypoint", "chown", "-v", f"{mount.source}:/data")
            heal = [command(*run, container.image, "-R", f"{owner}:{owner}", "/data").then(again)]
        else:
            heal = [Advice(f"make {path or 'its log directory'} writable for user {owner} in the image"), again]
        yield _finding(trouble, heal, path=mount.destination if mount else path, user=container.user or "root")


def _place(trouble: Trouble) -> str:
    container = trouble.container
    path = (trouble.sign.found.get("path") if trouble.sign else "") or setting(container, "LOG_DIRS")
    mount = mount_of(container, path) if path else None
    if mount is None:
        return f"the disk of {path or container.name}"
    return f"{mount.source} ({mount.kind} at {mount.destination})" if mount.source else f"the {mount.kind} at {path}"


@check("KD205")
def cluster_id(facts: Facts) -> Iterator[Finding]:
    for trouble in told_by(facts, "KD205"):
        container = trouble.container
        found = trouble.sign.found if trouble.sign else {}
        stored, wanted = found.get("stored", "?"), found.get("wanted", "?")
        lost = "deletes all records: only if you can afford to lose them"
        wipe = compose(facts, "down", "-v").then(compose(facts, "up", "-d", note=lost))
        if setting(container, "ZOOKEEPER_CONNECT"):
            keep = f"to keep the data: give ZooKeeper its old volume (of cluster {stored}) back, and restart both"
            heal: list[Remedy] = [Advice(keep), wipe]
        else:
            name = cluster_id_variable(container)
            heal = recreated(facts, container, f"the cluster's id to {stored} where its directory is formatted")
            if name:
                heal = changed(facts, container, ServiceChange(container.service, variables=((name, stored),)))
            heal = [*heal, wipe]
        yield _finding(trouble, heal, stored=stored, wanted=wanted)


@check("KD206")
def node_id(facts: Facts) -> Iterator[Finding]:
    for trouble in told_by(facts, "KD206"):
        container = trouble.container
        found = trouble.sign.found if trouble.sign else {}
        stored, wanted = found.get("stored", "?"), found.get("wanted", "?")
        # Above 1000 are ids that Kafka made itself, and takes from the disk; it refuses them in its settings.
        values = {"BROKER_ID": "-1" if is_number(stored) and int(stored) > _HIGHEST_ID else stored}
        if setting(container, "PROCESS_ROLES"):
            values = {"NODE_ID": stored}
            voters = setting(container, "CONTROLLER_QUORUM_VOTERS").split(",")
            # A node that is a controller has to be among the voters, by the same id.
            if any(voter.startswith(f"{wanted}@") for voter in voters):
                with_it = [re.sub(rf"^{re.escape(wanted)}@", f"{stored}@", voter) for voter in voters]
                values["CONTROLLER_QUORUM_VOTERS"] = ",".join(with_it)
        yield _finding(trouble, with_settings(facts, container, values), stored=stored, wanted=wanted)


@check("KD207")
def unformatted(facts: Facts) -> Iterator[Finding]:
    for trouble in told_by(facts, "KD207"):
        container = trouble.container
        heal: list[Remedy] = [
            Advice(
                "run kafka-storage format --ignore-formatted with the cluster's id before the broker starts, as the "
                "images' own start script does"
            ),
            recreate(facts, container, "once the service does that"),
        ]
        yield _finding(trouble, heal)


def _finding(trouble: Trouble, heal: list[Remedy], **values: object) -> Finding:
    container = trouble.container
    return Finding(container.name, values, [*log_line(trouble), *suffering(trouble)], heal, severity(container))
