"""init-topics, diff and export on a real broker, as a user runs them."""

import json
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from kafkactl.sandbox.running import RunningSandbox
from tests.conftest import REPOSITORY, Outcome, admin_client, command, create, golden, untimed
from tests.moved_replicas import no_throttle, replicas
from tests.program import IN_A_SHELL
from tests.sandboxes import eventually

Kafkactl = Callable[..., Outcome]
THE_27 = str(REPOSITORY / "topics.yaml")


def write(text: str, name: str = "topics.yaml") -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def partitions(brokers: str) -> dict[str, int]:
    """Topics of a cluster and how many partitions they have, as the library tells it."""
    topics = admin_client(brokers).list_topics(timeout=10).topics
    return {name: len(topic.partitions) for name, topic in topics.items() if not name.startswith("__")}


def override(brokers: str, topic: str, **settings: str) -> None:
    """Set a topic's configs behind kafkactl's back; `__` stands for a dot."""
    resource = ConfigResource(ResourceType.TOPIC, topic)
    for key, value in settings.items():
        name = key.replace("__", ".")
        resource.add_incremental_config(ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET))
    admin = admin_client(brokers)
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(10)


def settings_of(brokers: str, topic: str) -> dict[str, str]:
    admin = admin_client(brokers)
    (future,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
    return {key: entry.value for key, entry in future.result(10).items()}


def test_the_27_topics_are_created_once(one_broker: str, kafkactl: Kafkactl) -> None:
    first = kafkactl("init-topics", "-f", THE_27)
    assert first.code == 0, first.err
    assert "27 created" in first.err
    live = partitions(one_broker)
    assert len(live) == 27
    assert (live["audit.logs"], live["dlq.payment"], live["payment.created"]) == (6, 1, 3)
    assert settings_of(one_broker, "payment.created")["retention.ms"] == "604800000"
    second = kafkactl("init-topics", "-f", THE_27)
    assert (second.code, second.out) == (0, "")
    assert "Nothing to do: 27 topics are as declared." in second.err
    equal = kafkactl("diff", "-f", THE_27)
    assert equal.code == 0, equal.text
    assert "27 as declared" in equal.err


def test_new_topics_have_leaders_when_it_is_done(one_broker: str, kafkactl: Kafkactl) -> None:
    assert kafkactl("init-topics", "-f", THE_27).code == 0
    topics = admin_client(one_broker).list_topics(timeout=10).topics
    assert all(p.leader >= 0 for topic in topics.values() for p in topic.partitions.values())


def test_a_dry_run_validates_and_changes_nothing(one_broker: str, kafkactl: Kafkactl) -> None:
    run = kafkactl("init-topics", "-f", THE_27, "--dry-run")
    assert run.code == 0
    assert "Dry run: nothing was changed. 27 missing" in run.err
    assert partitions(one_broker) == {}


def test_the_broker_refuses_before_anything_is_changed(one_broker: str, kafkactl: Kafkactl) -> None:
    write("topics: {good: {}, greedy: {replication: 3}}")
    run = kafkactl("init-topics", "--dry-run")
    assert run.code == 1
    assert "greedy: creating it failed" in run.err
    assert partitions(one_broker) == {}


def test_a_partial_failure_reports_each_topic_and_does_the_rest(one_broker: str, kafkactl: Kafkactl) -> None:
    write("topics: {good: {}, greedy: {replication: 3}, vain: {config: {x.vendor.key: 1}}}")
    run = kafkactl("init-topics")
    assert run.code == 1
    assert "greedy: creating it failed" in run.err
    assert "vain: creating it failed" in run.err
    assert "1 created" in run.err
    assert set(partitions(one_broker)) == {"good"}


def test_only_limits_what_is_done(one_broker: str, kafkactl: Kafkactl) -> None:
    assert kafkactl("init-topics", "-f", THE_27, "--only", "dlq.*").code == 0
    assert set(partitions(one_broker)) == {"dlq.payment", "dlq.notification"}


def test_growing_partitions_needs_to_be_allowed(one_broker: str, kafkactl: Kafkactl) -> None:
    create(one_broker, NewTopic("a", 2, 1))
    write("topics: {a: {partitions: 4}, b: {partitions: 1}}")
    refused = kafkactl("init-topics")
    assert refused.code == 1
    assert "breaks key order" in refused.out
    assert "--allow partitions" in refused.err
    assert partitions(one_broker) == {"a": 2, "b": 1}  # what is safe was done
    allowed = kafkactl("init-topics", "--allow", "partitions")
    assert allowed.code == 0, allowed.err
    assert partitions(one_broker)["a"] == 4


def test_shrinking_is_impossible_and_says_what_to_do(one_broker: str, kafkactl: Kafkactl) -> None:
    create(one_broker, NewTopic("a", 4, 1))
    write("topics: {a: {partitions: 2}}")
    run = kafkactl("init-topics", "--allow", "partitions")
    assert run.code == 1
    assert "Kafka cannot remove partitions: declare 4" in run.out
    assert partitions(one_broker) == {"a": 4}


def test_retention_grows_freely_and_shrinks_when_allowed(one_broker: str, kafkactl: Kafkactl) -> None:
    create(one_broker, NewTopic("a", 1, 1, config={"retention.ms": "86400000"}))
    write("topics: {a: {retention: 7d}}")
    assert kafkactl("init-topics").code == 0
    assert settings_of(one_broker, "a")["retention.ms"] == "604800000"
    write("topics: {a: {retention: 1h}}")
    refused = kafkactl("init-topics")
    assert (refused.code, "7d → 1h" in refused.out) == (1, True)
    assert settings_of(one_broker, "a")["retention.ms"] == "604800000"
    assert kafkactl("init-topics", "--allow", "retention").code == 0
    assert settings_of(one_broker, "a")["retention.ms"] == "3600000"


def test_undeclared_overrides_are_left_alone_until_allowed(one_broker: str, kafkactl: Kafkactl) -> None:
    create(one_broker, NewTopic("a", 1, 1, config={"max.message.bytes": "5242880"}))
    write("topics: {a: {}}")
    listed = kafkactl("diff")
    assert listed.code == 0
    assert "5 MiB, not declared" in listed.out
    assert kafkactl("diff", "--strict").code == 1
    assert kafkactl("init-topics").code == 0
    assert settings_of(one_broker, "a")["max.message.bytes"] == "5242880"
    # Without its override the topic takes smaller records: that has to be allowed as well, and is not passed over.
    withheld = kafkactl("init-topics", "--allow", "overrides")
    assert withheld.code == 1
    assert "1 topic still differs" in withheld.err
    assert "kafkactl init-topics --allow overrides --allow rejection" in withheld.err
    assert settings_of(one_broker, "a")["max.message.bytes"] == "5242880"
    assert kafkactl("init-topics", "--allow", "overrides", "--allow", "rejection").code == 0
    assert settings_of(one_broker, "a")["max.message.bytes"] == "1048588"


def test_removing_an_override_keeps_the_broker_default(one_broker: str, kafkactl: Kafkactl) -> None:
    create(one_broker, NewTopic("a", 1, 1, config={"retention.ms": "-1"}))
    write("topics: {a: {}}")
    # Without its override the topic would keep seven days: that deletes records, and has to be allowed as well.
    kafkactl("init-topics", "--allow", "overrides")
    assert settings_of(one_broker, "a")["retention.ms"] == "-1"
    kafkactl("init-topics", "--allow", "overrides", "--allow", "retention")
    assert settings_of(one_broker, "a")["retention.ms"] == "604800000"


def test_only_what_is_named_under_removed_is_deleted(one_broker: str, kafkactl: Kafkactl) -> None:
    create(one_broker, NewTopic("old", 1, 1), NewTopic("stray", 1, 1))
    write("topics: {a: {}}\nremoved: [old]")
    assert kafkactl("init-topics").code == 1
    assert set(partitions(one_broker)) == {"a", "old", "stray"}
    run = kafkactl("init-topics", "--allow", "delete")
    assert run.code == 0, run.err
    assert "1 deleted" in run.err
    assert set(partitions(one_broker)) == {"a", "stray"}
    assert "stray" in kafkactl("diff").out


def test_a_replication_difference_is_drift_that_has_to_be_allowed(three_brokers: str, kafkactl: Kafkactl) -> None:
    create(three_brokers, NewTopic("a", 1, 1))
    write("topics: {a: {partitions: 1, replication: 3}}")
    run = kafkactl("diff")
    assert run.code == 1
    assert "1 → 3" in run.out
    assert "moves data  --allow replication" in run.out
    withheld = kafkactl("init-topics")
    assert withheld.code == 1
    assert "To allow it: kafkactl init-topics --allow replication" in withheld.err


def test_declared_replication_is_made_so_up_and_down(three_brokers: str, kafkactl: Kafkactl) -> None:
    create(three_brokers, NewTopic("a", 4, 1), NewTopic("b", 2, 1))
    write("topics: {a: {partitions: 4, replication: 3, config: {min.insync.replicas: 2}}, b: {replication: 2}}")
    dry = kafkactl("init-topics", "--allow", "replication", "--dry-run")
    assert dry.code == 0, dry.text
    assert "Replicas: 6 partitions copied to other brokers" in dry.err
    run = kafkactl("init-topics", "--allow", "replication", "--throttle", "50MB/s")
    assert run.code == 0, run.text
    assert "2 moved" in run.err
    assert {len(found) for found in replicas(three_brokers, "a")} == {3}
    assert {len(found) for found in replicas(three_brokers, "b")} == {2}
    assert kafkactl("diff").code == 0
    write("topics: {a: {partitions: 4, replication: 1, config: {min.insync.replicas: 1}}, b: {replication: 2}}")
    run = kafkactl("init-topics", "--allow", "replication")
    assert run.code == 1
    assert {len(found) for found in replicas(three_brokers, "a")} == {3}
    run = kafkactl("init-topics", "--allow", "replication", "--allow", "durability", "-o", "json")
    assert run.code == 0, run.text
    assert [entry["kind"] for entry in json.loads(run.out)["done"]] == ["config", "replication"]
    assert {len(found) for found in replicas(three_brokers, "a")} == {1}
    assert kafkactl("diff").code == 0
    assert no_throttle(three_brokers)


def test_new_topics_and_partitions_are_spread_evenly(three_racks: RunningSandbox, kafkactl: Kafkactl) -> None:
    brokers = three_racks.bootstrap
    topics = {f"t{number}": 1 for number in range(9)}

    def declare(more: int) -> None:
        write(f"defaults: {{replication: 2}}\ntopics: {json.dumps({name: {'partitions': more} for name in topics})}")

    def held() -> tuple[set[int], set[int]]:
        found = [places for name in topics for places in replicas(brokers, name)]
        leading = Counter(places[0] for places in found)
        return set(Counter(id for places in found for id in places).values()), set(leading.values())

    declare(1)
    run = kafkactl("init-topics")
    assert run.code == 0, run.text
    assert eventually(lambda: held() == ({6}, {3}))
    declare(2)
    run = kafkactl("init-topics", "--allow", "partitions")
    assert run.code == 0, run.text
    assert eventually(lambda: held() == ({12}, {6}))


def test_more_replicas_than_brokers_fail_before_anybody_is_asked(one_broker: str, kafkactl: Kafkactl) -> None:
    create(one_broker, NewTopic("a", 1, 1))
    write("topics: {a: {replication: 3, config: {min.insync.replicas: 2}}}")
    run = kafkactl("init-topics", "--allow", "replication")
    assert run.code == 1
    assert "3 replicas need as many brokers, and 1 is up" in run.err
    assert "its replicas were not raised" in run.err


def test_replication_is_as_declared_on_three_brokers(three_brokers: str, kafkactl: Kafkactl) -> None:
    write("defaults: {replication: 3, partitions: 6, config: {min.insync.replicas: 2}}\ntopics: {a: {}, b: {}}")
    assert kafkactl("init-topics").code == 0
    # Each broker learns of a topic in its own time, and the library asks any of them.
    assert eventually(lambda: "a" in admin_client(three_brokers).list_topics(timeout=10).topics)
    topics = admin_client(three_brokers).list_topics(timeout=10).topics
    assert {len(p.replicas) for p in topics["a"].partitions.values()} == {3}
    assert kafkactl("diff").code == 0


def test_two_at_once_both_end_well(one_broker: str) -> None:
    runs = [command("init-topics", "-f", THE_27) for _ in range(3)]
    outcomes = [(*run.communicate(timeout=60), run.returncode) for run in runs]
    assert [code for _, _, code in outcomes] == [0, 0, 0], outcomes
    assert len(partitions(one_broker)) == 27


def test_killed_in_the_middle_the_next_run_completes(one_broker: str, kafkactl: Kafkactl) -> None:
    write("topics:\n" + "".join(f"  topic-{i:03}: {{partitions: 3}}\n" for i in range(300)))
    run = command("init-topics")
    while not partitions(one_broker) and run.poll() is None:
        pass
    run.kill()
    run.communicate()
    after = kafkactl("init-topics")
    assert after.code == 0, after.err
    assert len(partitions(one_broker)) == 300
    assert kafkactl("diff").code == 0


@pytest.mark.parametrize("form", ["table", "json", "junit", "github"])
def test_diff_in_every_format(form: str, one_broker: str, kafkactl: Kafkactl) -> None:
    create(
        one_broker,
        NewTopic("audit.logs", 2, 1, config={"max.message.bytes": "5242880"}),
        NewTopic("dlq.payment", 4, 1, config={"retention.ms": "1209600000"}),
        NewTopic("stray", 1, 1),
    )
    write(
        "defaults: {retention: 7d}\ntopics:\n  audit.logs: {partitions: 6}\n  dlq.payment: {partitions: 1}\n  new: {}\n"
    )
    run = kafkactl("diff", "-o", form)
    assert run.code == 1
    golden(f"diff-{form}.txt", untimed(run.out))
    if form == "json":
        document = json.loads(run.out)
        assert document["drift"] is True
        assert document["undeclared_topics"] == ["stray"]
    if form == "junit":
        suite = ET.fromstring(run.out)
        assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))


