"""Secrets that stand elsewhere than in the client configuration: a variable, a file, a program that prints one."""

import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

from kafkactl.errors import ClientConfigError
from kafkactl.redaction.secret_names import is_secret_name
from kafkactl.whole_files import read_whole

PASSWORD_COMMAND = "password_command"
_PLACEHOLDER = re.compile(r"\$\{(?:file:([^}]+)|([A-Za-z_][A-Za-z0-9_]*))\}")
_LIMIT = 30.0  # seconds that a program may take, with a person who answers its question


def is_secret(key: str) -> bool:
    """Whether a property's value is a secret."""
    return is_secret_name(key)


def filled_in(value: str, place: str, directory: Path, environment: Mapping[str, str]) -> str:
    """A value with what its `${VAR}` and `${file:PATH}` stand for; `place` is file:line, for messages.

    A path is relative to `directory`. Raises ClientConfigError for a variable that is not set, or an unreadable file.
    """

    def text(match: re.Match[str]) -> str:
        if match[1]:
            return _content(directory / Path(match[1]).expanduser(), place)
        found = environment.get(match[2])
        if found is None:
            raise ClientConfigError(f"The environment variable {match[2]} is not set.", where=f"It is used at {place}.")
        return found

    return _PLACEHOLDER.sub(text, value)


def holds_only_placeholders(value: str) -> bool:
    """Whether nothing of a value is in the file itself."""
    return not _PLACEHOLDER.sub("", value).strip()


def _content(path: Path, place: str) -> str:
    try:
        return read_whole(path).decode("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ClientConfigError(f"Cannot read {path}: {reason}.", where=f"It is used at {place}.") from None


def printed_secret(command: str, place: str) -> str:
    """What a program prints: a secret. It runs without a shell, and may ask on the terminal.

    Raises ClientConfigError if it cannot be run, fails, or prints nothing.
    """
    try:
        words = shlex.split(command)
        done = subprocess.run(words, stdout=subprocess.PIPE, timeout=_LIMIT, check=False)
        text = done.stdout.decode("utf-8").rstrip("\r\n")
    except (OSError, ValueError, IndexError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a command"
        raise ClientConfigError(f"The program of {PASSWORD_COMMAND} cannot be run: {reason}.", where=place) from None
    except subprocess.TimeoutExpired:
        raise ClientConfigError(
            f"The program of {PASSWORD_COMMAND} has printed nothing for {_LIMIT:g} s.", where=place
        ) from None
    if done.returncode or not text:
        why = f"failed with exit code {done.returncode}" if done.returncode else "printed nothing"
        raise ClientConfigError(f"The program of {PASSWORD_COMMAND} {why}.", where=place)
    return text


def system_environment() -> Mapping[str, str]:
    """The variables of this process."""
    return os.environ
