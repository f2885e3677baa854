"""How to reach one cluster: its addresses, and what a client has to say there."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kafkactl.directories import personal_file
from kafkactl.errors import UsageError
from kafkactl.text.escapes import is_text, printable
from kafkactl.text.units import is_number

if TYPE_CHECKING:
    from kafkactl.catalog.model import Environment
    from kafkactl.client_config.loading import ClientConfig

DEFAULT_BROKERS = "localhost:40093"


@dataclass(frozen=True)
class Connection:
    """How to reach one cluster. `timeout` is how long to wait for it to respond, in seconds.

    `source` says where the addresses come from, for messages; `chosen_by` in a word, "" where they were typed.
    `properties` are librdkafka's and may hold secrets: they are never printed; `origins` are the places (file:line)
    they come from. `remarks` are for the user. `dialled` is called whenever a client of this cluster is made,
    `waited` while an answer is awaited, with the seconds since it was asked for, and with 0 once it is there.
    """

    brokers: tuple[str, ...]
    source: str
    timeout: float = 3.0
    properties: Mapping[str, str] = field(default_factory=dict, repr=False)
    environment: str | None = None
    verbose: bool = False
    origins: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    chosen_by: str = ""
    dialled: Callable[[], None] = field(default=lambda: None, repr=False, compare=False)
    waited: Callable[[float], None] = field(default=lambda _: None, repr=False, compare=False)

    @property
    def address(self) -> str:
        """The bootstrap addresses as a user writes them."""
        return ",".join(self.brokers)

    @property
    def label(self) -> str:
        """A short name of the cluster: the environment's name if it has one."""
        return f"{self.environment} ({self.address})" if self.environment else self.address


def resolve_connection(
    *,
    brokers: str | None,
    env: str | None,
    client_config: Path | None,
    timeout: float,
    verbose: bool,
    environment: "Environment | None" = None,
    properties: Sequence[str] = (),
) -> Connection:
    """The connection: its addresses are those of the first of flags, an environment, the client configuration, and
    KAFKA_BROKERS that names any, else the default.

    `brokers` beside `env` replaces only the addresses; `properties` are KEY=VALUE. Raises UsageError for an address
    without a port or a client configuration that cannot be read.
    """
    named = client_config or (None if environment and environment.client_config else _configured())
    path = named or (environment.client_config if environment else None)
    own = environment is not None and environment.position.file == str(personal_file())
    printing = environment.password_command if environment else ""
    config = _client_config(path, properties, trusted=named is not None or own, printing=printing)
    if environment and brokers is None:
        _require_same_brokers(environment, config.brokers, path)
    chosen_by = ""
    if brokers is not None:
        addresses, source = brokers, "The address comes from --brokers."
    elif environment:
        addresses, source = ",".join(environment.brokers), f"The address comes from --env {environment.name}."
    elif config.brokers:
        addresses, chosen_by = config.brokers, str(path or "-X")
        source = f"The address comes from bootstrap.servers in {chosen_by}."
    elif os.environ.get("KAFKA_BROKERS"):
        addresses, chosen_by = os.environ["KAFKA_BROKERS"], "KAFKA_BROKERS"
        source = "The address comes from KAFKA_BROKERS."
    else:
        addresses, chosen_by = DEFAULT_BROKERS, "the default"
        source = "KAFKA_BROKERS and --brokers are not set, so the default was tried."
    return Connection(
        brokers=_addresses(addresses),
        source=source,
        chosen_by=chosen_by,
        timeout=timeout,
        properties=config.properties,
        environment=env,
        verbose=verbose,
        origins=config.origins,
        remarks=config.remarks,
    )


def _configured() -> Path | None:
    """The client configuration that KAFKACTL_CLIENT_CONFIG names."""
    named = os.environ.get("KAFKACTL_CLIENT_CONFIG")
    return Path(named) if named else None


def _client_config(path: Path | None, given: Sequence[str], *, trusted: bool, printing: str) -> "ClientConfig":
    from kafkactl.client_config.loading import ClientConfig, load_client_config

    wanted = path or given or printing
    return load_client_config(path, given, trusted=trusted, printing=printing) if wanted else ClientConfig()


def _require_same_brokers(environment: "Environment", brokers: str, path: Path | None) -> None:
    """Raise UsageError if the client configuration names other brokers than the environment it is used with.

    Else protection would judge one cluster, and the command might reach another.
    """
    if brokers and not set(_addresses(brokers)) <= set(environment.brokers):
        raise UsageError(
            f"{path or '-X'} names other brokers ({brokers}) than --env {environment.name} "
            f"({','.join(environment.brokers)}).",
            hint="Remove its bootstrap.servers, or name the addresses with -b.",
        )


def _addresses(text: str) -> tuple[str, ...]:
    addresses = tuple(part.strip() for part in text.split(",") if part.strip())
    if not addresses:
        raise UsageError("No broker address was given.", hint="Write HOST:PORT; separate several with commas.")
    for address in addresses:
        host, colon, port = address.rpartition(":")
        if not colon or not host or not is_text(host) or not is_number(port) or not 0 < int(port) < 65536:
            raise UsageError(
                f"{printable(os.fsencode(address))} is not a broker address.",
                hint="Write HOST:PORT; separate several with commas.",
            )
    return addresses
