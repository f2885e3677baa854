"""What a user typed of a change, besides the change itself."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kafkactl.settings import Connection

if TYPE_CHECKING:
    from kafkactl.catalog.model import Catalog


@dataclass(frozen=True)
class Asked:
    """What the user typed besides the change itself: which cluster, and what was agreed to beforehand."""

    connection: Connection
    catalog: "Catalog | None"
    flags: str
    yes: bool
    confirm: str | None
    dry_run: bool
    json: bool
