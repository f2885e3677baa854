"""Brokers: listeners, threads, and what somebody changed."""

from typing import TYPE_CHECKING, Any

from kafkactl import output
from kafkactl.errors import ExitCode, UsageError
from kafkactl.output import Column, ListFormat, say
from kafkactl.planview import value_text

if TYPE_CHECKING:
    from kafkactl.cluster import Cluster
    from kafkactl.cluster.brokers import BrokerSettings

# What a person asks of a broker first; everything else only where somebody changed it.
_ALWAYS = (
    "listeners",
    "advertised.listeners",
    "process.roles",
    "num.network.threads",
    "num.io.threads",
    "log.dirs",
    "message.max.bytes",
    "queued.max.requests",
    "socket.request.max.bytes",
    "log.cleaner.dedupe.buffer.size",
)


def describe_brokers(kafka: "Cluster", names: list[str] | None, show: ListFormat) -> ExitCode:
    from kafkactl.cluster.brokers import read_brokers

    known = [broker.id for broker in kafka.info.brokers]
    bad = [name for name in names or () if not name.isdigit() or int(name) not in known]
    if bad:
        raise UsageError(
            f"There is no broker {bad[0]} on {kafka.connection.address}.",
            hint=f"Brokers: {', '.join(map(str, known))}",
        )
    found = read_brokers(kafka, [int(name) for name in names] if names else None)
    match show:
        case ListFormat.NAME:
            for entry in found:
                say(str(entry.broker.id))
        case ListFormat.JSON:
            output.document("brokers", {"brokers": [_broker_document(entry) for entry in found]})
        case ListFormat.TABLE:
            for number, entry in enumerate(found):
                if number:
                    say()
                _show_broker(entry)
    return ExitCode.FOUND if any(entry.why_not for entry in found) else ExitCode.OK


def _show_broker(entry: "BrokerSettings") -> None:
    rack = f" · rack {entry.broker.rack}" if entry.broker.rack else ""
    say(f"{output.style().paint(f'broker {entry.broker.id}', 'bold')} · {entry.broker.address}{rack}")
    if entry.why_not:
        say(f"  its settings could not be read: {entry.why_not}")
        return
    changed = [name for name, setting in sorted(entry.settings.items()) if setting.changed and name not in _ALWAYS]
    rows: list[list[output.Cell]] = []
    for name in (*(name for name in _ALWAYS if name in entry.settings), *changed):
        setting = entry.settings[name]
        value = "(secret)" if setting.value is None else value_text(name, setting.value)
        rows.append([name, value, "changed" if setting.changed else "default"])
    output.table([Column("SETTING"), Column("VALUE"), Column("SET BY")], rows)


def _broker_document(entry: "BrokerSettings") -> dict[str, Any]:
    return {
        "id": entry.broker.id,
        "host": entry.broker.host,
        "port": entry.broker.port,
        "rack": entry.broker.rack,
        "unreadable": entry.why_not or None,
        "settings": {
            name: {"value": setting.value, "changed": setting.changed}
            for name, setting in sorted(entry.settings.items())
        },
    }
