"""Asking before something changes: protected environments, risks, and a plain yes.

On a terminal the user types the answer; anywhere else it has to be on the command line.
"""

import sys
from collections.abc import Iterable
from typing import NamedTuple

from kafkactl.catalog.model import Environment, protected_environment
from kafkactl.cluster.network import resolved
from kafkactl.errors import UsageError
from kafkactl.settings import Target
from kafkactl.text.escapes import plain
from kafkactl.view.output import note


class Asked(NamedTuple):
    """What the user typed besides the change itself: which cluster, and what was agreed to in advance."""

    target: Target
    yes: bool
    confirm: str | None
    dry_run: bool
    json: bool


def _ask(question: str) -> str:
    """The answer typed on the terminal; the question goes to stderr, as all talk does."""
    sys.stdout.flush()
    sys.stderr.write(plain(question, lines=True))
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def interactive() -> bool:
    """Whether a person is there to answer."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def protection(target: Target, cluster_id: str | None, advertised: Iterable[str] = ()) -> Environment | None:
    """The protected environment that a cluster is, however it was reached; None where it is none."""
    addresses = [*target.connection.brokers, *advertised]
    return protected_environment(target.environments, addresses, cluster_id, resolved)


def require_unprotected(
    target: Target,
    cluster_id: str | None,
    confirm: str | None,
    action: str,
    advertised: Iterable[str] = (),
    *,
    besides: str = "",
) -> str:
    """Allow a write only if the cluster is not protected, or if its environment's name was given. Returns that name.

    The environment is recognised by the cluster's id, by the address that was typed, and by those that the brokers
    advertise, however each is spelt: localhost is 127.0.0.1. `besides` is what this returned for another cluster that
    the same command changes; `confirm` may hold both names, with a comma between. Raises UsageError.
    """
    connection = target.connection
    environment = protection(target, cluster_id, advertised)
    if environment is None:
        return ""
    given = confirm.split(",") if confirm else []
    if environment.name in given:
        return environment.name
    if confirm is None and interactive():
        if _ask(f"{environment.name} is protected. Type its name to {action}: ") == environment.name:
            return environment.name
        raise UsageError(f"Nothing was changed: the name you typed is not {environment.name}.")
    wrong = f" --confirm {confirm} names another environment." if confirm and confirm != besides else ""
    names = ",".join([besides, environment.name] if besides else [environment.name])
    raise UsageError(
        f"{environment.name} is protected, and this would {action}.{wrong}",
        where=f"Reached as {connection.address}; protected by {environment.position}.",
        hint=f"To do it anyway: --confirm {names}",
    )


def require_yes(question: str) -> None:
    """Let a change pass only with a typed yes. Raises UsageError; if nobody can answer, with what to type instead."""
    if not interactive():
        raise UsageError("Nothing was changed: there is no terminal to confirm on.", hint="To agree in advance: --yes")
    if _ask(f"{question} Type yes: ").lower() not in ("yes", "y"):
        raise UsageError("Nothing was changed.")


def require_name(question: str, name: str) -> None:
    """Let a deletion pass only if its name is typed. Raises UsageError; if nobody can answer, with what to type."""
    if not interactive():
        raise UsageError("Nothing was changed: there is no terminal to confirm on.", hint="To agree in advance: --yes")
    if _ask(f"{question} Type its name: ") != name:
        raise UsageError(f"Nothing was changed: what you typed is not {name}.")


def agrees(question: str) -> bool:
    """A typed yes on a terminal; False if nobody can answer."""
    if not interactive():
        return False
    if _ask(f"{question} Type yes: ").lower() in ("yes", "y"):
        return True
    note("Not changed.")
    return False
