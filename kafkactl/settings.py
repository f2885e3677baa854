"""Which cluster, with which credentials, and which catalogue.

The only module that reads environment variables for them.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kafkactl.connection import Connection, resolve_connection
from kafkactl.directories import personal_file
from kafkactl.errors import UsageError
from kafkactl.text.escapes import is_text, printable
from kafkactl.text.remedies import kafkactl

if TYPE_CHECKING:
    from kafkactl.catalog.model import Catalog, Environment, Problem


class Target:
    """The cluster and the catalogue of a command, as the user named them; each is looked up on demand.

    Reaching the cluster needs the catalogue only if an environment is named: by `env`, else by `current`, which
    KAFKACTL_ENV says.
    """

    def __init__(
        self,
        *,
        brokers: str | None = None,
        env: str | None = None,
        current: str | None = None,
        client_config: Path | None = None,
        file: Path | None = None,
        timeout: float = 3.0,
        verbose: bool = False,
        properties: Sequence[str] = (),
        warn: Callable[[str], None] | None = None,
        remark: Callable[[str], None] = lambda _: None,
        tell: Callable[[str], None] = lambda _: None,
        announce: Callable[[str], None] = lambda _: None,
        waited: Callable[[float], None] = lambda _: None,
    ) -> None:
        self.env = env or current
        self._by_variable = not env and current is not None
        self._announce = self._announcing = announce
        self._waited = waited
        self.file = file
        self._brokers = brokers
        self._client_config = client_config
        self._timeout = timeout
        self._verbose = verbose
        self._properties = properties
        self._warn = warn
        self._remark = remark
        self._tell = tell
        self.doubtful: Path | None = None  # a catalogue that has problems
        self.broken = False  # and could not even be parsed

    @cached_property
    def catalog(self) -> "Catalog | None":
        """The catalogue; None if there is none. Raises CatalogError, or UsageError if an environment needs it.

        Where `warn` was given, that hears of a problem of the file, and what is valid in it is the catalogue.
        """
        from kafkactl.catalog.find import find_catalog

        if not self.env and find_catalog(self.file, os.environ, Path.cwd()) is None:
            return None  # without what it takes to read one
        from kafkactl.catalog.model import CatalogError

        try:
            return self._opened(required=False)
        except CatalogError as error:
            if self._warn is None:
                raise
            return self._what_is_valid(error.problems[0], self._warn)

    def _what_is_valid(self, problem: "Problem", warn: Callable[[str], None]) -> "Catalog | None":
        from kafkactl.catalog.file import load_what_is_valid

        path = Path(problem.position.file)
        wanted = None if self.env in self.personal else self.env
        found = load_what_is_valid(path, wanted)
        self.doubtful, self.broken = path, found is None
        warn(f"{problem}  Going on {'without this file' if found is None else 'with what is valid in it'}.")
        if found is None and wanted:
            raise UsageError(f"--env {self.env} cannot be looked up in {path}.")
        return found

    @cached_property
    def declared(self) -> "Catalog":
        """The catalogue of a command that needs all of it. Raises CatalogError, or UsageError if there is none."""
        catalog = self._opened(required=True)
        assert catalog is not None
        return catalog

    def _opened(self, *, required: bool) -> "Catalog | None":
        """The catalogue, with the environment's values where it has one of that name: else it is a person's own."""
        if self.env not in self.personal:
            try:
                return open_catalog(self.file, self.env, required=required)
            except UsageError as error:
                if self._by_variable:
                    error.where = " ".join(filter(None, (error.where, "It is named by KAFKACTL_ENV.")))
                raise
        catalog = open_catalog(self.file, None, required=required)
        return open_catalog(self.file, self.env) if catalog and self.env in catalog.environments else catalog

    @cached_property
    def personal(self) -> "Mapping[str, Environment]":
        """The person's own environments. Raises CatalogError if their file is invalid."""
        if not personal_file().exists():
            return {}
        from kafkactl.catalog.personal import load_environments

        return load_environments(personal_file())

    @property
    def environments(self) -> "list[Environment]":
        """Every environment there is: the person's own, and those of topics.yaml."""
        return [*self.personal.values(), *(self.catalog.environments.values() if self.catalog else ())]

    @cached_property
    def connection(self) -> Connection:
        """How to reach the cluster. Raises UsageError for an address without a port or a file that cannot be read."""
        found = resolve_connection(
            brokers=self._brokers,
            env=self.env,
            client_config=self._client_config,
            timeout=self._timeout,
            verbose=self._verbose,
            properties=self._properties,
            environment=self._environment(),
        )
        for text in found.remarks:
            self._remark(text)
        if self._verbose:
            self._tell(found.source)
        return replace(found, dialled=self._dialled, waited=self._waited)

    def _dialled(self) -> None:
        """Say which cluster this is, once."""
        announce, self._announce = self._announce, lambda _: None
        by = ", by KAFKACTL_ENV" if self._by_variable else ""
        why = f"env {self.env}{by}" if self.env else self.connection.chosen_by
        announce(f"{self.connection.address} ({why})" if why else self.connection.address)

    def elsewhere(self, name: str) -> "Target":
        """The cluster of another environment, with the same catalogue."""
        return Target(
            env=name,
            file=self.file,
            timeout=self._timeout,
            verbose=self._verbose,
            remark=self._remark,
            tell=self._tell,
            announce=self._announcing,
            waited=self._waited,
        )

    @property
    def registry(self) -> tuple[str, str]:
        """The schema registry's address (of the environment, else SCHEMA_REGISTRY_URL) and its login; or empty."""
        there = self._environment()
        url = (there.schema_registry if there else "") or os.environ.get("SCHEMA_REGISTRY_URL", "")
        return url, os.environ.get("SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO", "")

    def _environment(self) -> "Environment | None":
        if not self.env:
            return None
        own = self.personal.get(self.env)
        return own or (self.catalog.environments.get(self.env) if self.catalog else None)

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags that named the cluster and the catalogue, for the commands kafkactl prints."""
        named = {"-b": self._brokers, "--env": self.env, "--client-config": self._client_config, "--file": self.file}
        words = [word for flag, value in named.items() if value is not None for word in (flag, str(value))]
        if self._properties:
            from kafkactl.redaction.structures import redacted_command

            shown = [text for text in self._properties if redacted_command([text]) == (text,)]
            words += [word for text in shown for word in ("-X", text)]
        return tuple(words)


def current_environment() -> str | None:
    """The environment of commands that name neither one nor an address."""
    return os.environ.get("KAFKACTL_ENV") or None


def open_catalog(file: Path | None, environment: str | None, *, required: bool = True) -> "Catalog | None":
    """The catalogue a command works with: `file`, else KAFKACTL_CATALOG, else topics.yaml here or above.

    None if there is none and the command can do without (`required` and `environment` both falsy).
    Raises CatalogError for an invalid file, UsageError if one is needed but not found.
    """
    from kafkactl.catalog.find import find_catalog

    path = find_catalog(file, os.environ, Path.cwd())
    if path is not None:
        from kafkactl.catalog.file import load_catalog

        return load_catalog(path, environment)
    if environment:
        raise UsageError(
            f"There is no environment {environment}: there is no topics.yaml here or in a parent directory.",
            where=f"Name one with --file or KAFKACTL_CATALOG, or declare the environment in {personal_file()}.",
        )
    if required:
        raise UsageError(
            "There is no topics.yaml here or in a parent directory.",
            where="Name one with --file or KAFKACTL_CATALOG.",
            hint=kafkactl("export", note="Create one from the current cluster").into("topics.yaml"),
        )
    return None


def declared_names() -> list[str]:
    """The topics of the catalogue that a command would find, as fast as they can be had.

    Raises KafkactlError, OSError or UnicodeDecodeError where they cannot.
    """
    from kafkactl.catalog.find import find_catalog, names_at_a_glance

    path = find_catalog(None, os.environ, Path.cwd())
    if path is None:
        return []
    if names := names_at_a_glance(path.read_text(encoding="utf-8")):
        return names
    catalog = open_catalog(path, None)
    return list(catalog.topics) if catalog else []


def topics_to_look_at(given: Sequence[str]) -> list[str]:
    """The topics of a read-only command: those given, else KAFKA_TOPICS. Raises UsageError if there are none."""
    names = looked_at(given, "KAFKA_TOPICS")
    if not names:
        listing = kafkactl("describe", options=["-o", "name"], note="Name one, or set KAFKA_TOPICS. List them")
        raise UsageError("No topic given.", hint=listing)
    return names


def looked_at(given: Sequence[str], variable: str) -> list[str]:
    """The names (or globs) that narrow a read-only command: those given, else those of an environment variable."""
    if given:
        return list(given)
    names = [name.strip() for name in os.environ.get(variable, "").split(",") if name.strip()]
    if wrong := [name for name in names if not is_text(name)]:
        raise UsageError(f"{variable}: {printable(os.fsencode(wrong[0]))} is not UTF-8.")
    return names
