"""What a run says of itself: consent is for what was shown, and every number and sentence agrees with the others."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from kafkactl.catalog.model import Catalog
from kafkactl.plan.account import Account, Agreement, Fate, Ledger, questions
from kafkactl.plan.differences import Change, make_plan
from kafkactl.plan.risk import Risk
from kafkactl.topics import LiveTopic
from kafkactl.view.account_report import summary
from tests.test_plan import PLACE, Topic, catalog_of, catalogs, clusters, live

risks = st.frozensets(st.sampled_from(list(Risk)))


@settings(deadline=None)
@given(catalogs(), clusters(), clusters(), risks, st.data())
def test_what_is_applied_was_shown_and_agreed_to(
    catalog: Catalog,
    before: dict[str, LiveTopic],
    after: dict[str, LiveTopic],
    allowed: frozenset[Risk],
    data: st.DataObject,
) -> None:
    """Answers are given to a first plan; a race replaces the cluster, and a second plan meets the old answers."""
    shown = make_plan(catalog, before)
    agreement = Agreement(allowed)
    yes: set[tuple[object, Risk]] = set()
    for risk, changes in questions(shown, agreement).items():
        if data.draw(st.booleans(), label=f"yes to {risk}"):
            agreement = agreement.with_yes(changes, risk)
            yes |= {(change.identity, risk) for change in changes}
    for plan in (shown, make_plan(catalog, after)):
        for change in plan.everything:
            if not (agreement.asks(change) and agreement.covers(change)):
                continue
            assert not change.impossible
            for risk in change.risks - allowed:
                assert (change.identity, risk) in yes
                assert change in shown.everything
            if change.kind == "override":
                assert Risk.OVERRIDES in allowed


def test_a_yes_for_one_topic_is_none_for_another() -> None:
    """--allow overrides; the question about A's retention does not cover B's override, which shrinks retention too."""
    one = Change("a", "config", "retention.ms", "2", "1", frozenset({Risk.RETENTION}))
    other = Change("b", "override", "retention.ms", "-1", "1", frozenset({Risk.OVERRIDES, Risk.RETENTION}))
    agreement = Agreement(frozenset({Risk.OVERRIDES})).with_yes([one], Risk.RETENTION)
    assert agreement.covers(one)
    assert agreement.missing(other) == {Risk.RETENTION}
    shrunk_further = Change("a", "config", "retention.ms", "2", "0", frozenset({Risk.RETENTION}))
    assert not agreement.covers(shrunk_further)


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    """Any run: what was allowed is sent, and the broker does, refuses or never answers it."""
    catalog, cluster = draw(catalogs()), draw(clusters())
    hidden = dict.fromkeys(draw(st.sets(st.sampled_from(["payment.failed", "audit.logs"]))), "no permission")
    plan = make_plan(catalog, cluster, unreadable=hidden)
    agreement = Agreement(draw(risks))
    ledger = Ledger()
    dry_run = draw(st.booleans())
    for change in plan.everything:
        if not (agreement.asks(change) and agreement.covers(change)):
            continue
        answer = draw(st.sampled_from(["failed"] if dry_run else ["done", "failed", "nothing", "raced"]))
        if dry_run and draw(st.booleans()):
            continue
        ledger.send([change])
        if answer == "done":
            ledger.answer(done=[change])
        elif answer == "failed":
            ledger.answer(failed=[(change, "refused")])
        elif answer == "raced":
            ledger.forget([change])
    return ledger.close(plan, agreement, dry_run=dry_run)


@settings(deadline=None)
@given(accounts())
def test_every_change_has_one_fate_and_every_topic_one_place(account: Account) -> None:
    identities = [entry.change.identity for entry in account.entries]
    assert len(identities) == len(set(identities))
    assert {change.identity for change in account.plan.everything} <= set(identities)
    names = set(account.plan.names)
    places = [
        set(account.as_declared),
        set(account.overridden),
        names & ({*account.differing} | set(account.plan.unreadable)),
    ]
    assert set().union(*places) == names
    assert sum(map(len, places)) == len(names)
    for entry in account.entries:
        assert bool(entry.missing) == (entry.fate is Fate.WITHHELD)
        assert bool(entry.reason) == (entry.fate in (Fate.FAILED, Fate.IMPOSSIBLE))


@settings(deadline=None)
@given(accounts())
def test_no_sentence_denies_another(account: Account) -> None:
    text = summary(account, 0.1)
    done, failed = account.of(Fate.DONE), account.topics(Fate.FAILED)
    assert ("Nothing was changed" in text) <= (not done and not account.of(Fate.UNKNOWN))
    assert ("Nothing to do" in text) <= (account.complete and not done and not failed)
    if account.dry_run:
        assert "nothing was changed" in text
        return
    numbers = {what: int(number.replace(",", "")) for number, what in re.findall(r"(\d[\d,]*) (\w+)", text)}
    assert numbers.get("failed", 0) == len(failed)
    assert numbers.get("created", 0) == sum(entry.change.kind == "create" for entry in done)
    still = re.search(r"([\d,]+) topics? still differ", text)
    assert (int(still[1]) if still else 0) == len(account.differing)
    equal = re.search(r"([\d,]+) topics? (?:is|are) as declared", text)
    assert (int(equal[1]) if equal else 0) == len(account.as_declared)
    assert ("could not be compared" in text) == bool(account.plan.unreadable)
    assert account.successful <= (not account.differing)


def test_an_unanswered_change_is_settled_by_another_look() -> None:
    catalog = catalog_of(Topic("a", 1, 1, {}, PLACE), Topic("b", 1, 1, {}, PLACE))
    plan = make_plan(catalog, {})
    ledger = Ledger()
    ledger.send(plan.changes)
    assert len(ledger.close(plan, Agreement()).of(Fate.UNKNOWN)) == 2
    again = make_plan(catalog, {"a": live("a", 1, 1, {})})
    ledger.look_again(again)
    account = ledger.close(again, Agreement())
    assert account.topics(Fate.DONE) == ("a",)
    assert account.topics(Fate.FAILED) == ("b",)
