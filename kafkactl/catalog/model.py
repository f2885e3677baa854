"""What topics.yaml says, once it has been read, and the problems found while reading it. Pure data."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from kafkactl.errors import ExitCode, KafkactlError
from kafkactl.text.words import many

BUILT_IN_EVENTS = ("payment", "base")  # envelopes that need no schema under `events:`


@dataclass(frozen=True, order=True)
class Position:
    """A position in a file; line and column count from 1. Line 0 means the whole file."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, order=True)
class Problem:
    """An error or warning about a catalogue file."""

    position: Position
    message: str
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.position}   {'warning: ' if self.warning else ''}{self.message}"


@dataclass(frozen=True)
class Topic:
    """A declared topic with the values it must have in one environment.

    `partitions` and `replication` are None if neither the topic nor any defaults set them: the broker's
    own default then applies and is never drift. `config` holds Kafka's dotted keys with the values as Kafka
    writes them, retention included (`retention.ms`, milliseconds, -1 for infinite).
    """

    name: str
    partitions: int | None
    replication: int | None
    config: Mapping[str, str]
    position: Position
    description: str = ""
    producers: tuple[str, ...] = ()  # ("*",) means every service
    consumers: tuple[str, ...] = ()
    event: str | None = None
    event_type: str | None = None  # what its events say they are: None for the topic's name, "any" for several
    dlq: str | None = None
    dlq_value: str | None = None  # of a dead-letter topic: where in its values the original one is
    lag_threshold: int | None = None  # records
    mask: tuple[str, ...] = ()


@dataclass(frozen=True)
class Environment:
    """A cluster the catalogue knows by name."""

    name: str
    brokers: tuple[str, ...]
    position: Position
    client_config: Path | None = None  # resolved against the catalogue's directory
    cluster_id: str | None = None
    protected: bool = False
    schema_registry: str = ""
    password_command: str = ""  # only of a person's own
    principals: Mapping[str, str] = field(default_factory=dict)  # of services, where they are others here


@dataclass(frozen=True)
class Service:
    """A producer or consumer named in the catalogue."""

    name: str
    group: str
    aliases: tuple[str, ...] = ()
    lag_threshold: int | None = None  # records
    principal: str = ""  # who it is to Kafka: User:analytics
    transactional_ids: tuple[str, ...] = ()  # those that it uses; with * at the end, all that begin so


@dataclass(frozen=True)
class Catalog:
    """A valid topics.yaml, seen for one environment (or for none: the file's own defaults)."""

    path: Path
    topics: Mapping[str, Topic]
    environment: str | None = None
    environments: Mapping[str, Environment] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()  # globs of topics that are not ours
    removed: Mapping[str, Position] = field(default_factory=dict)  # topics that may be deleted
    events: Mapping[str, Path] = field(default_factory=dict)
    dlq_headers: Mapping[str, str] = field(default_factory=dict)  # a team's own names, by what each header says
    dedup_window: int | None = None  # ms; -1 for ever
    history: str = ""  # the topic in which changes are noted
    admins: tuple[str, ...] = ()  # principals that may do everything
    warnings: tuple[Problem, ...] = ()

    @property
    def declares_access(self) -> bool:
        """Whether it says who may do what."""
        return bool(self.admins) or any(service.principal for service in self.services.values())

    def service(self, name: str) -> Service:
        """The service of this name or alias; one that is not declared has the default group."""
        for service in self.services.values():
            if name == service.name or name in service.aliases:
                return service
        return Service(name, default_group(name))


def protected_environment(
    environments: Iterable[Environment],
    addresses: Iterable[str],
    cluster_id: str | None,
    resolved: Callable[[Iterable[str]], frozenset[str]] = frozenset,
) -> Environment | None:
    """The protected environment that a cluster of these addresses, or of this id, belongs to, if any.

    `resolved` says which addresses with numbers such addresses are, where their spelling does not tell.
    """
    protected = [environment for environment in environments if environment.protected]
    wanted = frozenset(map(_address, addresses))
    for environment in protected:
        same_id = cluster_id is not None and environment.cluster_id == cluster_id
        if same_id or wanted & {_address(broker) for broker in environment.brokers}:
            return environment
    numbers = resolved(wanted) if protected else frozenset()
    for environment in protected:
        if numbers & resolved(_address(broker) for broker in environment.brokers):
            return environment
    return None


def default_group(service: str) -> str:
    """The consumer group of a service that does not name one."""
    return f"{service}-group"


def _address(broker: str) -> str:
    """A bootstrap address in one spelling: lower case, without a protocol, with Kafka's default port."""
    host = broker.strip().lower().rpartition("://")[2]
    return host if ":" in host.rpartition("]")[2] else f"{host}:9092"


_LONGEST_MESSAGE = 400


class Placed(Protocol):
    """Anything that has a place in the file."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


class CatalogError(KafkactlError):
    """A catalogue that does not validate. `problems` holds every problem, warnings among them, by place."""

    exit_code = ExitCode.USAGE

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__(f"{self.problems[0].position.file} is invalid.")

    def lines(self) -> list[str]:
        """One line per problem, and how many there are."""
        return [*problem_lines(self.problems), problem_count(self.problems)]


def problem_lines(problems: Sequence[Problem]) -> list[str]:
    """Problems with their messages in one column."""
    width = max((len(str(problem.position)) for problem in problems), default=0)
    return [
        f"{f'{problem.position!s:<{width}} ' if problem.position.line else f'{problem.position}:'}"
        f" {'warning: ' if problem.warning else ''}{problem.message}"
        for problem in problems
    ]


def problem_count(problems: Sequence[Problem]) -> str:
    """ "3 problems.", "1 problem, 2 warnings.", "No problems."."""
    warnings = sum(problem.warning for problem in problems)
    errors = len(problems) - warnings
    parts = [many(errors, "problem")] if errors else []
    parts += [many(warnings, "warning")] if warnings else []
    return f"{', '.join(parts) or 'No problems'}."


def _one_line(message: str) -> str:
    """A message with quoted file content, as one line of limited length without terminal control characters."""
    if len(message) > _LONGEST_MESSAGE:
        message = f"{message[: _LONGEST_MESSAGE // 2]}…{message[-_LONGEST_MESSAGE // 2 :]}"
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in message)


class Problems:
    """Collects what is found wrong while one file is read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Problem] = []

    def position(self, at: Placed) -> Position:
        """The place of something in this file."""
        return Position(self.file, at.line, at.column)

    def error(self, at: Placed, message: str) -> None:
        """Record an error."""
        self.found.append(Problem(self.position(at), _one_line(message)))

    def warn(self, at: Placed, message: str) -> None:
        """Record a warning."""
        self.found.append(Problem(self.position(at), _one_line(message), warning=True))

    def raise_errors(self) -> None:
        """Raise CatalogError if there are errors."""
        if any(not problem.warning for problem in self.found):
            raise CatalogError(self.found)


def unreadable(path: Path, why: str) -> CatalogError:
    """A file that cannot be read at all."""
    return CatalogError([Problem(Position(str(path), 0, 0), why)])
