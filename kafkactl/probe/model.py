"""What a probe is to prove, and what each of its steps found. Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from kafkactl.connection import Connection
from kafkactl.errors import ExitCode


@dataclass(frozen=True)
class Order:
    """What to prove. `topic` None means a scratch topic; `declared` are topics that must exist and have leaders."""

    connection: Connection
    declared: tuple[str, ...] = ()
    topic: str | None = None
    count: int = 100  # records to each partition
    size: int = 200  # bytes of a record's value
    timeout: float = 30.0  # seconds for each step
    flags: tuple[str, ...] = ()  # those that named the cluster, for the commands of hints


@dataclass(frozen=True)
class StepResult:
    """The result of one step. `figures` are seconds by name (p50, p95 …).

    `name` is what was done, with addresses and counts; `step` is the same in every run.
    """

    step: str
    name: str
    state: Literal["ok", "error", "skipped"]
    seconds: float = 0.0
    reason: str = ""
    next: str = ""  # what to do about it
    figures: Mapping[str, float] | None = None
    exit_code: ExitCode = ExitCode.OK
    denied: bool = False  # this user has no permission for it: nothing is known of Kafka
