"""How long a cluster may still be waited for: its error events are heard, confirmed, and then it is given up."""

import threading
import time
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from kafkactl.cluster.diagnose import advertised, diagnose
from kafkactl.cluster.properties import client_properties
from kafkactl.cluster.words import refused, silent
from kafkactl.settings import Connection

if TYPE_CHECKING:
    from kafkactl.cluster.client import Cluster


class Patience:
    """How long one batch of requests may still be waited for."""

    def __init__(self, cluster: "Cluster", limit: float) -> None:
        self.cluster = cluster
        self.timeout = cluster.connection.timeout
        self.deadline = time.monotonic() + limit
        self.seen = 0
        self.suspect_since: float | None = None
        self.next_check = time.monotonic() + self.timeout * 0.5
        self.sign_of_life: _SignOfLife | None = None

    def check(self) -> bool:
        """False when the limit is over; raises UnreachableError when the cluster is gone."""
        now = time.monotonic()
        events = self.cluster.events()
        for event in events[self.seen :]:
            self._judge(event)
        self.seen = len(events)
        if self.suspect_since is not None and now - self.suspect_since > 0.25:
            self._confirm()
            self.suspect_since = now
        if now > self.next_check:
            self._look_for_life(now)
        return now < self.deadline

    def _judge(self, event: Any) -> None:
        code = event.code()
        if code in (KafkaError._AUTHENTICATION, KafkaError._SSL):
            raise refused(self.cluster.connection, event.str())
        if code in (
            KafkaError._ALL_BROKERS_DOWN,
            KafkaError._RESOLVE,
            KafkaError._TRANSPORT,
            KafkaError._BAD_MSG,
        ):
            self.suspect_since = self.suspect_since or time.monotonic() - 0.2

    def _confirm(self) -> None:
        """An event may be a blip, or one of several addresses: gone is only what no address answers."""
        self.cluster.suspicions += 1
        error = diagnose(self.cluster, patient=True)
        if error:
            raise error

    def _look_for_life(self, now: float) -> None:
        if self.sign_of_life is None:
            self.sign_of_life = _SignOfLife(self.cluster.connection, self.timeout * 0.2)
        elif self.sign_of_life.done():
            alive = self.sign_of_life.alive
            self.sign_of_life = None
            if not alive:
                raise diagnose(self.cluster, patient=False) or silent(self.cluster.connection)
            # A bootstrap that answers is no good if it sends its clients where nobody is.
            error = advertised(self.cluster)
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
            AdminClient(client_properties(connection)).list_topics(timeout=max(timeout, 0.1))
            self.alive = True
        except KafkaException:
            self.alive = False

    def done(self) -> bool:
        return not self._thread.is_alive()
