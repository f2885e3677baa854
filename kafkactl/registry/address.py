"""Where a schema registry is, and how to log in there."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from kafkactl.catalog.keys import wrong_url
from kafkactl.containers.sought import LOOPBACK
from kafkactl.errors import UsageError
from kafkactl.settings import Target


@dataclass(frozen=True)
class Registry:
    """A schema registry: its address, a login (user:password) and a file of authorities, where it has them."""

    url: str
    login: str = field(default="", repr=False)
    authorities: str = ""


def registry_of(target: Target) -> Registry:
    """The registry of a cluster that has one.

    Raises UsageError for an address that is none, and for a login that would go over the wire as it is.
    """
    url, login = target.registry
    if why := wrong_url(url):
        raise UsageError(f"SCHEMA_REGISTRY_URL {why}")
    parts = urlsplit(url)
    if login and parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise UsageError(
            f"The login of the schema registry would go to {url} unencrypted.",
            hint="Use an https address, or unset SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO.",
        )
    authorities = target.connection.properties.get("ssl.ca.location", "")
    return Registry(url, login, authorities if Path(authorities).is_file() else "")
