"""A bare secured cluster brought to what production declares: rehearsed, applied under load, remembered."""

import json
from collections.abc import Callable
from pathlib import Path

from confluent_kafka.admin import NewTopic

from kafkactl.sandbox.running import RunningSandbox
from tests.conftest import Outcome, create
from tests.moved_replicas import no_throttle, replicas, topic_with, under_load
from tests.sandboxes import as_user, will_change_rules
from tests.test_init_topics import settings_of

Kafkactl = Callable[..., Outcome]

CATALOGUE = """
defaults: {{partitions: 3, replication: 1, retention: 7d}}
environments:
  production:
    brokers: [{brokers}]
    client_config: {file}
    protected: true
    defaults: {{partitions: 6, replication: 3, config: {{min.insync.replicas: 2}}}}
    principals: {{gateway: "User:partial"}}
services:
  gateway: {{principal: "User:gateway"}}
  analytics: {{principal: "User:nobody", group: counting}}
topics:
  payment.created: {{producers: [gateway], consumers: [analytics]}}
  payment.failed: {{producers: [gateway], consumers: [analytics]}}
  audit.kafkactl: {{partitions: 1}}
history: audit.kafkactl
"""


def test_production_is_brought_to_what_it_declares(secured_three: RunningSandbox, kafkactl: Kafkactl) -> None:
    will_change_rules(secured_three)
    inner = secured_three.internal
    topic_with(inner, "payment.created", [[1], [2], [1]], 200)
    create(inner, NewTopic("payment.failed", 3, 1))
    file = secured_three.secured.file("admin", "scram")
    addresses = json.dumps(secured_three.secured.addresses["scram"].split(","))[1:-1]
    Path("topics.yaml").write_text(CATALOGUE.format(brokers=addresses, file=file))
    assert kafkactl("lint").code == 0
    apply = ("init-topics", "--env", "production")
    withheld = kafkactl(*apply, "--confirm", "production")
    assert withheld.code == 1
    assert "--allow partitions --allow replication" in withheld.err

    rehearsed = kafkactl(*apply, "--rehearse", "-o", "json")
    assert rehearsed.code == 0, rehearsed.text
    told = json.loads(rehearsed.out)
    assert (told["works"], told["copy"]["brokers"]) == (True, 3)
    assert all(len(found) == 1 for found in replicas(inner, "payment.created"))

    allow = ("--allow", "partitions", "--allow", "replication", "--allow", "access")
    with under_load(inner, "payment.created", 3):  # every acknowledged record is there at its end
        run = kafkactl(*apply, *allow, "--confirm", "production", "--throttle", "50MB/s")
        assert run.code == 0, run.text
    for topic in ("payment.created", "payment.failed"):
        found = replicas(inner, topic)
        assert [len(set(ids)) for ids in found] == [3] * 6
        assert settings_of(inner, topic)["min.insync.replicas"] == "2"
    assert no_throttle(inner)
    assert kafkactl("diff", "--env", "production").code == 0
    check = kafkactl("access", "check", "gateway", "--env", "production")
    assert check.code == 0, check.text
    as_gateway = as_user(secured_three, "partial")
    assert kafkactl("produce", "payment.created", "v", *as_gateway, "--confirm", "production").code == 0

    entries = json.loads(kafkactl("history", "--env", "production", "-n", "100", "-o", "json").out)
    assert entries["complete"] is True
    kinds = {step["kind"] for entry in entries["entries"] for step in entry["steps"]}
    assert kinds >= {"create", "config", "partitions", "replication", "access"}
    assert all(entry["outcome"] == "done" for entry in entries["entries"])
