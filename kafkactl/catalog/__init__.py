"""topics.yaml: what is declared.

The names below are imported when they are first used: many commands need only the model, and reading takes five
times as long to import.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kafkactl.catalog.configs import CONFIGS, normalise
    from kafkactl.catalog.file import find, load, parse
    from kafkactl.catalog.model import Catalog, Environment, Position, Problem, Service, Topic
    from kafkactl.catalog.problems import CatalogError
    from kafkactl.catalog.units import parse_retention, parse_size, retention_text, size_text

_HOMES = {
    "configs": ("CONFIGS", "normalise"),
    "file": ("find", "load", "parse"),
    "model": ("Catalog", "Environment", "Position", "Problem", "Service", "Topic"),
    "problems": ("CatalogError",),
    "units": ("parse_retention", "parse_size", "retention_text", "size_text"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "CONFIGS",
    "Catalog",
    "CatalogError",
    "Environment",
    "Position",
    "Problem",
    "Service",
    "Topic",
    "find",
    "load",
    "normalise",
    "parse",
    "parse_retention",
    "parse_size",
    "retention_text",
    "size_text",
]


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
