"""How --help looks: commands and options in groups."""

from collections.abc import Mapping, Sequence
from typing import Any

OF_EVERY_COMMAND = "Cluster and topics.yaml"  # the title in kafkactl/options.py

SECTIONS: Mapping[str, Sequence[str]] = {
    "What topics.yaml declares": (
        "init-topics",
        "diff",
        "lint",
        "export",
        "topic",
        "replicas",
        "events",
        "service-env",
    ),
    "What is there, and what is wrong": ("describe", "test", "doctor", "whoami", "access", "lag", "exporter"),
    "Records, groups, dead letters": ("tail", "produce", "groups", "dlq", "history"),
    "Clusters and this machine": ("env", "ps", "logs", "sandbox", "completion"),
}


def write_options(command: Any, context: Any, formatter: Any) -> None:
    """Arguments, then options in their groups: those without one, and then those of every command, last."""
    groups: dict[str, list[tuple[str, str]]] = {"Arguments": []}
    shared: dict[str, list[tuple[str, str]]] = {"Options": [], OF_EVERY_COMMAND: []}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is None:
            continue
        argument = parameter.param_type_name == "argument"
        title = "Arguments" if argument else getattr(parameter, "rich_help_panel", None) or "Options"
        (shared if title in shared else groups).setdefault(title, []).append(record)
    _write_sections(formatter, groups | shared)


def write_commands(table: Mapping[str, Any], formatter: Any, *, grouped: bool) -> None:
    """Commands with the first line of their help; those of kafkactl itself `grouped`."""
    sections = SECTIONS if grouped else {"Commands": tuple(table)}
    _write_sections(
        formatter,
        {title: [(n, entry.help) for n, entry in table.items() if n in names] for title, names in sections.items()},
    )


_WIDEST = 30  # cells for names; wider ones have their help in the next line


def _write_sections(formatter: Any, groups: Mapping[str, Sequence[tuple[str, str]]]) -> None:
    """Sections whose second columns stand below each other."""
    widths = [len(name) for rows in groups.values() for name, _ in rows]
    width = max((width for width in widths if width <= _WIDEST), default=_WIDEST)
    for title, rows in groups.items():
        if rows:
            with formatter.section(title):
                formatter.write_dl([(f"{name:<{width}}", text) for name, text in rows], col_max=width)
