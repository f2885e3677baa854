"""Share and streams groups, and those of Kafka Connect: every command that takes a group says what they are."""

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import NewTopic

from kafkactl.cluster import other_groups
from kafkactl.cluster.client import connect
from kafkactl.sandbox.foreground import throwaway
from kafkactl.settings import Target
from tests.conftest import Outcome, admin_client, create, three_lines
from tests.group_kinds import connect_group, share_group, streams_group
from tests.test_arguments import ALL
from tests.test_lag_situations import commit, committed

Run = Callable[..., Outcome]

# Each kind's group with the start of Kafka's own command for it.
KINDS = {
    "share": ("-shared", "a share group", "kafka-share-groups.sh --bootstrap-server {} --describe --group=-shared"),
    "streams": (
        "streaming",
        "a streams group",
        "kafka-streams-groups.sh --bootstrap-server {} --describe --group streaming",
    ),
    "connect": (
        "workers",
        "a Kafka Connect group",
        "kafka-groups.sh --bootstrap-server {} --list --protocol connect",
    ),
}


@pytest.fixture(scope="module")
def _broker() -> Iterator[str]:
    with throwaway(brokers=1) as sandbox:
        create(sandbox.bootstrap, NewTopic("orders", 1, 1))
        commit(admin_client(sandbox.bootstrap), "app", "orders", 0)
        share_group(sandbox.bootstrap, KINDS["share"][0], "orders")
        streams_group(sandbox.bootstrap, KINDS["streams"][0], "orders")
        connect_group(sandbox.bootstrap, KINDS["connect"][0])
        yield sandbox.bootstrap


