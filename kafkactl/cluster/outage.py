"""How long to keep waiting for a cluster, and why it does not answer, found by trying what the client tried."""

import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from kafkactl.cluster import network
from kafkactl.cluster.kafka_errors import silence
from kafkactl.cluster.properties import client_properties
from kafkactl.cluster.refusals import login_refused, other_refusal, refusal_of
from kafkactl.connection import DEFAULT_BROKERS, Connection
from kafkactl.errors import RefusedError, UnreachableError
from kafkactl.text.remedies import Command, kafkactl

if TYPE_CHECKING:
    from kafkactl.cluster.greeting import Manner


def next_steps(connection: Connection) -> list[Command]:
    """What to type where nothing answers: a sandbox only where it would be at this very address."""
    host, _, port = connection.address.rpartition(":")
    steps = [kafkactl("doctor", options=["--wait", "60s"], note="Still starting?")]
    if host in ("localhost", "127.0.0.1") and 1024 <= int(port) <= 65000:
        here = connection.address == DEFAULT_BROKERS
        up = kafkactl("sandbox up", options=[] if here else ["--port", port], note="No Kafka here?")
        steps.insert(0, up)
    return steps


@dataclass
class Link:
    """What a diagnosis needs of a cluster: the connection, an admin client, and the error events it has heard of."""

    connection: Connection
    admin: Any
    heard: list[Any]
    suspicions: int = 0  # how often an event made us check whether the cluster is gone

    def events(self) -> list[Any]:
        """librdkafka's error events so far; serving them is what calls our callback."""
        self.admin.poll(0)
        return self.heard


_ANSWER = 1.0  # seconds a busy machine may take to answer a first request


def diagnose_outage(link: Link, *, patient: bool) -> UnreachableError | None:
    """The reason as an error; None while it may still turn out well (only if `patient`).

    Every bootstrap address is greeted as this client would: one that serves it is enough. If none does, an address
    that refuses this client says more than those that are down.
    """
    from kafkactl.cluster.greeting import greet_all

    connection, events = link.connection, link.events()
    greetings = greet_all(connection.brokers, connection.properties, _ANSWER)
    if not any(met.manner == "kafka" for met in greetings):
        for met in greetings:
            if refusal := refusal_of(met, connection.properties):
                return RefusedError(refusal, connection.source)
        answering = [met for met in greetings if met.manner in _MANNERS]
        if not answering:
            (first, *others) = dict.fromkeys(met.why for met in greetings)
            return UnreachableError(
                f"Kafka does not answer at {connection.address}: {'; '.join([first, *others])}.",
                where=connection.source,
                hint=next_steps(connection),
            )
        if not patient or link.suspicions > 2:
            message, hint = _MANNERS[answering[0].manner]
            return UnreachableError(message.format(address=answering[0].address), where=connection.source, hint=hint)
    if not patient or _names_a_broker(events):
        return advertised_nowhere(link)
    return None


_MANNERS: "dict[Manner, tuple[str, str]]" = {
    "http": ("{address} is an HTTP server, not Kafka.", "Check the host and port."),
    "mute": (
        "Kafka does not answer at {address}: it accepts connections but never responds.",
        "The broker may hang or be overloaded. To wait longer: --timeout 30s",
    ),
    "closes": (
        "{address} accepts connections but closes them before it speaks Kafka's protocol.",
        "A published port does that while its broker is not running. Check: docker ps",
    ),
}


def refused_login(link: Link, event: Any) -> UnreachableError | None:
    """The error for an event that a login or a TLS handshake failed; None for any other, or a passing matter.

    librdkafka reports in the same way what no retry can change, and a broker that went down during the handshake.
    """
    if event.code() not in (KafkaError._AUTHENTICATION, KafkaError._SSL):
        return None
    if error := diagnose_outage(link, patient=True):
        return error
    words = event.str().split(" (after ", 1)[0]
    words = re.sub(r"^.*?:\d+/\S+: ", "", words).rstrip(".")
    if any(sign in words.lower() for sign in ("disconnected", "connection reset", "timed out", "eof", "closed")):
        return None
    connection = link.connection
    if event.code() == KafkaError._AUTHENTICATION:
        refusal = login_refused(connection.address, connection.properties, words)
    else:
        refusal = other_refusal(connection.address, words)
    return RefusedError(refusal, connection.source)


def _names_a_broker(events: Sequence[Any]) -> bool:
    """Whether an event is about an address the cluster advertised: host:port/<broker id>."""
    return any(re.search(r":\d+/\d+: ", event.str()) for event in events)


