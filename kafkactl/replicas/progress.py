"""How far a move is: bytes copied, how fast, and how long it will take."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kafkactl.placement.model import ReplicaMove
from kafkactl.text.words import age, size
from kafkactl.topics import Place

_WINDOW_SECONDS = 15.0  # over which the speed is taken
Sizes = Mapping[tuple[int, Place], int]  # bytes by broker and partition


def copied(move: ReplicaMove, sizes: Sizes) -> tuple[int, int]:
    """Bytes of a move that its new replicas have, and that they are to have."""
    whole = max((sizes.get((id, move.place), 0) for id in move.before), default=0) or move.size or 0
    return sum(min(sizes.get((id, move.place), 0), whole) for id in move.added), whole * len(move.added)


@dataclass
class Progress:
    """What is told of a move. `done` bytes of batches that are over, `rest` of those that have not begun."""

    batches: int
    batch: int = 0
    done: int = 0
    rest: int = 0
    have: int = 0
    want: int = 0
    open: int = 0  # partitions of this batch that are not done
    _samples: deque[tuple[float, int]] = field(default_factory=deque)

    def look(self, moving: Iterable[ReplicaMove], over: Iterable[ReplicaMove], sizes: Sizes, now: float) -> None:
        """Another look at the batch that is under way; `now` in seconds on any clock."""
        self.have = self.want = self.open = 0
        for move in moving:
            have, want = copied(move, sizes)
            self.have, self.want, self.open = self.have + have, self.want + want, self.open + 1
        for move in over:
            _, want = copied(move, sizes)
            self.have, self.want = self.have + want, self.want + want
        self._samples.append((now, self.done + self.have))
        while self._samples and now - self._samples[0][0] > _WINDOW_SECONDS:
            self._samples.popleft()

    def next_batch(self, rest: int) -> None:
        """A batch begins; `rest` bytes are in those behind it."""
        self.done += self.want
        self.batch, self.rest, self.have, self.want = self.batch + 1, rest, 0, 0

    @property
    def speed(self) -> float | None:
        """Bytes a second lately; None while that is not known."""
        if len(self._samples) < 2 or self._samples[-1][0] - self._samples[0][0] < 1:
            return None
        (start, before), (end, after) = self._samples[0], self._samples[-1]
        return max(0.0, (after - before) / (end - start))

    @property
    def text(self) -> str:
        """In one line: batch 2 of 5 · 14 partitions to go · 1.2 GiB of 10 GiB · 48 MiB/s · 3m left."""
        have, want = self.done + self.have, self.done + self.want + self.rest
        parts = [f"batch {self.batch} of {self.batches}"] if self.batches > 1 else []
        parts += [
            f"{self.open:,} {'partition' if self.open == 1 else 'partitions'} to go",
            f"{size(have)} of {size(want)}",
        ]
        if self.speed is not None:
            parts.append(f"{size(self.speed)}/s")
            if self.speed > 0 and want > have:
                parts.append(f"{age((want - have) / self.speed)} left")
        return " · ".join(parts)
