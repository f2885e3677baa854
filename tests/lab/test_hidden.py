"""Users who may see a part of the cluster only: the doctor says so, and calls nothing healthy that it could not see."""

from pathlib import Path

import pytest
from confluent_kafka.admin import NewTopic

from kafkactl.cluster.accounts import Permission
from kafkactl.sandbox.running import RunningSandbox
from tests.conftest import create
from tests.lab.conftest import Doctor
from tests.sandboxes import as_user, permit

pytestmark = pytest.mark.quick


@pytest.mark.provokes("KD340", "declared topics that this user may not describe", healed="by granting Describe")
def test_declared_topics_are_hidden(doctor: Doctor, secured_one: RunningSandbox) -> None:
    create(secured_one.internal, NewTopic("orders", 1, 1), NewTopic("payment.created", 1, 1))
    Path("topics.yaml").write_text("topics: {orders: {}, payment.created: {}}")
    nobody = as_user(secured_one, "nobody")
    seen = doctor(*nobody)
    seen.names("KD340")
    assert "2 of 2 declared topics are hidden from User:nobody" in seen.headline
    assert seen.document["healthy"] is False
    assert "Describe on topic orders for User:nobody" in str(seen.findings("KD340"))
    seen = doctor(*as_user(secured_one, "operator"))
    seen.names("KD340", exit_code=0)
    assert "1 of 2 declared topics is hidden from User:operator, or it does not exist: orders." in seen.headline
    granted = ("Describe", "describe_configs")
    permit(
        secured_one,
        Permission("nobody", "topic", "*", granted),
        Permission("nobody", "group", "*", ("Describe",)),
    )
    doctor(*nobody).content()


@pytest.mark.provokes("KD341", "a user who sees named topics and groups only", healed="by granting Describe")
def test_a_part_of_the_cluster_is_hidden(doctor: Doctor, secured_one: RunningSandbox) -> None:
    create(secured_one.internal, NewTopic("payment.created", 1, 1))
    seen = doctor(*as_user(secured_one, "reader"))
    assert seen.exit_code == 0
    assert seen.document["cause"] is None
    assert seen.document["healthy"] is None  # not known
    (finding,) = seen.findings("KD341")
    assert finding["headline"] == (
        "User:reader may describe only some topics and no groups: what is hidden was not checked."
    )
    seen = doctor(*as_user(secured_one, "nobody"))
    assert seen.checks["KD341"]["findings"][0]["severity"] == "warning"
    assert doctor(*as_user(secured_one, "admin")).document["healthy"] is True