def _metadata(link: Link) -> Any:
    """The bootstrap's answer; asked again on a separate connection if the first is busy with dead brokers."""
    for fresh in (False, True):
        try:
            return _ask_anew(link.connection, 0.5) if fresh else link.admin.list_topics(timeout=0.5)
        except KafkaException:
            continue
    return None


def _ask_anew(connection: Connection, seconds: float) -> Any:
    return AdminClient(client_properties(connection)).list_topics(timeout=seconds)


class AdvertisedNowhereError(UnreachableError):
    """Kafka answers, and every address that it sends its clients to is out of reach. `brokers`: id and host:port."""

    brokers: tuple[tuple[int, str], ...] = ()


def advertised_nowhere(link: Link) -> UnreachableError | None:
    """The bootstrap answered: do the addresses it advertises work from here?"""
    metadata = _metadata(link)
    if metadata is None:
        return None
    reasons = {
        f"{broker.host}:{broker.port}": network.unreachable(broker.host, broker.port, timeout=0.3)
        for broker in metadata.brokers.values()
    }
    bad = {address: why for address, why in reasons.items() if why}
    if not bad or len(bad) < len(reasons):
        return None
    address, why = next(iter(bad.items()))
    error = AdvertisedNowhereError(
        f"Kafka answers at {link.connection.address} but sends its clients to {', '.join(bad)}: {why}.",
        where=f"The broker's advertised.listeners names {address} for the port you used.",
        hint="Use the listener meant for this side (on the host: localhost:40093), or correct advertised.listeners.",
    )
    error.brokers = tuple((broker.id, f"{broker.host}:{broker.port}") for broker in metadata.brokers.values())
    return error


class Patience:
    """How long to keep waiting for one batch of requests."""

    def __init__(self, link: Link, limit: float) -> None:
        self.link = link
        self.timeout = link.connection.timeout
        self.deadline = time.monotonic() + limit
        self.seen = 0
        self.suspect_since: float | None = None
        self.next_check = time.monotonic() + self.timeout * 0.5
        self.sign_of_life: _SignOfLife | None = None

    @property
    def over(self) -> bool:
        """Whether the limit is over: what has not come by now is waited for no longer."""
        return time.monotonic() >= self.deadline

    def check(self) -> bool:
        """False when the limit is over; raises UnreachableError when the cluster is gone."""
        now = time.monotonic()
        events = self.link.events()
        for event in events[self.seen :]:
            self._judge(event)
        self.seen = len(events)
        if self.suspect_since is not None and now - self.suspect_since > 0.25:
            self._confirm()
            self.suspect_since = now
        if now > self.next_check:
            self._look_for_life(now)
        return not self.over

    def _judge(self, event: Any) -> None:
        code = event.code()
        if error := refused_login(self.link, event):
            raise error
        if code in (
            KafkaError._AUTHENTICATION,
            KafkaError._SSL,
            KafkaError._ALL_BROKERS_DOWN,
            KafkaError._RESOLVE,
            KafkaError._TRANSPORT,
            KafkaError._BAD_MSG,
        ):
            self.suspect_since = self.suspect_since or time.monotonic() - 0.2

    def _confirm(self) -> None:
        """An event may be a blip, or concern one of several addresses: the cluster is gone only if none answers."""
        self.link.suspicions += 1
        error = diagnose_outage(self.link, patient=True)
        if error:
            raise error

    def _look_for_life(self, now: float) -> None:
        if self.sign_of_life is None:
            self.sign_of_life = _SignOfLife(self.link.connection, self.timeout * 0.2)
        elif self.sign_of_life.done():
            alive = self.sign_of_life.alive
            self.sign_of_life = None
            if not alive:
                raise diagnose_outage(self.link, patient=False) or silence(self.link.connection)
            # A bootstrap that answers is useless if it advertises addresses where nothing listens.
            error = advertised_nowhere(self.link)
            if error:
                raise error
            self.next_check = now + self.timeout


class _SignOfLife:
    """Asks for metadata on a connection of its own, beside a request that takes long: slow is not dead."""

    def __init__(self, connection: Connection, timeout: float) -> None:
        self.alive = False
        self._thread = threading.Thread(target=self._ask, args=(connection, timeout), daemon=True)
        self._thread.start()

    def _ask(self, connection: Connection, timeout: float) -> None:
        try:
            _ask_anew(connection, max(timeout, 0.1))
            self.alive = True
        except KafkaException:
            self.alive = False

    def done(self) -> bool:
        return not self._thread.is_alive()
