"""kafkactl service-env: what a service has to be told of Kafka, and whether it is."""

import os
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kafkactl import options
from kafkactl.catalog.service_settings import (
    BROKERS,
    GROUP,
    TOPICS,
    WRITERS,
    ServiceSettings,
    differences,
    known_services,
    settings_of,
)
from kafkactl.errors import ExitCode, KafkactlError, UsageError
from kafkactl.settings import Target
from kafkactl.tab_names import complete_service
from kafkactl.text.suggest import suggest
from kafkactl.view import output


class RunsOn(StrEnum):
    """Where a service runs."""

    HOST = "host"
    CONTAINER = "container"
    K8S = "k8s"


class Writing(StrEnum):
    """The form that a service reads."""

    SHELL = "shell"
    DOTENV = "dotenv"
    COMPOSE = "compose"
    K8S = "k8s"
    GO = "go"
    PROPERTIES = "properties"


@options.on_cluster()
def service_env(
    target: Target,
    service: Annotated[
        str,
        typer.Argument(
            metavar="SERVICE", autocompletion=complete_service, help="A service of topics.yaml, or an alias of one."
        ),
    ],
    origin: Annotated[
        RunsOn, typer.Option("--from", help="Where the service runs, which decides the address that works.")
    ] = RunsOn.HOST,
    writing: Annotated[Writing, typer.Option("--format", help="The form to write.")] = Writing.SHELL,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Compare with the service's container (--from container), else with this environment."
        ),
    ] = False,
) -> None:
    """Write what a service has to be told: KAFKA_BROKERS, KAFKA_CONSUMER_GROUP and KAFKA_TOPICS. Asks no Kafka.

    \b
    Examples:
      eval "$(kafkactl service-env analytics)"
      kafkactl service-env analytics --from container --format compose
      kafkactl service-env analytics --from container --check
    """
    catalog = target.declared
    names = known_services(catalog)
    if service not in names:
        raise UsageError(
            f"There is no service {service} in {catalog.path.name}.{suggest(service, names, quoted=False)}",
            where=f"Services: {', '.join(names)}." if names else "",
        )
    told = settings_of(catalog, service, _addresses(target, origin))
    if check:
        named = origin is RunsOn.CONTAINER or {"-b", "--env"} & set(target.flags)
        _compare(told, _has(told, origin), (BROKERS, GROUP, TOPICS) if named else (GROUP, TOPICS))
        return
    output.say(WRITERS[writing](told))
    if not told.reads:
        output.note(f"{told.name} reads no topic of {catalog.path.name}: it has no group.")
    environment = catalog.environments.get(target.env) if target.env else None
    if environment is not None and environment.client_config is not None:
        output.note(f"{target.env} needs a client configuration, too: {environment.client_config.name}.")


def _addresses(target: Target, origin: RunsOn) -> tuple[str, ...]:
    """The brokers' addresses from where the service runs. Raises KafkactlError where they are not known."""
    brokers = target.connection.brokers
    here = all(broker.rpartition(":")[0].strip("[]") in ("localhost", "127.0.0.1", "::1") for broker in brokers)
    if origin is RunsOn.HOST or not here:
        return brokers
    if origin is RunsOn.K8S:
        raise UsageError(
            f"{brokers[0]} is this machine: a pod does not reach it.",
            hint="Name the brokers as the pod sees them: -b HOST:PORT, or --env NAME",
        )
    found = _inside()
    if not found:
        raise KafkactlError(
            "The address that works in a container is not known: no broker of a running stack advertises one.",
            hint="Name it: -b HOST:PORT",
        )
    return found


def _inside() -> tuple[str, ...]:
    """What the brokers of the stack advertise to other containers. Raises EngineError where no engine answers."""
    from kafkactl.containers.broker_listeners import advertised, among_controllers
    from kafkactl.containers.engine import connect_engine
    from kafkactl.containers.sought import LOOPBACK
    from kafkactl.containers.sought import names as names_of
    from kafkactl.containers.stack import find_stack

    stack = find_stack(connect_engine(), None, Path.cwd())
    found: list[str] = []
    for broker in stack.of_role("broker") if stack else ():
        hidden = among_controllers(broker)
        for listener in advertised(broker):
            if listener.name not in hidden and listener.host not in LOOPBACK and listener.host in names_of(broker):
                found.append(listener.address)
                break
    return tuple(found)


def _has(told: ServiceSettings, origin: RunsOn) -> Mapping[str, str]:
    """The variables the service has. Raises KafkactlError where it has no container."""
    if origin is not RunsOn.CONTAINER:
        return os.environ
    from kafkactl.services import find_services

    for container in find_services(None, Path.cwd()).containers:
        if told.name in (container.service, container.name):
            return container.environment
    raise KafkactlError(f"{told.name} has no container here.", hint="docker compose ps")


def _compare(told: ServiceSettings, has: Mapping[str, str], compared: Sequence[str]) -> None:
    if BROKERS not in compared:
        output.note(f"{BROKERS} is not compared: name the cluster with --env or -b.")
    found = {name: has[name] for name in compared if name in has}
    wrong = differences(told, found, compared)
    for line in wrong:
        output.say(line)
    if wrong:
        raise typer.Exit(ExitCode.FOUND)
    output.note(f"{told.name} is told what topics.yaml says.")
