"""lag --watch and describe --watch while topics change: a topic is its id, and what becomes of it is told."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from confluent_kafka.admin import NewPartitions, NewTopic
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.topics import TopicIdentity, recreated_topics, topic_changes
from tests.conftest import admin_client, command, commit, create
from tests.lab.faults import fill
from tests.program import KAFKACTL
from tests.sandboxes import eventually
from tests.test_tail_topics import delete

identities = st.dictionaries(
    st.sampled_from("abc"), st.builds(TopicIdentity, st.sampled_from(["", "1", "2"]), st.integers(1, 3))
)


@given(identities, identities)
def test_each_topic_that_changed_is_told_once(before: dict[str, TopicIdentity], now: dict[str, TopicIdentity]) -> None:
    told = topic_changes(before, now)
    for name in "abc":
        then, there = before.get(name), now.get(name)
        known = bool(then and there and then.id and there.id)
        other = known and then != there and then and there and then.id != there.id
        grown = then and there and not other and there.partitions > then.partitions
        changed = (then is None) != (there is None) or other or grown
        assert sum(line.startswith((f"{name} ", f"{name}[")) for line in told) == bool(changed)
        assert (name in recreated_topics(before, now)) == bool(other)
    assert topic_changes(before, before) == []


class Watched(NamedTuple):
    out: Path
    err: Path

    def says(self, text: str) -> bool:
        return eventually(lambda: text in self.out.read_text() + self.err.read_text(), 20)


@contextmanager
def watching(home: Path, *words: str) -> Iterator[Watched]:
    """A command that refreshes in a pipe; ended by Ctrl-C."""
    files = Watched(home / "out", home / "err")
    with files.out.open("w") as out, files.err.open("w") as err:
        run = subprocess.Popen([*KAFKACTL, *words], stdout=out, stderr=err)
        try:
            yield files
            assert run.poll() is None, files.err.read_text()
            run.send_signal(signal.SIGINT)
            assert run.wait(15) == 130
        finally:
            run.kill()
            run.wait()


@pytest.mark.parametrize(
    "words",
    [
        ("lag", "--watch"),
        ("describe", "w*", "other", "--watch"),
        pytest.param(("describe", "--watch"), marks=pytest.mark.lab),
    ],
)
def test_topics_that_grow_go_and_come_back_are_told(words: tuple[str, ...], one_broker: str, tmp_path: Path) -> None:
    create(one_broker, NewTopic("watched", 1, 1), NewTopic("other", 1, 1))
    for topic in ("watched", "other"):
        fill(one_broker, topic, 5)
        commit(admin_client(one_broker), "app", topic, 3)
    admin = admin_client(one_broker)
    with watching(tmp_path, *words) as run:
        assert run.says("app" if words[0] == "lag" else "watched")
        time.sleep(2.5)  # it has looked
        for future in admin.create_partitions([NewPartitions("watched", 2)]).values():
            future.result(10)
        assert run.says("watched[1] is new")
        delete(one_broker, "watched")
        create(one_broker, NewTopic("watched", 1, 1))
        commit(admin_client(one_broker), "app", "watched", 0)
        assert run.says("watched was deleted and recreated") or run.says("watched is a new topic")
        delete(one_broker, "other")
        assert run.says("other was deleted")


def test_describing_a_topic_that_is_deleted_ends(one_broker: str) -> None:
    create(one_broker, NewTopic("watched", 1, 1))
    run = command("describe", "watched", "--watch")
    time.sleep(2.5)
    delete(one_broker, "watched")
    _, err = run.communicate(timeout=20)
    assert (run.returncode, err.splitlines()[-1]) == (1, "watched was deleted. Nothing is left to watch.")


def test_documents_stay_documents(one_broker: str, tmp_path: Path) -> None:
    create(one_broker, NewTopic("watched", 1, 1))
    with watching(tmp_path, "describe", "watched", "--watch", "-o", "json") as run:
        assert run.says('"watched"')
        time.sleep(2.5)
        admin = admin_client(one_broker)
        for future in admin.create_partitions([NewPartitions("watched", 2)]).values():
            future.result(10)
        assert run.says("watched[1] is new")
        assert "is new" not in run.out.read_text()


def test_a_sample_over_a_recreated_topic_says_so_and_compares_nothing(one_broker: str) -> None:
    create(one_broker, NewTopic("watched", 1, 1))
    fill(one_broker, "watched", 5)
    commit(admin_client(one_broker), "app", "watched", 5)
    run = command("lag", "app", "--sample", "6s")
    time.sleep(2.5)
    delete(one_broker, "watched")
    create(one_broker, NewTopic("watched", 1, 1))
    fill(one_broker, "watched", 9)
    commit(admin_client(one_broker), "app", "watched", 1)
    out, err = run.communicate(timeout=30)
    assert "watched was deleted and recreated." in err
    assert "REWOUND" not in out
    assert "8 " in out
