"""A person's own environments: config.yaml in the directory for configurations, in the form of topics.yaml."""

from collections.abc import Mapping
from pathlib import Path

from kafkactl.catalog.declaration import environment_of
from kafkactl.catalog.file import read_mapping
from kafkactl.catalog.keys import ENVIRONMENT, Key, Named, Section, Text
from kafkactl.catalog.model import Environment, Problems
from kafkactl.catalog.reader import read_section

_OWN: Mapping[str, Key] = {
    **{name: key for name, key in ENVIRONMENT.items() if name not in ("defaults", "topics")},
    "password_command": Key(Text("pass show kafka"), "A program that prints the password (sasl.password)."),
}
_FILE: Mapping[str, Key] = {"environments": Key(Named(Section(_OWN), "environment"), "Clusters, by name.")}


def load_environments(path: Path) -> dict[str, Environment]:
    """The environments of such a file; none where there is no file. Raises CatalogError with all its problems."""
    if not path.exists():
        return {}
    problems = Problems(str(path))
    root = read_mapping(path, problems)
    if root is None:
        return {}
    fields = read_section(Section(_FILE), root, problems)
    problems.raise_errors()
    section = fields.get("environments")
    if section is None:
        return {}
    return {
        name: environment_of(name, given, problems.position(section.keys[name]), path)
        for name, given in section.values.items()
    }
