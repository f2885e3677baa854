"""One replay: the letters of a plan, sent in batches until all are, or there is a reason to stop."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from kafkactl.cluster.client import Cluster
from kafkactl.deadletters.doubts import doubts, look_for_copies
from kafkactl.deadletters.in_transactions import FencedError, TransactionalSession
from kafkactl.deadletters.ledger import LetterLedger, LetterNote, Spot, encode_note, entry_key, lock_key
from kafkactl.deadletters.ledger_topic import refreshed
from kafkactl.deadletters.letters import DeadLetterTopic, Letter, read_letters
from kafkactl.deadletters.origin import HeaderReading
from kafkactl.deadletters.replay_plan import Agreed, Decision
from kafkactl.deadletters.sessions import LostError, RefusedRecordError, Replayer, Session
from kafkactl.deadletters.without_transactions import PlainSession
from kafkactl.errors import KafkactlError, NotPermittedError, UnreachableError
from kafkactl.process import Interruption
from kafkactl.records.outgoing import Outgoing

_BATCH, _BATCH_BYTES = 500, 1_000_000
_PATIENCE = 60.0  # seconds without a batch that was sent
_TIDIED = 10_000  # notes about records that are gone, removed at the end of a replay


@dataclass
class ReplayAccount:
    """What became of the letters of a plan. `asked` is the sum of all others.

    By target: `sent`. By reason: `parked`, `withheld`, `passed` (somebody else handled them meanwhile). `gone`: the
    dead-letter topic's retention deleted them first. `left`: not tried any more.
    """

    asked: int = 0
    sent: Counter[str] = field(default_factory=Counter)
    parked: Counter[str] = field(default_factory=Counter)
    withheld: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    gone: int = 0
    left: int = 0

    @property
    def handled(self) -> int:
        return sum(map(Counter.total, (self.sent, self.parked, self.withheld, self.passed))) + self.gone

    def close(self, everything_read: bool) -> None:
        """What was not handled is gone, if all of the topic was read, else it is left."""
        rest = self.asked - self.handled
        if everything_read:
            self.gone += rest
        else:
            self.left = rest


class _Item(NamedTuple):
    letter: Letter
    decision: Decision

    @property
    def spot(self) -> Spot:
        return self.letter.spot

    def parked(self, why: str) -> "_Item":
        """The same letter, whose record was refused."""
        to = self.decision.to
        return _Item(self.letter, Decision("park", f"{to} refused it: {why}", to))


class Replay:
    """A replay of one dead-letter topic. `decide` says what becomes of a letter, by what is noted about it.

    `corrected` are records sent in place of those that the letters hold. `transactional`: whether this user may use
    the transactional id. `there` is the cluster that records go to, where it is another one: then no transaction can
    hold them and their notes.
    """

    def __init__(
        self,
        cluster: Cluster,
        topic: DeadLetterTopic,
        ledger: LetterLedger,
        identity: Replayer,
        agreed: Agreed,
        decide: Callable[[Letter, LetterNote | None], Decision],
        reading: HeaderReading,
        stop: Interruption,
        told: Callable[[str], None],
        progressed: Callable[["Replay"], None],
        *,
        rate: float | None = None,
        transactional: bool = True,
        corrected: Mapping[Spot, Outgoing] | None = None,
        there: Cluster | None = None,
    ) -> None:
        self._cluster = cluster
        self._topic = topic
        self._ledger = ledger
        self._identity = identity
        self._agreed = agreed
        self._decide = decide
        self._reading = reading
        self._stop = stop
        self._told = told
        self._progressed = progressed
        self._rate = rate
        self._transactional = transactional and there is None
        self._there = there or cluster
        self._corrected = corrected or {}
        self._session: Session | None = None
        self.account = ReplayAccount(asked=len(agreed))

    def run(self) -> None:
        """Send until the end of the plan or a signal. Raises KafkactlError; the account is right in any case."""
        complete = False
        try:
            self._open()
            for batch in self._batches():
                self._yield_to_another()
                self._handle(batch)
                self._progressed(self)
                if self._stop.why:
                    return
            complete = not self._stop.why
        finally:
            self.account.close(complete)
            self._end()

    def _batches(self) -> Iterator[Sequence[Letter]]:
        """The letters of the plan, as many at a time as one transaction takes."""
        most = _BATCH if self._rate is None else max(1, min(_BATCH, int(self._rate)))
        ends = self._agreed.ends
        topic = replace(self._topic, ends=ends, firsts={id: self._topic.firsts[id] for id in ends})
        batch: list[Letter] = []
        weight = 0
        letters = read_letters(self._cluster, topic, self._reading, self._told, starts=self._agreed.starts)
        for some in letters:
            for letter in some:
                if letter.spot not in self._agreed:
                    continue
                batch.append(letter)
                weight += len(letter.record.value or b"")
                if len(batch) >= most or weight > _BATCH_BYTES:
                    yield batch
                    batch, weight = [], 0
        if batch:
            yield batch

    def _handle(self, batch: Sequence[Letter]) -> None:
        """Do with a batch what was decided. Ride out an outage; where a record is refused, find it by halves."""
        pause = len(batch) / self._rate if self._rate else 0.0
        since = time.monotonic()
        tried: set[Spot] = set()
        parts = deque([(batch, "")])  # with why the one record of a part was refused
        while parts and not self._stop.why:
            part, refused = parts.popleft()
            todo = self._todo(part, tried)
            if not todo:
                continue
            tried |= {item.spot for item in todo}
            letters = [item.letter for item in todo]
            try:
                self._send([item.parked(refused) for item in todo] if refused else todo, pause)
            except LostError as error:
                self._told(f"the transaction did not end ({error}); looking at what became of it")
                self._reopen(since, str(error))
                parts.appendleft((letters, refused))
            except RefusedRecordError as error:
                since = time.monotonic()  # Kafka is there
                self._reopen(since, str(error))
                middle = len(letters) // 2
                if middle:
                    parts.extendleft([(letters[middle:], ""), (letters[:middle], "")])
                else:
                    parts.appendleft((letters, str(error)))
        until = time.monotonic() + pause
        while time.monotonic() < until and not self._stop.why:
            time.sleep(min(0.1, max(0.0, until - time.monotonic())))

    def _todo(self, batch: Sequence[Letter], tried: set[Spot]) -> list[_Item]:
        """What is to be sent or noted of a batch; the rest is counted. Of what we tried, a note is our own."""
        todo = []
        for letter in batch:
            noted = self._ledger.entries.get(letter.spot)
            if letter.spot in tried and noted is not None and noted.by == self._identity.by:
                if noted.state == "replayed":
                    self.account.sent[noted.to] += 1
                    continue
                if noted.state == "parked" and noted.at >= self._identity.since:
                    self.account.parked[noted.why] += 1
                    continue
            decision = self._decide(letter, noted)
            if decision.verb == "pass":
                self.account.passed[decision.why] += 1
            elif decision.verb == "withhold":
                self.account.withheld[decision.why] += 1
            else:
                own = self._corrected.get(letter.spot)
                todo.append(_Item(letter, replace(decision, record=own) if own is not None else decision))
        return todo

    def _send(self, todo: Sequence[_Item], pause: float) -> None:
        """Send items and count them."""
        assert self._session is not None
        refused = self._session.send(todo, pause)
        for item in todo:
            if item.spot in refused:
                self.account.parked[item.parked(refused[item.spot]).decision.why] += 1
            elif item.decision.verb == "send":
                self.account.sent[item.decision.to] += 1
            else:
                self.account.parked[item.decision.why] += 1

    def _open(self) -> None:
        if self._transactional:
            self._session = TransactionalSession(self._cluster, self._identity, lambda: bool(self._stop.why))
        else:
            self._session = PlainSession(self._cluster, self._identity, self._there)
        self._ledger = refreshed(self._cluster, self._identity.topic_id, self._ledger, self._told)
        self._settle()

    def _reopen(self, since: float, why: str) -> None:
        """A new session, as soon as there can be one. Raises UnreachableError where there is none for long."""
        if self._session is not None:
            self._session.close()
            self._session = None
        while not self._stop.why:
            if time.monotonic() - since > _PATIENCE:
                raise UnreachableError(f"Kafka has not taken a batch for {_PATIENCE:g} s: {why}.")
            try:
                self._open()
            except (LostError, UnreachableError) as error:
                why = str(error)
                time.sleep(0.2)
            else:
                return

    def _settle(self) -> None:
        """Note what became of the letters that may have been sent, as far as it can be found out."""
        doubtful = doubts(self._ledger, self._identity.cluster)
        if not doubtful or self._session is None:
            return
        id = self._identity.topic_id
        try:
            notes = look_for_copies(self._there, id, doubtful, self._told)
        except NotPermittedError:
            return  # they are withheld
        self._session.write({entry_key(id, spot): encode_note(note) if note else None for spot, note in notes.items()})
        self._ledger = refreshed(self._cluster, id, self._ledger, self._told)

    def _yield_to_another(self) -> None:
        """Raise FencedError where somebody else began to replay the topic: without a transaction only notes tell."""
        if self._transactional:
            return
        self._ledger = refreshed(self._cluster, self._identity.topic_id, self._ledger, self._told)
        lock, own = self._ledger.lock, self._identity
        if lock is not None and (lock.host, lock.pid) != (own.host, own.pid) and lock.since > own.since:
            self._session, session = None, self._session
            if session is not None:
                session.close()
            raise FencedError

    def _end(self) -> None:
        """Say that nobody replays any more, and remove notes about records that are gone; without it nothing breaks."""
        if self._session is None:
            return
        tidied = self._ledger.expired(self._topic.firsts)[:_TIDIED]
        id = self._identity.topic_id
        notes: dict[bytes, bytes | None] = {lock_key(id): None}
        notes |= dict.fromkeys(entry_key(id, spot) for spot in tidied)
        try:
            self._session.write(notes)
        except (LostError, RefusedRecordError, KafkactlError):
            pass
        finally:
            self._session.close()
            self._session = None


def may_transact(cluster: Cluster, transactional_id: str) -> bool | None:
    """Whether this user may use a transactional id, as far as a look at it tells; None where nobody tells."""
    try:
        return cluster.call(_look, cluster, transactional_id)
    except NotPermittedError:
        return False
    except KafkactlError:
        return None


def _look(cluster: Cluster, transactional_id: str) -> bool | None:
    from kafka.errors import KafkaError, TransactionalIdAuthorizationFailedError

    from kafkactl.cluster.properties import second_client

    with second_client(cluster.connection) as admin:
        try:
            admin.describe_transactions([transactional_id])
        except TransactionalIdAuthorizationFailedError:
            return False
        except KafkaError:
            return True
    return True
