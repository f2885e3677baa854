"""Containers as the engine shows them. Frozen facts, read from its answers; nothing here asks anything."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from kafkactl.text.remedies import Advice, Remedy, command, kafkactl

Role = Literal["broker", "controller", "zookeeper", "ui", "exporter", "other"]

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"


@dataclass(frozen=True)
class Health:
    """What a container's health check says; `output` and `exit_code` are those of its last run, if it ran."""

    status: str  # starting, healthy, unhealthy
    failing_streak: int
    exit_code: int | None
    output: str


@dataclass(frozen=True)
class Port:
    """A port of a container, and where the host publishes it; `host_port` is None where it does not."""

    container_port: int
    protocol: str
    host_ip: str = ""
    host_port: int | None = None


@dataclass(frozen=True)
class Mount:
    """What lies at a path of a container: a named volume, a directory of the host, a tmpfs."""

    kind: str
    source: str  # the volume's name, or the host's path
    destination: str


@dataclass(frozen=True)
class Memory:
    """Memory in bytes, the page cache that can be given back not counted; as `docker stats` counts it."""

    used: int
    limit: int


@dataclass(frozen=True)
class Death:
    """A container that ended: its exit code, and whether the kernel had killed something in it for want of memory."""

    exit_code: int
    oom: bool


@dataclass(frozen=True)
class Container:
    """One container, inspected. Times are UTC, None where it never happened; sizes are bytes.

    `status` is Docker's own word: created, running, paused, restarting, exited, dead. (Its `Running` is true while
    it restarts and while it is paused.) `environment` may hold secrets and is never printed whole.
    """

    id: str
    name: str
    service: str  # the compose service's name; the container's own where there is none
    project: str | None
    role: Role
    image: str
    status: str
    exit_code: int
    error: str
    oom_killed: bool
    restarts: int
    restart_policy: str
    created: datetime | None
    started: datetime | None
    finished: datetime | None
    health: Health | None
    ports: tuple[Port, ...]
    mounts: tuple[Mount, ...]
    networks: tuple[str, ...]
    memory_limit: int | None
    command: tuple[str, ...]
    healthcheck: tuple[str, ...]
    image_id: str
    tty: bool = False
    user: str = ""  # whom its processes run as, as the image or compose says; "" is root
    aliases: tuple[str, ...] = ()  # what it is called in its networks, besides its own name
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def finished_well(self) -> bool:
        """Whether this one-shot service has done its work: it ended with 0, and nothing was to start it again."""
        return self.status == "exited" and self.exit_code == 0 and self.restart_policy in ("", "no", "on-failure")


def read_container(attributes: Mapping[str, Any]) -> Container:
    """A container from the engine's inspect answer."""
    state, config, host = attributes["State"], attributes["Config"], attributes.get("HostConfig") or {}
    name = attributes["Name"].lstrip("/")
    labels = config.get("Labels") or {}
    environment = dict(entry.partition("=")[::2] for entry in config.get("Env") or [])
    command = (*_words(config.get("Entrypoint")), *_words(config.get("Cmd")))
    service = labels.get(SERVICE, name)
    return Container(
        id=attributes["Id"],
        name=name,
        service=service,
        project=labels.get(PROJECT),
        role=role_of(service, config["Image"], name, environment, command),
        image=config["Image"],
        status=state["Status"],
        exit_code=state.get("ExitCode") or 0,
        error=state.get("Error") or "",
        oom_killed=bool(state.get("OOMKilled")),
        restarts=attributes.get("RestartCount") or 0,
        restart_policy=(host.get("RestartPolicy") or {}).get("Name") or "",
        created=docker_time(attributes.get("Created")),
        started=docker_time(state.get("StartedAt")),
        finished=docker_time(state.get("FinishedAt")),
        health=_health(state.get("Health") or state.get("Healthcheck")),  # Podman's older word
        ports=_ports(attributes),
        mounts=tuple(_mount(entry) for entry in attributes.get("Mounts") or []),
        networks=tuple(sorted(attributes.get("NetworkSettings", {}).get("Networks") or {})),
        memory_limit=host.get("Memory") or None,
        command=command,
        healthcheck=tuple((config.get("Healthcheck") or {}).get("Test") or ()),
        image_id=attributes.get("Image") or "",
        tty=bool(config.get("Tty")),
        user=config.get("User") or "",
        aliases=_aliases(attributes),
        labels=labels,
        environment=environment,
    )


