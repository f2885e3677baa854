"""What a service is told of Kafka: its brokers, its group and its topics, in the form that it reads. Pure."""

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kafkactl.catalog.model import Catalog

BROKERS, GROUP, TOPICS = "KAFKA_BROKERS", "KAFKA_CONSUMER_GROUP", "KAFKA_TOPICS"


@dataclass(frozen=True)
class ServiceSettings:
    """A service's name, the addresses it uses, its consumer group and the topics it reads, and those it writes.

    A service that reads nothing has no group.
    """

    name: str
    brokers: tuple[str, ...]
    group: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]

    @property
    def variables(self) -> dict[str, str]:
        """The guide's variables."""
        found = {BROKERS: ",".join(self.brokers)}
        return {**found, GROUP: self.group, TOPICS: ",".join(self.reads)} if self.reads else found


def settings_of(catalog: Catalog, name: str, brokers: Sequence[str]) -> ServiceSettings:
    """What topics.yaml says of a service, by its name or an alias."""
    service = catalog.service(name)
    names = {service.name, *service.aliases, "*"}
    reads = tuple(t.name for t in catalog.topics.values() if names & set(t.consumers))
    writes = tuple(t.name for t in catalog.topics.values() if names & set(t.producers))
    return ServiceSettings(service.name, tuple(brokers), service.group, reads, writes)


def known_services(catalog: Catalog) -> list[str]:
    """Every service that topics.yaml names, aliases among them."""
    found = dict.fromkeys(catalog.services)
    for service in catalog.services.values():
        found |= dict.fromkeys(service.aliases)
    for topic in catalog.topics.values():
        found |= dict.fromkeys(name for name in (*topic.producers, *topic.consumers) if name != "*")
    return list(found)


def _shell(settings: ServiceSettings) -> str:
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in settings.variables.items())


def _dotenv(settings: ServiceSettings) -> str:
    return "\n".join(f"{name}={value}" for name, value in settings.variables.items())


def _compose(settings: ServiceSettings) -> str:
    lines = [f"      {name}: {json.dumps(value)}" for name, value in settings.variables.items()]
    return "\n".join(["services:", f"  {json.dumps(settings.name)}:", "    environment:", *lines])


def _k8s(settings: ServiceSettings) -> str:
    lines = [f"  - {{name: {name}, value: {json.dumps(value)}}}" for name, value in settings.variables.items()]
    return "\n".join(["env:", *lines])


def _go(settings: ServiceSettings) -> str:
    """The guide's block for the application's configuration."""

    def texts(values: Sequence[str]) -> str:
        return f"[]string{{{', '.join(map(json.dumps, values))}}}"

    lines = ["EnableKafka: true,", "KafkaConfig: &app.KafkaConfig{", f"    Brokers:       {texts(settings.brokers)},"]
    if settings.reads:
        lines += [f"    ConsumerGroup: {json.dumps(settings.group)},", f"    Topics:        {texts(settings.reads)},"]
    return "\n".join([*lines, "},"])


def _properties(settings: ServiceSettings) -> str:
    lines = [f"bootstrap.servers={','.join(settings.brokers)}"]
    return "\n".join([*lines, f"group.id={settings.group}"] if settings.reads else lines)


WRITERS: Mapping[str, Callable[[ServiceSettings], str]] = {
    "shell": _shell,
    "dotenv": _dotenv,
    "compose": _compose,
    "k8s": _k8s,
    "go": _go,
    "properties": _properties,
}


def differences(
    settings: ServiceSettings, found: Mapping[str, str], compared: Sequence[str] = (BROKERS, GROUP, TOPICS)
) -> list[str]:
    """What is wrong with the variables a service has, in a sentence each. Lists count as sets."""
    wrong = []
    for name, wanted in settings.variables.items():
        has = found.get(name)
        if name not in compared:
            continue
        if has is None:
            wrong.append(f"{name} is not set; it should be {wanted}.")
            continue
        if name == GROUP:
            if has != wanted:
                wrong.append(f"{name} is {has}; topics.yaml says {wanted}.")
            continue
        before, after = _parts(has), _parts(wanted)
        if name == TOPICS:
            more, less = sorted(before - after), sorted(after - before)
            wrong += [f"{name} has {', '.join(more)}, which topics.yaml does not say that it reads."] if more else []
            wrong += [f"{name} lacks {', '.join(less)}."] if less else []
        elif not before & after:
            wrong.append(f"{name} is {has}; from there the address is {wanted}.")
    return wrong


def _parts(text: str) -> set[str]:
    return {part.strip() for part in text.split(",") if part.strip()}
