"""What a compose file says of its services, as far as the doctor compares it with the containers."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple


class ComposeService(NamedTuple):
    """A service of a compose file that `up` starts. An image or a name that holds a variable is not known: ""."""

    name: str
    file: str
    image: str
    container_name: str
    environment: Mapping[str, str]
    command: tuple[str, ...]


def services_of(files: Sequence[str]) -> tuple[ComposeService, ...]:
    """The services of these compose files; none where one cannot be read here, or takes services from elsewhere."""
    import yaml

    merged: dict[str, tuple[str, dict[str, Any]]] = {}
    for file in files:
        try:
            text = Path(file).read_text(encoding="utf-8")
            document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except (OSError, ValueError, yaml.YAMLError):
            return ()
        services = document.get("services") if isinstance(document, dict) else None
        if not isinstance(services, dict) or "include" in document:
            return ()
        for name, service in services.items():
            if isinstance(service, dict):
                earlier = merged.get(str(name), (file, {}))[1]
                merged[str(name)] = (file, {**earlier, **service})
    return tuple(_service(name, file, told) for name, (file, told) in merged.items() if _is_started(told))


def _is_started(service: Mapping[str, Any]) -> bool:
    deploy = service.get("deploy")
    replicas = deploy.get("replicas", 1) if isinstance(deploy, dict) else 1
    return not service.get("profiles") and "extends" not in service and 0 not in (replicas, service.get("scale", 1))


def _service(name: str, file: str, told: Mapping[str, Any]) -> ComposeService:
    command = told.get("command")
    words = tuple(map(str, command)) if isinstance(command, list) else tuple(str(command or "").split())
    return ComposeService(
        name, file, _known(told.get("image")), _known(told.get("container_name")), dict(_environment(told)), words
    )


def _known(value: Any) -> str:
    return value if isinstance(value, str) and "$" not in value else ""


def _environment(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The variables, written as a map or as a list of NAME=value."""
    given = told.get("environment")
    if isinstance(given, dict):
        yield from ((str(name), "" if value is None else str(value)) for name, value in given.items())
    elif isinstance(given, list):
        for entry in given:
            name, _, value = str(entry).partition("=")
            yield name, value