def test_init_topics_as_json(one_broker: str, kafkactl: Kafkactl) -> None:
    create(one_broker, NewTopic("a", 1, 1))
    write("topics: {a: {partitions: 2}, b: {partitions: 1}}")
    run = kafkactl("init-topics", "-o", "json")
    document = json.loads(run.out)
    assert run.code == 1
    assert document["done"] == [{"topic": "b", "kind": "create", "key": None}]
    assert document["withheld"] == [
        {"topic": "a", "kind": "partitions", "key": "partitions", "needs": ["partitions"], "impossible": None}
    ]
    assert document["failed"] == document["unknown"] == document["not_done"] == []
    assert document["schema_version"] == 1


def test_the_plan_in_plain_text(one_broker: str, kafkactl: Kafkactl) -> None:
    golden("init-topics-table.txt", kafkactl("init-topics", "-f", THE_27).out)


def test_export_is_accepted_by_lint_and_equal_for_diff(one_broker: str, kafkactl: Kafkactl) -> None:
    create(
        one_broker,
        NewTopic("plain", 3, 1),
        NewTopic("1.0", 3, 1),
        NewTopic("on", 3, 1, config={"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.1"}),
        NewTopic("kept", 12, 1, config={"retention.ms": "-1", "max.message.bytes": "5242880"}),
        NewTopic("odd", 1, 1, config={"retention.ms": "1234567"}),
    )
    exported = kafkactl("export")
    assert exported.code == 0
    golden("export.txt", exported.out.split("\n", 1)[1])
    write(exported.out)
    assert kafkactl("lint").code == 0, kafkactl("lint").out
    equal = kafkactl("diff", "--strict")
    assert equal.code == 0, equal.text


