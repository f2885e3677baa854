"""What the Tab key offers for a word: names of topics.yaml, and those that commands saw on the cluster before.

Dials nothing, runs nothing, and shows no error: where a name is not known, nothing is offered.
"""

import os
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import typer

Offer = Callable[[Any, str], list[str]]


def _quiet(names: Callable[[Any], Iterable[str]]) -> Offer:
    """Those of the names that begin with what was typed; none where they cannot be had."""

    def offer(ctx: typer.Context, incomplete: str) -> list[str]:
        from kafkactl.errors import KafkactlError

        try:
            return sorted({name for name in names(ctx) if name.startswith(incomplete)})
        except (KafkactlError, OSError, UnicodeDecodeError):
            return []

    return offer


def _addresses(ctx: Any) -> list[str]:
    """Where the command that is being typed would look for Kafka, as far as that can be told without a login."""
    from kafkactl.connection import DEFAULT_BROKERS
    from kafkactl.settings import current_environment

    typed = ctx.params.get("brokers")
    env = ctx.params.get("env") or (None if typed else current_environment())
    if not typed and env:
        return [address for found in _target(ctx).environments if found.name == env for address in found.brokers]
    return (typed or os.environ.get("KAFKA_BROKERS") or DEFAULT_BROKERS).split(",")


def _target(ctx: Any) -> Any:
    return _of_file(ctx.params.get("file"))


@cache
def _of_file(file: str | Path | None) -> Any:
    """One for a press of the Tab key: it reads topics.yaml once, however often it is asked."""
    from kafkactl.settings import Target

    return Target(file=Path(file) if file else None)


def _seen(kind: str, ctx: Any) -> list[str]:
    from kafkactl.known_names import known_names

    return known_names(kind, _addresses(ctx))


def _declared(ctx: Any, what: str) -> Iterable[str]:
    catalog = _target(ctx).catalog
    return getattr(catalog, what) if catalog else ()


def _topics(ctx: Any) -> Iterable[str]:
    from kafkactl.settings import declared_names

    file = ctx.params.get("file")
    declared = _declared(ctx, "topics") if file else declared_names()
    return [*declared, *(name for name in _seen("topics", ctx) if not name.startswith("__"))]


def _groups(ctx: Any) -> Iterable[str]:
    catalog = _target(ctx).catalog
    declared = [catalog.service(name).group for name in _services(ctx)] if catalog else []
    return [*declared, *_seen("groups", ctx)]


def _services(ctx: Any) -> Iterable[str]:
    from kafkactl.catalog.service_settings import known_services

    catalog = _target(ctx).catalog
    return known_services(catalog) if catalog else ()


def _described(ctx: Any) -> Iterable[str]:
    return _seen("brokers", ctx) if ctx.params.get("broker") else _topics(ctx)


def _codes(_: Any) -> Iterable[str]:
    from kafkactl.doctor.codes import codes

    return codes()


def _checks(ctx: Any) -> Iterable[str]:
    from kafkactl.doctor.codes import CATEGORIES

    return [*_codes(ctx), *CATEGORIES.values()]


def _contracts(ctx: Any) -> Iterable[str]:
    from kafkactl.catalog.model import BUILT_IN_EVENTS

    return [*BUILT_IN_EVENTS, *_declared(ctx, "events")]


complete_topic = _quiet(_topics)
complete_group = _quiet(_groups)
complete_described = _quiet(_described)
complete_environment = _quiet(lambda ctx: [environment.name for environment in _target(ctx).environments])
complete_service = _quiet(_services)
complete_code = _quiet(_codes)
complete_check = _quiet(_checks)
complete_contract = _quiet(_contracts)
