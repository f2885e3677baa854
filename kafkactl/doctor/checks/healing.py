"""Remedies that several checks of containers print. Pure."""

from kafkactl.containers.model import Container
from kafkactl.doctor.checks.troubles import stack
from kafkactl.doctor.facts import Facts

WITH_DATA = "makes it anew, with its data"


def compose(facts: Facts) -> str:
    """How compose is called for this stack, from wherever one is."""
    return stack(facts).compose or "docker compose"


def anew(facts: Facts, container: Container, change: str, note: str = WITH_DATA) -> list[str]:
    """Change a service in the compose file, and make its container anew: advice, and the command."""
    return [f"in the compose file give {container.service} {change}, then", up(facts, container, note)]


def up(facts: Facts, container: Container, note: str = WITH_DATA) -> str:
    """The command that makes a service's container anew where its compose file has changed, and starts it."""
    return f"{compose(facts)} up -d {container.service}    {note}"


def show_log(container: Container) -> str:
    """The command that shows why a container is not well."""
    return f"kafkactl logs {container.service} --tail 50    shows why"