@pytest.fixture
def broker(_broker: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.setenv("KAFKA_BROKERS", _broker)
    monkeypatch.setenv("KAFKACTL_STATE", str(tmp_path / "state"))
    return _broker


# What else a command needs before it looks at the group.
_REST = {
    ("groups", "reset"): [["--topic", "orders", "--to-latest"], ["--topic", "orders", "--to-latest", "--create"]],
    ("tail",): [["--no-follow"]],
}
_READERS = {("groups", "list")}  # who shows such groups


def lines(group: str) -> Iterator[list[str]]:
    """A command line for each parameter of each command that takes a group."""
    for words, command in ALL:
        if words in _READERS:
            continue
        for parameter in command.params:
            if not _takes_group(words, parameter):
                continue
            for rest in _REST.get(words, [[]]):
                named = {p.name: "orders" for p in command.params if p.param_type_name == "argument" and p.required}
                options = [*rest, *(["--yes"] if any("--yes" in p.opts for p in command.params) else [])]
                if parameter.param_type_name == "option":
                    options.append(f"{parameter.opts[-1]}={group}")
                else:
                    named = {name: "app" if words == ("groups", "copy") else text for name, text in named.items()}
                    named[parameter.name] = group
                positional = [named[p.name] for p in command.params if p.name in named] or ["orders"]
                yield [*words, *options, "--", *positional]


def _takes_group(words: tuple[str, ...], parameter: Any) -> bool:
    text = f"{parameter.metavar or ''} {getattr(parameter, 'help', '') or ''}"
    return "GROUP" in (parameter.metavar or "") or ("group" in words[0] and "The group to copy" in text)


def test_the_walk_finds_every_command() -> None:
    walked = {" ".join(line[: 2 if line[0] == "groups" else 1]) for line in lines("g")}
    changing = {f"groups {name}" for name in ("describe", "save", "reset", "undo", "copy", "delete-offsets", "delete")}
    assert walked >= {"lag", "tail", *changing}
    assert len([line for line in lines("g") if line[1] == "copy"]) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_every_command_that_takes_a_group(kafkactl: Run, broker: str, kind: str) -> None:
    group, words, script = KINDS[kind]
    for line in lines(group):
        run = kafkactl(*line)
        assert run.code == 1, (line, run.text)
        first, second = run.err.strip().splitlines()
        assert first.removeprefix("Nothing was changed: ") == f"{group} is {words}, which kafkactl cannot read yet."
        assert second.partition(": ")[2] == script.format(broker), line
        assert shlex.split(second.partition(": ")[2])
    assert committed(broker, "app", "orders") == 0


def test_they_are_listed_with_their_type(kafkactl: Run, broker: str) -> None:
    listed = [line.split()[::2][:2] for line in kafkactl("groups", "list").out.splitlines()[1:]]
    assert listed == [["-shared", "share"], ["app", "classic"], ["streaming", "streams"], ["workers", "connect"]]
    assert kafkactl("groups", "list", "-o", "name").out.split() == ["-shared", "app", "streaming", "workers"]
    found = json.loads(kafkactl("groups", "list", "str*", "-o", "json").out)["groups"]
    assert [(group["group"], group["type"], group["members"]) for group in found] == [("streaming", "streams", None)]
    assert kafkactl("groups", "list", "none").err.startswith("There is no group none on ")


def test_a_glob_that_matches_only_such_groups(kafkactl: Run, broker: str) -> None:
    run = kafkactl("lag", "*ing")
    assert run.code == 1
    assert run.err.startswith("*ing matches only groups which kafkactl cannot read yet: streaming (streams group).")


def test_a_slip_finds_them_too(kafkactl: Run, broker: str) -> None:
    assert "Did you mean streaming?" in kafkactl("groups", "describe", "streamin").err


def test_lag_says_how_many_it_leaves_out(kafkactl: Run, broker: str) -> None:
    said = "Not shown, because kafkactl cannot read them yet: 1 Kafka Connect group, 1 share group, 1 streams group. "
    assert said + "To list them: kafkactl groups list" in kafkactl("lag").err
    assert "Not shown" not in kafkactl("lag", "app").err
    assert "yet: 1 streams group." in kafkactl("lag", "[as]*").err
    assert json.loads(kafkactl("lag", "-o", "json").out)["not_readable"][0] == {
        "group": "-shared",
        "kind": "share group",
    }


def test_a_declared_group_of_such_a_kind_is_not_missing(kafkactl: Run, broker: str, tmp_path: Path) -> None:
    (tmp_path / "topics.yaml").write_text(
        "topics: {orders: {consumers: [mailer]}}\nservices: {mailer: {group: streaming}}\n"
    )
    shown = kafkactl("lag")
    assert "streams group  declared to read orders: mailer" in shown.out
    assert "declared but missing" not in shown.err
    doctor = kafkactl("doctor")
    assert doctor.code == 0
    assert "its group streaming is a streams group, which kafkactl cannot read" in " ".join(doctor.out.split())
    assert "does not exist" not in doctor.out


def test_both_ways_of_asking_find_the_same(broker: str) -> None:
    """kafka-python's, which is for connections with TLS or SASL, and our own."""
    target = Target(file=None, brokers=broker, env=None, client_config=None, timeout=3.0, verbose=False)
    cluster = connect(target.connection)
    theirs = {group.id: group for group in other_groups._ask_with_kafka_python(cluster)}
    ours = other_groups.list_other_groups(cluster)
    assert set(ours) == {"-shared", "streaming", "workers"}
    assert all(theirs[name].kind == group.kind for name, group in ours.items())


def test_where_they_cannot_be_listed(kafkactl: Run, broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody claims then that there is no such group."""
    from kafkactl.errors import UnreachableError

    def fails(_: object) -> None:
        raise UnreachableError("it is too old")

    monkeypatch.setattr("kafkactl.groups.names.list_other_groups", fails)
    monkeypatch.setattr("kafkactl.cluster.other_groups.list_other_groups", fails)
    run = kafkactl("groups", "describe", "streaming")
    assert three_lines(run)[1].strip().startswith("Whether there is a share or streams group of this name could not")
    assert "share and streams groups are not listed: it is too old" in kafkactl("groups", "list").err