def _aliases(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    networks = (attributes.get("NetworkSettings") or {}).get("Networks") or {}
    return tuple(sorted({alias for network in networks.values() for alias in (network or {}).get("Aliases") or ()}))


def _words(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def _health(answer: Mapping[str, Any] | None) -> Health | None:
    if not answer or answer.get("Status") in (None, "", "none"):
        return None
    last = (answer.get("Log") or [{}])[-1]
    return Health(
        answer["Status"], answer.get("FailingStreak") or 0, last.get("ExitCode"), (last.get("Output") or "").strip()
    )


def _ports(attributes: Mapping[str, Any]) -> tuple[Port, ...]:
    """Published and exposed ports. For a container that is not running, the ports it requests."""
    bound = (attributes.get("NetworkSettings") or {}).get("Ports") or {}
    wanted = (attributes.get("HostConfig") or {}).get("PortBindings") or {}
    found = set()
    for spec, bindings in {**wanted, **bound}.items():
        number, _, protocol = spec.partition("/")
        for binding in bindings or [{}]:
            host_port = binding.get("HostPort")
            found.add(
                Port(int(number), protocol or "tcp", binding.get("HostIp") or "", int(host_port) if host_port else None)
            )
    return tuple(sorted(found, key=lambda port: (port.container_port, port.protocol, port.host_ip)))


def _mount(entry: Mapping[str, Any]) -> Mount:
    source = entry.get("Name") or entry.get("Source") or ""
    return Mount(entry.get("Type") or "", source, entry.get("Destination") or "")


def read_memory(answer: Mapping[str, Any]) -> Memory | None:
    """Memory from the engine's statistics; None where the container does not run."""
    memory = answer.get("memory_stats") or {}
    if not memory.get("usage"):
        return None
    details = memory.get("stats") or {}
    cache = details.get("inactive_file", details.get("total_inactive_file", 0))  # cgroups v2, v1
    return Memory(max(0, memory["usage"] - cache), memory.get("limit") or 0)


def docker_time(text: str | None) -> datetime | None:
    """A time as Docker writes it (RFC 3339, nanoseconds); None for its "never", which is the year 1."""
    if not text or text.startswith("0001-"):
        return None
    return datetime.fromisoformat(text).astimezone(UTC)


# What the variables of the images in use say of themselves.
_VARIABLES: tuple[tuple[str, Role], ...] = (
    (r"KAFKA_CLUSTERS_\d+_", "ui"),
    (
        r"(KAFKA|KAFKA_CFG)_(ADVERTISED_LISTENERS|LISTENERS|ZOOKEEPER_CONNECT|PROCESS_ROLES|ADVERTISED_HOST_NAME)$",
        "broker",
    ),
    (r"ZOOKEEPER_CLIENT_PORT$|ZOO_MY_ID$", "zookeeper"),
)
# Names of side services, and names of one-shot services that prepare a broker.
_BESIDE = re.compile(
    r"\b(ui|exporter|connect|rest|schema|registry|manager|lag|console|proxy|consumers?|producers?|streams?|app|clients?"
    r"|workers?|listener|processor|sink|source|mirror|mirrormaker|bridge|api|service|example|demo|admin|web|backend)\b"
)
_ONE_SHOT = re.compile(r"\b(init|setup|topics|cli)\b")


def role_of(
    service: str,
    image: str,
    name: str,
    environment: Mapping[str, str] = {},
    command: tuple[str, ...] = (),
) -> Role:
    """What a container is in a Kafka stack: by its variables and command, else by its names."""
    if any(word.startswith("--kafka.server") for word in command):
        return "exporter"
    if any("zookeeper-server-start" in word for word in command):
        return "zookeeper"
    if any("kafka-server-start" in word for word in command):
        return "broker"
    given = {key for key, value in environment.items() if value}  # images have some empty ones
    for pattern, role in _VARIABLES:
        if any(re.match(pattern, key) for key in given):
            roles = environment.get("KAFKA_PROCESS_ROLES", environment.get("KAFKA_CFG_PROCESS_ROLES", ""))
            return "controller" if role == "broker" and roles == "controller" else role
    texts = (service, image.rpartition("/")[2].partition(":")[0], name)
    return next((role for role in map(_role_by_name, texts) if role), "other")


def _role_by_name(text: str) -> Role | None:
    words = re.sub(r"[^a-z]+", " ", text.lower())
    if _ONE_SHOT.search(words):
        return "other"
    if re.search(r"\bfast data dev\b", words):
        return "broker"  # and ZooKeeper, and more
    if not re.search(r"\b(kafka|redpanda)\b", words):
        return "zookeeper" if re.search(r"\bzookeeper\b", words) else None
    beside = _BESIDE.search(words)
    if beside is None:
        return "broker"
    return "ui" if beside[1] == "ui" else "exporter" if beside[1] == "exporter" else "other"


class LogLine(NamedTuple):
    """A line of a service's log, without its end. `time`: nanoseconds since the epoch; 0 where it is not known."""

    time: int
    service: str
    text: str


def merged_by_time(lines: list[LogLine]) -> list[LogLine]:
    """Lines in the order of time; those of one time, and so of one service, stay as they came."""
    return sorted(lines, key=lambda line: line.time)


def nanoseconds(stamp: str) -> int | None:
    """Nanoseconds since the epoch from RFC 3339 (2026-11-23T07:22:54.200746452Z); None for anything else."""
    head, _, rest = stamp.partition(".")
    digits = rest.rstrip("Z").partition("+")[0].partition("-")[0]
    try:
        whole = datetime.fromisoformat(head + rest[len(digits) :])
    except ValueError:
        return None
    if whole.tzinfo is None or not (digits.isdigit() or not digits):
        return None
    return int(whole.timestamp()) * 1_000_000_000 + int(digits.ljust(9, "0")[:9])


EngineFailure = Literal["absent", "refused", "denied", "hung", "context", "address", "foreign", "failed"]


def engine_remedies(kind: str, user: str) -> list[Remedy]:
    """The remedies for an engine that fails in this way; none if unknown."""
    start = Advice("start it: sudo systemctl start docker, Docker Desktop, or colima start")
    restart = Advice("restart it: sudo systemctl restart docker, Docker Desktop's Restart, or colima restart")
    without = kafkactl("sandbox up", note="a Kafka without Docker")
    contexts = command("docker", "context", "ls", note="lists the contexts; DOCKER_HOST overrides them")
    found: Mapping[str, list[Remedy]] = {
        "absent": [start, without],
        "refused": [start, without],
        "denied": [command("sudo", "usermod", "-aG", "docker", user).then(command("newgrp", "docker"))],
        "hung": [restart],
        "context": [contexts, command("docker", "context", "use", "default")],
        "foreign": [contexts],
    }
    return found.get(kind, [])
