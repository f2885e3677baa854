"""Remedies: what to type, or what to do where no command can say it. Pure.

Every command that kafkactl suggests is a list of words, rendered once: quoting, `--` and the connection's flags are
added here and nowhere else.
"""

import os
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from kafkactl.text.escapes import plain

_SIGNS = frozenset({"&&", ">"})  # the shell's own, between words
# Commands that dial no cluster and do not take the flags that select one.
_LOCAL = frozenset({"sandbox", "lint", "logs", "ps"})
_GROUPED = frozenset({"groups", "dlq", "events", "topic", "replicas"})  # their commands have two words


@dataclass(frozen=True)
class Command:
    """A command to be typed as it is: its words, "&&" between commands that follow one another, ">" before a file.

    `note` says what it does or when to run it.
    """

    words: tuple[str, ...]
    note: str = ""

    @property
    def text(self) -> str:
        """As a shell takes it."""
        return " ".join(word if word in _SIGNS else _quoted(word) for word in self.words)

    def noted(self, note: str) -> "Command":
        """The same command with another note."""
        return replace(self, note=note)

    def then(self, other: "Command") -> "Command":
        """This command and, where it succeeds, another one."""
        return Command((*self.words, "&&", *other.words), other.note or self.note)

    def into(self, path: str) -> "Command":
        """This command with its output in a file."""
        return replace(self, words=(*self.words, ">", path))


def _quoted(word: str) -> str:
    """A word as a shell takes it; of what could drive a terminal the shell makes the same bytes again (bash, zsh)."""
    shown = plain(os.fsencode(word).decode("utf-8", "backslashreplace"))
    if shown == word:
        return shlex.quote(word)
    text = word.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{plain(os.fsencode(text).decode('utf-8', 'backslashreplace'))}'"


@dataclass(frozen=True)
class Advice:
    """A remedy that is not a command."""

    text: str


@dataclass(frozen=True)
class ServiceChange:
    """What a service is to be given in its compose file, before its container is made anew.

    `variables` to set; `swaps`, in a variable's value one text for another; `renames` of variables; `keys` of the
    service itself (mem_limit); `ports` to publish (host:container); named `volumes` to mount (volume:directory).
    """

    service: str
    variables: tuple[tuple[str, str], ...] = ()
    swaps: tuple[tuple[str, str, str], ...] = ()
    renames: tuple[tuple[str, str], ...] = ()
    keys: tuple[tuple[str, str], ...] = ()
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """As advice."""
        return f"in the compose file, under {self.service}, set {self.words}, then"

    @property
    def words(self) -> str:
        """What is set."""
        parts = [f"{name}: {value}" for name, value in (*self.variables, *self.keys)]
        parts += [f"{name}: {new} (in place of {old})" for name, old, new in self.swaps]
        parts += [f"{new} instead of {old.strip()}" for old, new in self.renames]
        parts += [f'ports: ["{port}"]' for port in self.ports]
        parts += [f'volumes: ["{volume}"], which is declared at the end of the file' for volume in self.volumes]
        return " and ".join(parts)


Remedy = Command | Advice | ServiceChange


def command(*words: str, note: str = "") -> Command:
    """A command of these words, whatever its program."""
    return Command(words, note)


def kafkactl(subcommand: str, *names: str, options: Sequence[str] = (), note: str = "") -> Command:
    """One of kafkactl's own commands. Names of topics and groups that begin with a dash go behind `--`."""
    dashed = any(name.startswith("-") for name in names)
    rest = (*options, "--", *names) if dashed else (*names, *options)
    return Command(("kafkactl", *subcommand.split(), *rest), note)


def parse_command(text: str, note: str = "") -> Command:
    """A command from a line as a shell takes it. Raises ValueError for a quote that is not closed."""
    return Command(tuple(shlex.split(text)), note)


def filled(remedy: Remedy, values: Mapping[str, object]) -> Remedy:
    """A remedy with values in place of names in braces; each word of a command stays one word."""
    if isinstance(remedy, Advice):
        return Advice(remedy.text.format_map(values))
    if isinstance(remedy, ServiceChange):
        return remedy
    words: list[str] = []
    dashed: list[str] = []  # names that would be taken for options
    for before, word in zip(("", *remedy.words), (*remedy.words, "&&"), strict=True):
        if word == "&&":
            words += ["--", *dashed] if dashed else []
            dashed = []
        text = word.format_map(values)
        is_name = text != word and text.startswith("-") and not before.startswith("-")
        (dashed if is_name else words).append(text)
    return Command(tuple(words[:-1]), remedy.note.format_map(values))


R = TypeVar("R", Command, Advice, ServiceChange, Remedy)


def with_flags(remedy: R, flags: Sequence[str]) -> R:
    """A remedy whose kafkactl commands reach the cluster as it was reached: with these flags."""
    if isinstance(remedy, Advice | ServiceChange) or not flags or {"-b", "--env"} & set(remedy.words):
        return remedy
    return replace(remedy, words=tuple(_flagged(remedy.words, flags)))


_BOTH = frozenset({"start", "stop", "restart", "unpause", "rename", "run", "update", "inspect", "info", "logs", "pull"})


def for_podman(remedy: R) -> R:
    """A remedy whose `docker` commands are Podman's, for a machine where Podman is the engine."""
    if isinstance(remedy, Advice | ServiceChange):
        return remedy
    words = list(remedy.words)
    for place, word in enumerate(words[:-1]):
        if word == "docker" and words[place + 1] in _BOTH and (place == 0 or words[place - 1] == "&&"):
            words[place] = "podman"
    return replace(remedy, words=tuple(words))


def in_one_line(remedies: Iterable[Remedy]) -> str:
    """Remedies as the last line of an error."""
    texts = (r.text if isinstance(r, Command) else r.text[:1].upper() + r.text[1:] for r in remedies)
    return "    ".join(texts)


def _flagged(words: Sequence[str], flags: Sequence[str]) -> Iterator[str]:
    left = 0  # words until the flags' place: behind kafkactl and its subcommand
    for place, word in enumerate(words):
        yield word
        if word == "kafkactl" and place + 1 < len(words) and words[place + 1] not in _LOCAL:
            left = 2 if words[place + 1] in _GROUPED else 1
        elif left:
            left -= 1
            if not left:
                yield from flags