def test_what_a_broker_takes_is_exported_and_accepted(one_broker: str, kafkactl: Kafkactl) -> None:
    create(
        one_broker,
        NewTopic("all", 1, 1, config={"cleanup.policy": ""}),
        NewTopic("negative", 1, 1, config={"retention.bytes": "-5"}),
        NewTopic("thirsty", 1, 1, config={"min.insync.replicas": "2"}),
    )
    exported = kafkactl("export").out
    assert "# Left out: min.insync.replicas of thirsty, which is more than the replication.\n" in exported
    write(exported)
    linted = kafkactl("lint")
    assert (linted.code, "0 problems" in linted.out or "1 problem" not in linted.out) == (0, True), linted.out
    equal = kafkactl("diff")
    assert equal.code == 0, equal.text
    assert "2 as declared" in equal.err


def test_export_over_the_catalogue_itself(one_broker: str) -> None:
    create(one_broker, NewTopic("a", 1, 1))
    write("topics: {other: {}}")
    done = subprocess.run(f"{IN_A_SHELL} export > topics.yaml", shell=True, check=False)
    assert done.returncode == 0
    assert "a:" in Path("topics.yaml").read_text()


def test_a_protected_environment_needs_its_name(one_broker: str, kafkactl: Kafkactl) -> None:
    write(f"environments: {{prod: {{brokers: ['{one_broker}'], protected: true}}}}\ntopics: {{a: {{}}}}")
    for way in ([], ["--env", "prod"], ["-b", one_broker]):
        refused = kafkactl("init-topics", *way)
        assert refused.code == 2, refused.text
        assert "prod is protected" in refused.err
        assert "--confirm prod" in refused.err
    wrong = kafkactl("init-topics", "--confirm", "other")
    assert (wrong.code, partitions(one_broker)) == (2, {})
    assert kafkactl("diff").code == 1  # looking is free
    assert kafkactl("init-topics", "--dry-run").code == 0
    assert kafkactl("init-topics", "--confirm", "prod").code == 0
    assert set(partitions(one_broker)) == {"a"}


