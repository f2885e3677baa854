"""How a client's identity and permissions are shown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from kafkactl.cluster.client import ClusterInfo
from kafkactl.cluster.identity import Identity
from kafkactl.cluster.permissions import CLUSTER_OPERATIONS, GROUP_OPERATIONS, TOPIC_OPERATIONS, Permissions, needed
from kafkactl.cluster.tls import Certificate
from kafkactl.text.escapes import plain
from kafkactl.text.words import and_more, many
from kafkactl.view import output
from kafkactl.view.output import Cell, Coloured, Column

_SOON = 30  # days


@dataclass(frozen=True)
class Standing:
    """Who asks, what the brokers present, and what may be done. `command`: whose needs are checked, "" for none.

    `certificates` are the brokers' by their addresses. `on_cluster` is None where it is not told.
    """

    identity: Identity
    cluster: ClusterInfo
    certificates: Mapping[str, Certificate]
    on_cluster: frozenset[str] | None
    topics: Sequence[Permissions]
    groups: Sequence[Permissions]
    command: str
    catalogued: bool

    def missing(self, entry: Permissions, *, group: bool = False) -> list[str]:
        """What the command needs and this user may not do."""
        return [word for word in self._needed(entry, group) if word in entry.denied]

    def unknown(self, entry: Permissions, *, group: bool = False) -> list[str]:
        """What the command needs and nobody knows."""
        return [word for word in self._needed(entry, group) if word not in entry.denied | entry.allowed]

    def _needed(self, entry: Permissions, group: bool) -> tuple[str, ...]:
        return needed(self.command, entry, group=group) if self.command else ()

    @cached_property
    def sufficient(self) -> bool | None:
        """Whether the command has all it needs; None where that is not known."""
        every = [*((entry, False) for entry in self.topics), *((entry, True) for entry in self.groups)]
        if any(self.missing(entry, group=group) for entry, group in every):
            return False
        return None if any(self.unknown(entry, group=group) for entry, group in every) else True


def show_standing(found: Standing, label: str) -> None:
    """All of it for people."""
    who, look = found.identity, output.style()
    way = f"{who.protocol}{f', {who.mechanism}' if who.mechanism else ''}"
    output.say(f"{look.paint(plain(who.principal) or 'principal not known', 'bold')} at {plain(label)} by {way}")
    mapped = "" if who.origin == "no login" else "; a broker may map it to another name"
    output.say(f"  From {plain(who.origin)}{mapped}.")
    for names, certificate in _alike(found.certificates):
        output.say(f"  Certificate of {and_more(names)}: {_certificate(certificate)}")
    if who.certificate:
        output.say(f"  Certificate of this client: {_certificate(who.certificate)}")
    told = "not known: this user may not describe the cluster"
    output.say(
        f"  On the cluster: {told if found.on_cluster is None else _words(found.on_cluster, CLUSTER_OPERATIONS)}"
    )
    _section(found, "TOPIC", found.topics, TOPIC_OPERATIONS)
    _section(found, "GROUP", found.groups, GROUP_OPERATIONS)
    output.note(f"\n{_verdict(found)}")


def _verdict(found: Standing) -> str:
    if not found.catalogued:
        return "No topics.yaml found: no topic and no group was asked for."
    if not found.command:
        return f"{many(len(found.topics), 'declared topic')}, {many(len(found.groups), 'group')} of their consumers."
    lacking = [entry.name for entry in found.topics if found.missing(entry)]
    lacking += [entry.name for entry in found.groups if found.missing(entry, group=True)]
    if lacking:
        return f"Not enough for {found.command}: a permission is missing for {and_more(lacking)}."
    if found.sufficient is None:
        return f"Whether it is enough for {found.command} is not known."
    return f"Enough for {found.command}."


def _section(found: Standing, title: str, entries: Sequence[Permissions], every: Sequence[str]) -> None:
    if not entries:
        return
    output.say()
    columns = [Column(title), Column("ALLOWED"), *([Column("MISSING")] if found.command else [])]
    rows: list[list[Cell]] = []
    for entry in entries:
        row: list[Cell] = [entry.name, _allowed(entry, every)]
        if found.command:
            group = title == "GROUP"
            missing, unknown = found.missing(entry, group=group), found.unknown(entry, group=group)
            words = [*missing, *(f"{word}?" for word in unknown)]
            row.append(Coloured(" ".join(words), "red" if missing else "yellow") if words else "–")
        rows.append(row)
    output.table(columns, rows)


def _allowed(entry: Permissions, every: Sequence[str]) -> str:
    words = _words(entry.allowed, every)
    if entry.state == "there":
        return words
    if entry.state == "hidden":
        return f"{f'{words}; ' if entry.allowed else ''}hidden: no permission, or it does not exist"
    return f"{f'{words}; ' if entry.allowed else ''}it does not exist"


def _words(operations: Iterable[str], every: Sequence[str]) -> str:
    """Operations in one order; all there are in a word."""
    told = set(operations)
    if told.issuperset(every):
        return "everything"
    return " ".join([*(word for word in every if word in told), *sorted(told - set(every))]) or "nothing"


def _alike(certificates: Mapping[str, Certificate]) -> list[tuple[list[str], Certificate]]:
    """The addresses by the certificate that they present."""
    found: dict[Certificate, list[str]] = {}
    for address, certificate in certificates.items():
        found.setdefault(certificate, []).append(address)
    return [(names, certificate) for certificate, names in found.items()]


def _certificate(certificate: Certificate) -> str:
    days = days_left(certificate)
    when = f"{certificate.ends:%Y-%m-%d}"
    left = f"expired on {when}" if days < 0 else f"expires on {when}, {many(days, 'day')} left"
    shown = output.style().paint(left, "red" if days < 0 else "yellow" if days < _SOON else "")
    return f"{plain(certificate.subject)}, issued by {plain(certificate.issuer)}, {shown}"


def days_left(certificate: Certificate) -> int:
    """How many whole days a certificate is still valid; negative once it has expired."""
    return (certificate.ends - datetime.now(UTC)).days


def standing_document(found: Standing) -> dict[str, Any]:
    """All of it for programs. `operations` on the cluster is null where it is not told."""
    return {
        "principal": found.identity.principal or None,
        "principal_from": found.identity.origin,
        "protocol": found.identity.protocol,
        "mechanism": found.identity.mechanism or None,
        "client_certificate": _certificate_document(found.identity.certificate),
        "broker_certificates": {
            address: _certificate_document(certificate) for address, certificate in found.certificates.items()
        },
        "cluster": {
            "id": found.cluster.id,
            "operations": None if found.on_cluster is None else sorted(found.on_cluster),
        },
        "topics": [_entry(found, entry, TOPIC_OPERATIONS, group=False) for entry in found.topics],
        "groups": [_entry(found, entry, GROUP_OPERATIONS, group=True) for entry in found.groups],
        "for": found.command or None,
        "sufficient": found.sufficient if found.command else None,
    }


def _certificate_document(certificate: Certificate | None) -> dict[str, Any] | None:
    if certificate is None:
        return None
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "names": list(certificate.names),
        "not_before": certificate.begins.isoformat(),
        "not_after": certificate.ends.isoformat(),
        "days_left": days_left(certificate),
    }


def _entry(found: Standing, entry: Permissions, every: Sequence[str], *, group: bool) -> dict[str, Any]:
    """One topic or group: `exists` is null where that is not told."""
    known = entry.allowed | entry.denied
    return {
        "name": entry.name,
        "exists": None if entry.state == "hidden" else entry.state == "there",
        "allowed": sorted(entry.allowed),
        "denied": sorted(entry.denied),
        "not_known": [word for word in every if word not in known],
        "missing": found.missing(entry, group=group),
    }
