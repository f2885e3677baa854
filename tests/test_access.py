"""Who may do what: what topics.yaml declares, planned, applied and checked on a real authorizer; and what is pure."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)
from hypothesis import assume, given
from hypothesis import strategies as st

from kafkactl.access.access_plan import plan_access
from kafkactl.access.declared_rules import DeclaredAccess, DeclaredRule
from kafkactl.access.rules import ANYWHERE, Authorizer, Rule, rule_of, ruled
from kafkactl.catalog.file import load_catalog
from kafkactl.cluster.acls import grant_rules, read_access, wait_for_effect
from kafkactl.cluster.client import connect
from kafkactl.cluster.permissions import on_topics
from kafkactl.connection import Connection
from kafkactl.sandbox.foreground import throwaway
from kafkactl.sandbox.running import RunningSandbox
from tests.conftest import Outcome, admin_client, create
from tests.sandboxes import as_user, eventually, will_change_rules
from tests.test_terminal import Terminal

Kafkactl = Callable[..., Outcome]

CATALOGUE = """
topics:
  orders: {partitions: 3, producers: [gateway], consumers: [analytics]}
services:
  gateway: {principal: "User:partial", transactional_ids: ["gateway-*"]}
  analytics: {principal: "User:nobody", group: counting}
"""
DECLARED = {
    "User:partial may Write topic orders",
    "User:partial may Describe topic orders",
    "User:partial may Write transactional ids that begin with gateway-",
    "User:partial may Describe transactional ids that begin with gateway-",
    "User:nobody may Read topic orders",
    "User:nobody may Describe topic orders",
    "User:nobody may Read group counting",
}


@pytest.fixture
def secured(secured_one: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> RunningSandbox:
    will_change_rules(secured_one)
    create(secured_one.internal, NewTopic("orders", 3, 1))
    Path("topics.yaml").write_text(CATALOGUE)
    monkeypatch.setenv("KAFKA_BROKERS", secured_one.secured.addresses["scram"])
    monkeypatch.setenv("KAFKACTL_CLIENT_CONFIG", str(secured_one.secured.file("admin", "scram")))
    return secured_one


def rules(kafkactl: Kafkactl, *names: str) -> set[str]:
    found = json.loads(kafkactl("access", "show", *names, "-o", "json").out)["rules"]
    return {text(rule) for rule in found if rule["state"] == "there"}


def text(rule: dict[str, Any]) -> str:
    own = (rule["resource"], rule["name"], rule["principal"], rule["operation"])
    return Rule(*own, rule["pattern"] == "prefixed", rule["permission"] == "deny", rule["host"]).text


def add(brokers: str, *bindings: AclBinding) -> None:
    client = admin_client(brokers)  # which is gone with its name
    for future in client.create_acls(list(bindings)).values():
        future.result(10)


def binding(principal: str, operation: str, *, deny: bool = False, host: str = "*") -> AclBinding:
    verb = AclPermissionType.DENY if deny else AclPermissionType.ALLOW
    kind = ResourcePatternType.LITERAL
    return AclBinding(ResourceType.TOPIC, "orders", kind, principal, host, AclOperation[operation], verb)


def can_write(sandbox: RunningSandbox, kafkactl: Kafkactl, user: str) -> bool:
    return kafkactl("produce", "orders", "v", *as_user(sandbox, user)).code == 0


def test_what_is_declared_is_granted_and_works(secured: RunningSandbox, kafkactl: Kafkactl) -> None:
    assert not can_write(secured, kafkactl, "partial")
    drift = kafkactl("diff", "-o", "json")
    assert drift.code == 1
    assert {text(change) for change in json.loads(drift.out)["access"]["changes"]} == DECLARED
    dry = kafkactl("init-topics", "--dry-run", "--allow", "access")
    assert (dry.code, "Access: 7 rules differ." in dry.err) == (0, True), dry.text
    assert rules(kafkactl) & DECLARED == set()
    run = kafkactl("init-topics", "--allow", "access")
    assert run.code == 0, run.text
    assert "Access: 7 granted." in run.err
    assert rules(kafkactl) >= DECLARED
    assert can_write(secured, kafkactl, "partial")
    assert kafkactl("diff").code == 0
    assert "Access is as declared: 7 rules." in kafkactl("init-topics").err
    entry = json.loads(kafkactl("history", "counting", "-o", "json").out)["entries"][0]
    assert {step["key"].removeprefix("grant: ") for step in entry["steps"]} == DECLARED
    undone = kafkactl("history", "undo", entry["id"], "--yes")
    assert undone.code == 0, undone.text
    assert rules(kafkactl) & DECLARED == set()
    assert "init-topics makes it so again" in undone.err


def test_what_is_no_longer_declared_is_revoked_if_allowed(secured: RunningSandbox, kafkactl: Kafkactl) -> None:
    assert kafkactl("init-topics", "--allow", "access").code == 0
    others = rules(kafkactl) - DECLARED
    Path("topics.yaml").write_text(CATALOGUE.replace("producers: [gateway]", "producers: []"))
    withheld = kafkactl("init-topics")
    assert withheld.code == 1
    assert "- User:partial may Write topic orders  --allow access" in withheld.out
    assert "To allow it: kafkactl init-topics --allow access" in withheld.err
    assert rules(kafkactl) >= DECLARED
    terminal = Terminal("init-topics")
    terminal.expect("User:partial loses")
    terminal.type("yes\n")
    assert terminal.end() == 0, terminal.raw
    left = rules(kafkactl)
    assert left & DECLARED == {rule for rule in DECLARED if "partial" not in rule or "transactional" in rule}
    assert left >= others
    assert eventually(lambda: not can_write(secured, kafkactl, "partial"))


def test_rules_of_others_and_rules_that_deny_are_left_alone(secured: RunningSandbox, kafkactl: Kafkactl) -> None:
    foreign = binding("User:stranger", "WRITE"), binding("User:partial", "WRITE", deny=True)
    elsewhere = binding("User:nobody", "ALTER", host="10.0.0.1")
    add(secured.internal, *foreign, elsewhere)
    run = kafkactl("init-topics", "--allow", "access")
    assert run.code == 1
    assert "! User:partial may Write topic orders" in run.out
    assert "kafkactl never touches a rule that denies" in run.out
    assert "Access: 6 granted, 1 rule still differs." in run.err
    kept = rules(kafkactl, "orders")
    assert "User:stranger may Write topic orders" in kept
    assert "User:partial must not Write topic orders" in kept
    assert "User:nobody may Alter topic orders from 10.0.0.1" in kept
    assert "User:partial may Write topic orders" not in kept


def test_what_admits_the_caller_is_not_removed(secured: RunningSandbox, kafkactl: Kafkactl) -> None:
    add(secured.internal, binding("User:admin", "WRITE"))
    Path("topics.yaml").write_text("topics: {orders: {}}\nservices: {boss: {principal: 'User:admin'}}\n")
    run = kafkactl("init-topics", "--allow", "access")
    assert run.code == 1
    assert "it admits this very client" in run.out
    assert "User:admin may Write topic orders" in rules(kafkactl)


def test_a_wider_rule_is_enough(secured: RunningSandbox, kafkactl: Kafkactl) -> None:
    wide = (ResourceType.TOPIC, "ord", ResourcePatternType.PREFIXED, "User:partial", "*", AclOperation.ALL)
    add(secured.internal, AclBinding(*wide, AclPermissionType.ALLOW))
    told = json.loads(kafkactl("diff", "-o", "json").out)["access"]
    assert {text(rule) for rule in told["covered"]} == {r for r in DECLARED if "partial may" in r and "topic" in r}
    assert "covered by a wider one" in kafkactl("access", "orders").out


@pytest.mark.parametrize("user", ["reader", "operator", "nobody"])
def test_whoever_may_not_see_the_rules_is_told_so(secured: RunningSandbox, kafkactl: Kafkactl, user: str) -> None:
    named = as_user(secured, user)
    run = kafkactl("access", *named)
    assert run.code == 3
    assert "No permission to read the rules (needs Describe on the cluster)." in run.err
    assert "missing" not in run.out
    check = kafkactl("access", "check", "gateway", *named)
    assert check.code == 3, check.text
    assert "not known" in check.out
    before = rules(kafkactl)
    applied = kafkactl("init-topics", "--allow", "access", *named)
    assert applied.code in (1, 3)
    assert "Access was not compared: no permission to read the rules" in applied.err
    assert rules(kafkactl) == before


def test_a_check_judges_and_a_service_proves(secured: RunningSandbox, kafkactl: Kafkactl) -> None:
    before = kafkactl("access", "check", "gateway")
    assert before.code == 1
    assert "unless it is a super user: Kafka does not show who is" in before.out
    assert "super.users: Kafka does not show it" in before.err
    assert kafkactl("init-topics", "--allow", "access").code == 0
    after = kafkactl("access", "check", "gateway")
    assert after.code == 0, after.text
    assert "gateway (User:partial): 4 of 4 needs allowed, by the cluster's rules." in after.err
    proof = json.loads(kafkactl("access", "check", "gateway", *as_user(secured, "partial"), "-o", "json").out)
    assert proof["proven"] is True
    assert {(need["resource"], need["allowed"]) for need in proof["needs"]} == {
        ("topic", True),
        ("transactional_id", None),
    }
    add(secured.internal, binding("User:partial", "WRITE", deny=True))
    assert eventually(lambda: kafkactl("access", "check", "gateway").code == 1)
    assert "a rule denies it" in kafkactl("access", "check", "gateway").out


OPERATIONS_OF_TOPICS = ("Describe", "Read", "Write", "Delete", "Alter", "DescribeConfigs", "AlterConfigs")
SETS = [
    [("orders", "Read", False, False)],
    [("ord", "Write", True, False), ("orders", "Describe", False, True)],
    [("*", "AlterConfigs", False, False), ("orders", "Write", False, True)],
    [("orders", "All", False, False), ("ord", "Delete", True, True)],
    [("orders", "Read", False, False), ("*", "All", False, True)],
    [("orde", "DescribeConfigs", True, False), ("payments", "All", False, False)],
]


@pytest.mark.parametrize("number", range(len(SETS)))
def test_a_real_broker_decides_so(secured: RunningSandbox, number: int) -> None:
    found = [Rule("topic", name, "User:nobody", op, prefixed, deny) for name, op, prefixed, deny in SETS[number]]
    kafka = connect(Connection(tuple(secured.internal.split(",")), ""))
    assert set(grant_rules(kafka, found).values()) == {None}
    assert wait_for_effect(kafka, found, [])
    everything = read_access(kafka).authorizer
    said = {op for op in OPERATIONS_OF_TOPICS if ruled(everything, "User:nobody", op, "topic", "orders").allowed}
    lines = secured.secured.file("nobody", "scram").read_text().splitlines()
    own = {key: value for key, _, value in (line.partition("=") for line in lines) if key != "bootstrap.servers"}
    nobody = connect(Connection((secured.secured.addresses["scram"],), "", properties=own))

    def told() -> set[str]:
        (entry,) = on_topics(nobody, [load_catalog(Path("topics.yaml")).topics["orders"]])
        return set(entry.allowed) & set(OPERATIONS_OF_TOPICS)

    shown = said if "Describe" in said else set()  # of what one may not describe, Kafka tells nothing
    assert eventually(lambda: told() == shown, 20), (told(), said)


@pytest.fixture(scope="module")
def open_cluster() -> Iterator[str]:
    """A broker with an authorizer that lets everybody do what no rule is about."""
    settings = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        "allow.everyone.if.no.acl.found": "true",
    }
    with throwaway(settings=settings) as sandbox:
        yield sandbox.bootstrap


def test_the_first_rule_on_a_resource_needs_to_be_allowed(open_cluster: str, kafkactl: Kafkactl) -> None:
    Path("topics.yaml").write_text(CATALOGUE)
    run = kafkactl("init-topics", "-b", open_cluster)
    assert run.code == 1
    assert "+ User:nobody may Read topic orders  --allow access" in run.out
    assert "shuts out everybody whom no rule admits" in run.out
    assert "Access: 7 rules still differ." in run.err
    assert kafkactl("init-topics", "-b", open_cluster, "--allow", "access").code == 0
    Path("topics.yaml").write_text(CATALOGUE.replace("consumers: [analytics]", "consumers: [analytics, gateway]"))
    again = kafkactl("init-topics", "-b", open_cluster)  # there are rules on the topic by now, not on the new group
    assert again.code == 1
    assert "Access: 1 granted, 1 rule still differs." in again.err


def test_a_cluster_without_an_authorizer_says_so(orders: str, kafkactl: Kafkactl) -> None:
    Path("topics.yaml").write_text(CATALOGUE)
    for words in (("diff",), ("init-topics",), ("access",), ("access", "check", "gateway")):
        run = kafkactl(*words)
        assert run.code == 0, run.text
        assert "he cluster has no authorizer: everybody may do everything" in run.text


def test_export_writes_what_the_rules_say(secured: RunningSandbox, kafkactl: Kafkactl) -> None:
    assert kafkactl("init-topics", "--allow", "access").code == 0
    wide = (ResourceType.TOPIC, "ord", ResourcePatternType.PREFIXED, "User:stranger", "*", AclOperation.READ)
    add(secured.internal, AclBinding(*wide, AclPermissionType.ALLOW), binding("User:stranger", "WRITE"))
    run = kafkactl("export")
    assert run.code == 0, run.text
    Path("topics.yaml").write_text(run.out)
    assert kafkactl("lint").code == 0
    written = load_catalog(Path("topics.yaml"))
    assert written.topics["orders"].producers == ("partial",)
    assert written.topics["orders"].consumers == ("nobody",)
    assert written.services["nobody"].group == "counting"
    assert written.services["partial"].transactional_ids == ("gateway-*",)
    assert "# Left out: the rules of User:stranger (it may Read topics that begin with ord)." in run.out
    assert kafkactl("diff").code == 0


def test_a_protected_environment(secured: RunningSandbox, kafkactl: Kafkactl) -> None:
    address = secured.secured.addresses["scram"]
    Path("topics.yaml").write_text(f"environments: {{live: {{brokers: ['{address}'], protected: true}}}}\n{CATALOGUE}")
    refused = kafkactl("init-topics", "--allow", "access")
    assert refused.code == 2
    assert "live is protected" in refused.err
    assert rules(kafkactl) & DECLARED == set()
    assert kafkactl("init-topics", "--allow", "access", "--confirm", "live").code == 0


# topics.yaml


def test_principals_differ_by_environment() -> None:
    Path("topics.yaml").write_text(
        "environments:\n  live: {brokers: ['h:1'], principals: {gateway: 'User:CN=gateway'}}\n" + CATALOGUE
    )
    assert load_catalog(Path("topics.yaml")).services["gateway"].principal == "User:partial"
    assert load_catalog(Path("topics.yaml"), "live").services["gateway"].principal == "User:CN=gateway"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("services: {a: {principal: a}}", '3:27  services.a: "a" is no principal. Write User:a.'),
        ("admins: ['User:*']", "admins: User:* is everybody; name one principal."),
        (
            "environments: {e: {brokers: ['h:1'], principals: {gatewy: 'User:g'}}}\nservices: {gateway: {}}",
            'there is no service gatewy. Did you mean "gateway"?',
        ),
    ],
)
def test_slips(kafkactl: Kafkactl, text: str, why: str) -> None:
    Path("topics.yaml").write_text(f"topics: {{}}\n\n{text}\n")
    run = kafkactl("lint")
    assert run.code == 2
    assert why in run.text


# What is pure.

PRINCIPALS = ["User:a", "User:b"]
NAMES = ["pay", "payment", "orders"]
RULES = st.builds(
    Rule,
    st.sampled_from(["topic", "group"]),
    st.sampled_from([*NAMES, "*"]),
    st.sampled_from([*PRINCIPALS, "User:*"]),
    st.sampled_from(["Read", "Write", "Describe", "Alter", "AlterConfigs", "DescribeConfigs", "All"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([ANYWHERE, ANYWHERE, "10.0.0.1"]),
)
AUTHORIZERS = st.builds(
    Authorizer,
    st.lists(RULES, max_size=6, unique=True).map(tuple),
    st.sampled_from([True, False, None]),
    st.sampled_from([frozenset(), frozenset({"User:b"}), None]),
)


def stated(authorizer: Authorizer, principal: str, operation: str, resource: str, name: str, host: str) -> bool | None:
    """The same rules in other words: a second statement of what StandardAuthorizer does."""
    if authorizer.super_users and principal in authorizer.super_users:
        return True
    about = [
        r
        for r in authorizer.rules
        if r.resource == resource and (name.startswith(r.name) if r.prefixed else r.name in (name, "*"))
    ]
    mine = [r for r in about if r.principal in (principal, "User:*") and r.host in ("*", host)]
    enough = {operation, "All"}
    if operation == "Describe":
        enough |= {"Read", "Write", "Alter", "Delete"}
    if operation == "DescribeConfigs":
        enough |= {"AlterConfigs"}
    if any(r.deny and r.operation in (operation, "All") for r in mine):
        allowed: bool | None = False
    elif any(not r.deny and r.operation in enough for r in mine):
        return True
    else:
        allowed = False if about else authorizer.open_
    return allowed


@given(
    AUTHORIZERS,
    st.sampled_from(PRINCIPALS),
    st.sampled_from(["Read", "Write", "Describe", "DescribeConfigs"]),
    st.sampled_from(NAMES),
)
def test_the_authorizer_decides_so(authorizer: Authorizer, principal: str, operation: str, name: str) -> None:
    found = ruled(authorizer, principal, operation, "topic", name)
    by_host = {stated(authorizer, principal, operation, "topic", name, host) for host in ("10.0.0.1", "10.0.0.2")}
    assert found.allowed == (by_host.pop() if len(by_host) == 1 else None)
    assert found.why


WANTED = st.builds(
    Rule, st.just("topic"), st.sampled_from(NAMES), st.sampled_from(PRINCIPALS), st.sampled_from(["Read", "Write"])
)
DECLARATIONS = st.lists(WANTED, max_size=5, unique=True).map(
    lambda found: DeclaredAccess(
        tuple(DeclaredRule(rule, ("line",), "s") for rule in found),
        frozenset((principal, "topic", name) for principal in PRINCIPALS for name in NAMES),
    )
)


@given(DECLARATIONS, AUTHORIZERS, st.sampled_from([frozenset(), frozenset({"User:b"})]))
def test_a_plan_grants_all_and_takes_only_what_is_ours(
    declared: DeclaredAccess, authorizer: Authorizer, callers: frozenset[str]
) -> None:
    plan = plan_access(declared, authorizer, callers)
    live = set(authorizer.rules)
    for change in plan.changes:
        assert (change.rule in live) == (change.verb == "revoke")
        if change.verb == "revoke":
            rule = change.rule
            assert not rule.prefixed
            assert not rule.deny
            assert rule.host == "*"
            assert rule.principal in PRINCIPALS
            assert change.risk or change.impossible
            assert change.impossible or rule.principal not in callers
    done = [c for c in plan.changes if not c.impossible]
    after = live | {c.rule for c in done if c.verb == "grant"}
    after -= {c.rule for c in done if c.verb == "revoke"}
    last = Authorizer(tuple(after), authorizer.open_, authorizer.super_users)
    stuck = {c.rule for c in plan.changes if c.impossible}
    for each in declared.rules:
        rule = each.rule
        if rule not in stuck and not any(r.deny for r in after):
            assert ruled(last, rule.principal, rule.operation, "topic", rule.name).allowed is True
    assert plan_access(declared, last, callers).changes == tuple(c for c in plan.changes if c.impossible)


@given(DECLARATIONS, AUTHORIZERS)
def test_what_is_not_risky_shuts_nobody_out(declared: DeclaredAccess, authorizer: Authorizer) -> None:
    assume(authorizer.open_ is not False)
    plan = plan_access(declared, authorizer, frozenset())
    safe = [c.rule for c in plan.changes if c.verb == "grant" and not c.risk and not c.impossible]
    after = Authorizer((*authorizer.rules, *safe), authorizer.open_, authorizer.super_users)
    for name in NAMES:
        before = ruled(authorizer, "User:stranger", "Read", "topic", name).allowed
        assert ruled(after, "User:stranger", "Read", "topic", name).allowed == before


@given(RULES)
def test_a_rule_is_read_as_it_was_written(rule: Rule) -> None:
    assert rule_of(rule.document) == rule
    assert rule.principal in rule.text