def test_a_protected_environment_is_recognised_by_its_cluster_id(one_broker: str, kafkactl: Kafkactl) -> None:
    cluster_id = admin_client(one_broker).list_topics(timeout=10).cluster_id
    write(
        "environments:\n  prod: {brokers: ['kafka-1.internal:9093'], protected: true, "
        f"cluster_id: '{cluster_id}'}}\ntopics: {{a: {{}}}}"
    )
    assert kafkactl("init-topics").code == 2
    assert kafkactl("test").code == 2
    assert partitions(one_broker) == {}


def test_env_takes_brokers_and_values_from_the_catalogue(one_broker: str, kafkactl: Kafkactl) -> None:
    write(
        f"environments:\n  e: {{brokers: ['{one_broker}'], defaults: {{partitions: 5}}}}\n"
        "  elsewhere: {brokers: ['127.0.0.1:1'], defaults: {partitions: 2}}\ntopics: {a: {}}"
    )
    assert kafkactl("init-topics", "--env", "e").code == 0
    assert partitions(one_broker) == {"a": 5}
    assert kafkactl("diff", "--env", "elsewhere").code == 3
    replaced = kafkactl("diff", "--env", "elsewhere", "-b", one_broker)  # only the addresses are replaced
    assert (replaced.code, "5 → 2" in replaced.out) == (1, True)


def test_wait_waits_for_a_broker_that_is_still_starting(kafkactl: Kafkactl) -> None:
    from kafkactl.sandbox.foreground import throwaway

    write("topics: {a: {}}")
    with throwaway() as sandbox:
        (node,) = sandbox.nodes
        sandbox.stop(node.id)
        assert kafkactl("init-topics", "-b", sandbox.bootstrap).code == 3
        expired = kafkactl("init-topics", "-b", sandbox.bootstrap, "--wait", "1s")
        assert expired.code == 4
        assert "Waited 1 s for Kafka" in expired.err
        starting = threading.Timer(0.5, sandbox.start, [node.id])
        starting.start()
        run = kafkactl("init-topics", "-b", sandbox.bootstrap, "--wait", "30s")
        starting.join()
        assert run.code == 0, run.err
        assert set(partitions(sandbox.bootstrap)) == {"a"}
