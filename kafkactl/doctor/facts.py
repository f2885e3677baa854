"""What the doctor knows about a stack at one moment. Pure data: saved and read back, it gives the same findings.

A part that could not be read is None (or empty), and `missing` says why under the part's name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import msgspec

from kafkactl.containers.model import Container, Death, Memory, Role
from kafkactl.containers.sought import Sought
from kafkactl.doctor.signs import Sign
from kafkactl.errors import ClientRefusal
from kafkactl.groups.observation import Observation
from kafkactl.groups.report import Thresholds
from kafkactl.topics import Place

SCHEMA_VERSION = 4  # 2: engine and stack; 3: commands are lists of words; 4: refusals have codes

NO_STACK = "there is no Kafka stack in containers"  # the engine answers, but has none

Manner = Literal["kafka", "refuses", "unresolved", "refused", "silent", "closes", "http", "mute", "unreachable"]


@dataclass(frozen=True)
class Dial:
    """What happened when host:port was dialled.

    `manner`: kafka (it speaks Kafka's protocol to us), refuses (it does, but not in our way: `refusal`), unresolved
    (the name does not resolve), refused (nothing listens), silent (the connection times out: a firewall, a wrong host),
    closes (accepts, then closes), http (it speaks that), mute (accepts but never answers), unreachable (no route).
    `why` says so in the system's words.
    """

    host: str
    port: int
    manner: Manner
    why: str = ""
    refusal: ClientRefusal | None = None

    @property
    def is_kafka(self) -> bool:
        """Whether a broker answers there, to this client or not."""
        return self.manner in ("kafka", "refuses")

    @property
    def address(self) -> str:
        """host:port, as it is typed."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class BrokerFacts:
    """A broker as the cluster's metadata names it, whether its address works from here, and its settings.

    `settings` hold what the checks use; empty if the broker did not answer. Disk figures are in bytes.
    """

    id: int
    dial: Dial
    settings: Mapping[str, str] = field(default_factory=dict)
    disk_total: int | None = None
    disk_usable: int | None = None


@dataclass(frozen=True)
class PartitionFacts:
    """A partition. Offsets are None if its leader did not answer; `newest` is its latest timestamp, in ms.

    `grown` is how many records arrived during the sample, None without a sample.
    """

    id: int
    leader: int | None
    replicas: tuple[int, ...]
    isr: tuple[int, ...]
    first: int | None = None
    end: int | None = None
    newest: int | None = None
    grown: int | None = None


@dataclass(frozen=True)
class LetterFacts:
    """What a dead-letter topic holds: how many records, at most, nobody has replayed or parked; None if not known.

    `source` is the topic, and `error` the class of the error, of the latest one, "" where its headers tell nothing;
    `missing` is why it is not known what was replayed.
    """

    pending: int | None
    source: str = ""
    error: str = ""
    missing: str = ""


@dataclass(frozen=True)
class TopicFacts:
    """A topic with its settings' values.

    `bytes` is the size of all its replicas, `last_day` how many of its offsets were written in the last 24 hours; None
    if unknown.
    """

    name: str
    partitions: tuple[PartitionFacts, ...]
    config: Mapping[str, str] = field(default_factory=dict)
    bytes: int | None = None
    last_day: int | None = None
    letters: LetterFacts | None = None  # where it is known to hold dead letters

    @property
    def span(self) -> int:
        """How many offsets it holds, as far as that is known."""
        return sum(max(0, p.end - p.first) for p in self.partitions if p.end is not None and p.first is not None)


@dataclass(frozen=True)
class MoveFacts:
    """A partition that gets replicas on the brokers `to`; bytes of them, None if unknown; `grown` during the sample."""

    topic: str
    partition: int
    to: tuple[int, ...] = ()
    copied: int | None = None
    whole: int | None = None
    grown: int | None = None

    @property
    def place(self) -> Place:
        """Which partition."""
        return Place(self.topic, self.partition)


@dataclass(frozen=True)
class LeftThrottle:
    """What a move left throttled: brokers, and topics' replicas. `ours`: kafkactl set it, from this machine."""

    brokers: tuple[int, ...]
    topics: tuple[str, ...]
    rate: int  # bytes a second
    ours: bool = True


@dataclass(frozen=True)
class ClusterFacts:
    """A cluster that answers. `mode` is KRaft or ZooKeeper, "" if no broker said."""

    id: str
    mode: str
    brokers: tuple[BrokerFacts, ...]
    topics: tuple[TopicFacts, ...]
    quorum_leader: int | None = None  # KRaft: -1 where the controllers have none or do not answer
    denied: Mapping[str, str] = field(default_factory=dict)  # declared topics we may not see, and why
    sampled: float = 0.0  # seconds between the two samples of the partitions' ends
    may_create: bool | None = None  # whether this user may create the first declared topic that is missing
    moves: tuple[MoveFacts, ...] = ()
    left_throttle: LeftThrottle | None = None

    @cached_property
    def _by_name(self) -> Mapping[str, TopicFacts]:
        return {topic.name: topic for topic in self.topics}

    def topic(self, name: str) -> TopicFacts | None:
        """The topic of this name."""
        return self._by_name.get(name)


@dataclass(frozen=True)
class DeclaredTopic:
    """A topic of topics.yaml, as far as checks need it."""

    name: str
    partitions: int | None
    replication: int | None
    consumers: Mapping[str, str] = field(default_factory=dict)  # service → its group


@dataclass(frozen=True)
class ProbeStep:
    """One step of the round trip (`--probe`). `reason` says why it failed or was not tried; `ok` is then false."""

    name: str
    ok: bool
    reason: str = ""


@dataclass(frozen=True)
class EngineFacts:
    """The selected Docker engine.

    `failure` is how it failed to answer this `user` ("" if it answered), `message` that in words; `named`: DOCKER_HOST
    or a docker context selects it, so an engine is expected. `ahead` is by how many seconds its clock is ahead of
    ours, `memory` its machine's in bytes.
    """

    address: str
    source: str
    named: bool = False
    failure: str = ""
    message: str = ""
    user: str = ""
    memory: int = 0
    architecture: str = ""
    ahead: float = 0.0
    other_context: str = ""  # a docker context that names another engine than DOCKER_HOST does

    @property
    def is_podman(self) -> bool:
        """Whether Podman stands in for Docker: its socket is called so."""
        return "podman" in self.address


@dataclass(frozen=True)
class Answer:
    """What a side service's published port answers over HTTP: the status (0 if none), and what is wrong with it."""

    url: str
    status: int
    why: str = ""


@dataclass(frozen=True)
class Unstarted:
    """A service of the compose file that has no container: its image, its name, and who has that name already."""

    service: str
    role: Role
    file: str
    image: str
    pulled: bool
    container_name: str
    holder: str  # the project whose container has the name; "" where nobody has it


@dataclass(frozen=True)
class StackFacts:
    """The stack's containers. Only those of their variables that a check uses are kept, without secrets.

    `compose` are the words that call compose for this project (none if it is not installed, or did not start it).
    The mappings use the container's name as key: `memory` in use; `deaths`, how a restarting container last exited;
    `signs` in the log of a container in trouble; `last`, the last log line of an exited one; `dials`, a broker's
    published ports; `zookeeper`, its answer to `srvr` ("" is none); `answers` of the side services. `holders` says who
    uses a host port (by its number) that a container needs; `architectures` what an image (by its id) was built for;
    `sought` where a container looks for Kafka; `absent` are the compose file's services without a container.
    `free_ports` are those of SPARE_PORTS at which nothing listens on the engine's machine, where a broker lacks one.
    """

    project: str | None
    compose: tuple[str, ...]
    containers: tuple[Container, ...]
    files: tuple[str, ...] = ()  # compose's
    memory: Mapping[str, Memory] = field(default_factory=dict)
    deaths: Mapping[str, Death] = field(default_factory=dict)
    signs: Mapping[str, tuple[Sign, ...]] = field(default_factory=dict)
    last: Mapping[str, str] = field(default_factory=dict)
    dials: Mapping[str, tuple[Dial, ...]] = field(default_factory=dict)
    zookeeper: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    holders: Mapping[str, str] = field(default_factory=dict)
    architectures: Mapping[str, str] = field(default_factory=dict)
    sought: Mapping[str, tuple[Sought, ...]] = field(default_factory=dict)
    absent: tuple[Unstarted, ...] = ()
    free_ports: tuple[int, ...] = ()

    def of_role(self, *roles: Role) -> tuple[Container, ...]:
        """The containers that are this in the stack."""
        return tuple(container for container in self.containers if container.role in roles)

    def answers_kafka(self, container: Container) -> bool:
        """Whether a broker serves Kafka's protocol at one of its published ports."""
        return any(dial.manner == "kafka" for dial in self.dials.get(container.name, ()))


@dataclass(frozen=True)
class Facts:
    """Everything.

    `bootstrap` are the given addresses, dialled; `source` says where they come from, `flags` how they were typed on the
    command line. `elsewhere` are other addresses of this machine where Kafka may be, dialled if the given ones do not
    work. `trouble` says why a Kafka that answers does not serve this client.
    """

    taken: int  # ms since 1970
    source: str
    bootstrap: tuple[Dial, ...]
    brokers: tuple[BrokerFacts, ...] | None = None  # as the metadata names them, dialled
    cluster: ClusterFacts | None = None
    trouble: ClientRefusal | None = None
    declared: tuple[DeclaredTopic, ...] | None = None
    groups: Observation | None = None
    thresholds: Thresholds = field(default_factory=Thresholds)
    missing: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    principal: str = ""  # this user, as Kafka names it; "" where that is not known
    elsewhere: tuple[Dial, ...] = ()
    probe: tuple[ProbeStep, ...] | None = None
    engine: EngineFacts | None = None
    stack: StackFacts | None = None
    compose_up: tuple[
        str, ...
    ] = ()  # the command that starts the compose file here, in words; empty where there is none
    root: bool = False  # whether the user is root here
    schema_version: int = SCHEMA_VERSION


def dump_facts(facts: Facts) -> bytes:
    """The facts as one JSON document."""
    return msgspec.json.format(msgspec.json.encode(facts))


def load_facts(text: bytes) -> Facts:
    """Facts as `dump` wrote them. Raises ValueError with what is wrong with them."""
    try:
        facts = msgspec.json.decode(text, type=Facts)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from None
    if facts.schema_version != SCHEMA_VERSION:
        raise ValueError(f"it has version {facts.schema_version}, but this kafkactl reads version {SCHEMA_VERSION}")
    return facts
