"""Remedies. Pure.

A remedy that begins with a program's name is a command, up to a run of spaces and a comment; any other is advice.
"""

import re
from typing import NamedTuple

_PROGRAMS = frozenset(
    {
        "chown",
        "colima",
        "docker",
        "docker-compose",
        "export",
        "kafkactl",
        "lsof",
        "podman",
        "sleep",
        "sudo",
        "systemctl",
    }
)
_COMMENT = re.compile(r" {3,}")
# The subcommands that dial a cluster: all but these.
_DIALS = re.compile(r"\bkafkactl (?!sandbox\b|lint\b|logs\b|ps\b)(?:groups )?[a-z][a-z-]*")


class Remedy(NamedTuple):
    """A command, to be run as it is, and what it does; or only words."""

    command: str
    words: str


def split(text: str) -> Remedy:
    """The command of a remedy ("" where it is advice) and its words."""
    if text.split(" ", 1)[0] not in _PROGRAMS:
        return Remedy("", text)
    command, *comment = _COMMENT.split(text, maxsplit=1)
    return Remedy(command, "".join(comment))


def with_flags(text: str, flags: str) -> str:
    """A remedy whose kafkactl commands reach the cluster as it was reached: with these flags."""
    command, words = split(text)
    if not command or not flags or re.search(r" (-b|--env) ", command):
        return text
    command = _DIALS.sub(lambda match: f"{match[0]} {flags}", command)
    return f"{command}    {words}" if words else command
