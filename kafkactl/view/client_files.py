"""Where the listeners of a secured sandbox are, and which users have a file for each."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kafkactl.text.remedies import kafkactl

if TYPE_CHECKING:
    from kafkactl.sandbox.secured import Secured


def client_file_lines(secured: "Secured | None") -> Iterator[str]:
    """Lines for a person: the files, a listener each, and a command that works. None of a plain sandbox."""
    if secured is None:
        return
    several = len(secured.kinds) > 1
    yield f"  Client files: {secured.home}/{'KIND/' if several else ''}USER.properties"
    rows = [(kind, secured.addresses[kind], ", ".join(secured.users(kind)) or "–") for kind in secured.kinds]
    first, second = (max(len(row[at]) for row in rows) for at in range(2))
    for kind, address, users in rows:
        yield f"  {kind:{first}}  {address:{second}}  {users}"
    kind = "scram" if several else secured.kinds[0]
    options = ["-b", secured.addresses[kind], "--client-config", str(secured.file(kind=kind))]
    yield f"  {kafkactl('describe', options=options).text}"


def client_files(secured: "Secured | None") -> list[dict[str, Any]]:
    """The same for JSON."""
    if secured is None:
        return []
    return [
        {
            "kind": kind,
            "bootstrap": secured.addresses[kind],
            "client_files": {user: str(secured.file(user, kind)) for user in secured.users(kind)},
        }
        for kind in secured.kinds
    ]
