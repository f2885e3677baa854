"""Remedies for containers: commands for one, and what to change in the compose file before it is recreated. Pure."""

from collections.abc import Mapping, Sequence

from kafkactl.containers.broker_settings import setting, told_by_what
from kafkactl.containers.families import durable_place
from kafkactl.containers.model import Container
from kafkactl.doctor.checks.data_places import is_lost_with_its_container
from kafkactl.doctor.codes import NotApplicableError
from kafkactl.doctor.facts import NO_STACK, Facts, StackFacts
from kafkactl.text.remedies import Advice, Command, Remedy, ServiceChange, command, kafkactl

WITH_DATA = "recreates it, keeping its data"


def stack(facts: Facts) -> StackFacts:
    """The stack. Raises NotApplicableError if there is none."""
    if facts.stack is None:
        raise NotApplicableError(facts.missing.get("stack", NO_STACK))
    return facts.stack


def compose(facts: Facts, *words: str, note: str = "") -> Command:
    """A compose command for this stack that works in any directory."""
    return command(*(stack(facts).compose or ("docker", "compose")), *words, note=note)


def recreated(facts: Facts, container: Container, change: str, note: str = WITH_DATA) -> list[Remedy]:
    """Change a service in the compose file, and recreate its container: advice, and the command."""
    if stack(facts).project is None:
        return [_by_hand(container, change)]
    return [
        Advice(f"in the compose file, under {container.service}, set {change}, then"),
        recreate(facts, container, note),
    ]


def changed(facts: Facts, container: Container, change: ServiceChange, note: str = WITH_DATA) -> list[Remedy]:
    """The same where the change is known to the letter: kafkactl can edit the file itself."""
    there = stack(facts)
    if there.project is None:
        return [_by_hand(container, change.words)]
    edit = kafkactl("doctor", options=["--fix-file"], note="edits the file and does that, after asking")
    return [change, recreate(facts, container, note), *([edit] if len(there.files) == 1 and there.compose else [])]


def with_settings(
    facts: Facts, container: Container, values: Mapping[str, str], note: str = WITH_DATA, ports: tuple[str, ...] = ()
) -> list[Remedy]:
    """Give a broker other settings (NODE_ID), where its image or its command takes them from, and publish ports."""
    named = {told_by_what(container, name): value for name, value in values.items()}
    if "" in named:  # an image that has no variables for settings
        words = " and ".join(f"{name.lower().replace('_', '.')}={value}" for name, value in values.items())
        return recreated(facts, container, f"{words} as its image has it", note)
    if any(name.startswith("-") for name in named):
        words = " and ".join(f"{name}{'=' if name[0] == '-' else ': '}{value}" for name, value in named.items())
        more = "".join(f' and ports: ["{port}"]' for port in ports)
        return recreated(facts, container, f"{words} in its command{more}", note)
    change = ServiceChange(container.service, variables=tuple(named.items()), ports=ports)
    return changed(facts, container, change, note)


def on_a_volume(facts: Facts, container: Container, directory: str) -> list[Remedy]:
    """Keep a broker's data on a named volume, at a place that its image's user may write to."""
    note = "recreates it; its current data is not carried over"
    volume = f"{container.service}-data"
    place = durable_place(container, directory)
    if place is None:
        words = f'volumes: ["{volume}:{directory}"] and declare that volume at the end of the file; its user must be '
        return recreated(facts, container, f"{words}able to write there", note)
    name = told_by_what(container, "LOG_DIRS")
    moved = place.log_dirs and place.log_dirs != setting(container, "LOG_DIRS")
    variables = ((name, place.log_dirs),) if moved else ()
    change = ServiceChange(container.service, variables=variables, volumes=(f"{volume}:{place.mount}",))
    return changed(facts, container, change, note)


def _by_hand(container: Container, change: str) -> Advice:
    """What to do with a container that no compose file describes."""
    return Advice(
        f"{container.name} was started by hand: stop it, rename it, and run its image again with {change} and the same "
        f"volumes; what is on no volume stays in the old one"
    )


def recreate(facts: Facts, container: Container, note: str = WITH_DATA) -> Remedy:
    """The command that recreates a service's container if its compose file has changed, and starts it."""
    if stack(facts).project is None:
        return _by_hand(container, "that change")
    if is_lost_with_its_container(facts, container):
        note = "its data is in the container itself: this loses every topic"
    return compose(facts, "up", "-d", container.service, note=note)


def show_log(container: Container) -> Command:
    """The command that shows why a container is in trouble."""
    return kafkactl("logs", container.service, options=["--tail", "50"], note="shows why")


def docker(verb: str, container: Container, *, note: str = "") -> Command:
    """A docker command for one container: start, restart, unpause."""
    return command("docker", verb, container.name, note=note)


def together(remedies: Sequence[Sequence[Remedy]]) -> list[Remedy]:
    """The remedies of several services in one list: the changes first, each command once, at its last place."""
    every = [remedy for some in remedies for remedy in some]
    changes = [remedy for remedy in every if not isinstance(remedy, Command)]
    commands = [remedy for remedy in every if isinstance(remedy, Command) and remedy.words[:1] != ("kafkactl",)]
    own = [remedy for remedy in every if isinstance(remedy, Command) and remedy.words[:1] == ("kafkactl",)]
    return [*dict.fromkeys((*changes, *commands, *own))]
