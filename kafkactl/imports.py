"""What libraries import at their start and do not use there: left out of the start of a command.

confluent_kafka imports asyncio for its asyncio clients, which nothing here uses: two thirds of its own import. It still
gets it at the first use; every other importer gets the module itself, as ever.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

_LIBRARY, _UNUSED = "confluent_kafka", "asyncio"


def postpone_unused() -> None:
    """From now on the library loads without what it does not use. What is loaded already stays as it is."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder:
    # Python's own base class for this costs more than it gives: importing it loads tempfile and random.
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _LIBRARY or _UNUSED in sys.modules:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    """Loads the library while the module it does not use is stood in for."""

    def exec_module(self, module: ModuleType) -> None:
        sys.modules[_UNUSED] = stand_in = _Postponed(_UNUSED)
        try:
            super().exec_module(module)
        finally:
            if sys.modules.get(_UNUSED) is stand_in:
                del sys.modules[_UNUSED]


class _Postponed(ModuleType):
    """Stands in for a module, which loads as soon as something of it is used."""

    def __getattr__(self, name: str) -> Any:
        if name == "__path__":  # `from … import …` asks every module for it
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)
