"""A secured sandbox: who is let in on which listener, what each may do there, and that its secrets are secret."""

from collections.abc import Callable

import pytest
from confluent_kafka.admin import NewTopic

from kafkactl.cluster.accounts import Permission
from kafkactl.sandbox.running import RunningSandbox
from kafkactl.sandbox.secure_listeners import listeners
from tests.conftest import Outcome, create
from tests.sandboxes import as_user, permit

Kafkactl = Callable[..., Outcome]

_ALL = {listener.kind: listener for listener in listeners("all")}
_NAMED = sorted(kind for kind, listener in _ALL.items() if listener.tells_users_apart)
_SEEN = {
    "admin": {"audit.logs", "payment.created", "payment.failed"},
    "reader": {"payment.created", "payment.failed"},
    "operator": {"payment.created", "payment.failed"},
    "writer": {"payment.created"},
    "partial": set(),
    "nobody": set(),
}


@pytest.mark.parametrize("kind", _NAMED)
def test_every_user_sees_what_it_may(kind: str, secured_one: RunningSandbox, kafkactl: Kafkactl) -> None:
    create(secured_one.internal, *(NewTopic(name, 1) for name in _SEEN["admin"]))
    for user, topics in _SEEN.items():
        run = kafkactl("describe", "-o", "name", *as_user(secured_one, user, kind))
        assert run.code == 0, run.text
        assert set(run.out.split()) == topics, user


def test_permit(secured_three: RunningSandbox, kafkactl: Kafkactl) -> None:
    create(secured_three.internal, NewTopic("audit.logs", 1))
    permit(secured_three, Permission("nobody", "topic", "audit.logs", ("describe",)))
    assert kafkactl("describe", "-o", "name", *as_user(secured_three, "nobody")).out.split() == ["audit.logs"]
    secured_three.kill(2)


def test_and_back(secured_three: RunningSandbox, kafkactl: Kafkactl) -> None:
    create(secured_three.internal, NewTopic("audit.logs", 1))
    assert kafkactl("describe", "-o", "name", *as_user(secured_three, "nobody", "scram")).out.split() == []
