"""Dead letters that an interrupted replay may have sent: their copies are looked for where they would be."""

import time
from collections.abc import Callable, Mapping

from kafkactl.cluster.client import Cluster
from kafkactl.deadletters.ledger import LetterLedger, LetterNote, Spot, entry_key
from kafkactl.deadletters.origin import REPLAY_ID
from kafkactl.errors import UnreachableError
from kafkactl.records.consume import Reader, as_record, read_until
from kafkactl.records.span import Bounds, bounds
from kafkactl.topics import Place

_PATIENCE = 60.0  # seconds without a record


def doubts(ledger: LetterLedger, cluster: str) -> dict[Spot, LetterNote]:
    """The letters that may have been sent to the cluster of this id ("": the ledger's own)."""
    return {s: note for s, note in ledger.entries.items() if note.state == "sending" and note.cluster == cluster}


def look_for_copies(
    there: Cluster, topic_id: str, doubtful: Mapping[Spot, LetterNote], told: Callable[[str], None]
) -> dict[Spot, LetterNote | None]:
    """What is to be noted about these letters: that they were sent, where their copies are there; nothing, where not.

    A letter is left out where that is not known: records from which on its copy would be have been deleted.
    Raises NotPermittedError where this user may not read the targets, UnreachableError where they do not answer.
    """
    ids = {entry_key(topic_id, spot): spot for spot in doubtful}
    found: set[Spot] = set()
    searched: dict[str, Bounds] = {}
    existing = there.call(there.admin.list_topics, timeout=there.connection.timeout).topics
    for topic in {note.to for note in doubtful.values()} & existing.keys():
        starts: dict[Place, int] = {}
        for note in doubtful.values():
            for id, end in note.ends.items() if note.to == topic else ():
                starts[Place(topic, id)] = min(end, starts.get(Place(topic, id), end))
        limits = searched[topic] = bounds(there, list(starts), uncommitted=True)
        if limits.silent:
            raise UnreachableError(f"The leader of {min(limits.silent)} does not respond.")
        begin = {p: min(max(starts[p], limits.firsts[p]), end) for p, end in limits.ends.items()}
        reader = Reader(there, told, uncommitted=True)
        try:
            for messages in read_until(reader, begin, limits.ends, _PATIENCE):
                for record in map(as_record, messages):
                    found |= {ids[v] for name, v in record.headers if name == REPLAY_ID and v in ids}
        finally:
            reader.close()
    now = int(time.time() * 1000)
    notes: dict[Spot, LetterNote | None] = {}
    for spot, note in doubtful.items():
        if spot in found:
            notes[spot] = LetterNote("replayed", now, note.by, to=note.to, cluster=note.cluster)
        elif note.to not in searched or _was_seen(note, searched[note.to]):
            notes[spot] = None
    return notes


def _was_seen(note: LetterNote, limits: Bounds) -> bool:
    """Whether nothing was deleted of what came after the note."""
    return all(limits.firsts.get(Place(note.to, id), 0) <= end for id, end in note.ends.items())
