"""How a replay is shown: its plan, the question, and what became of it. All are views of the same two counts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from kafkactl.deadletters.ledger import LEDGER_TOPIC, LetterNote, Lock, Spot
from kafkactl.deadletters.replay import ReplayAccount
from kafkactl.deadletters.replay_plan import DUPLICATES, IN_DOUBT, IN_DOUBT_ELSEWHERE, ReplayPlan
from kafkactl.text.escapes import plain
from kafkactl.text.units import retention_text
from kafkactl.text.words import age, and_more, many
from kafkactl.view import output
from kafkactl.view.output import Column

_NAMED = 5


def show_replay_plan(topic: str, plan: ReplayPlan) -> None:
    """Where the letters go, and why others do not."""
    head = output.style().paint(plain(topic), "bold")
    some = "" if plan.matching == plan.looked else f" · {plan.matching:,} of them asked for"
    output.say(f"{head} · {many(plan.looked, 'dead letter')}{some}")
    rows: list[Sequence[output.Cell]] = [
        [f"to {to}", number, f"by {placing}" if placing != "any partition" else "in any partition: no key"]
        for (to, placing), number in sorted(plan.sent.items())
    ]
    rows += [["parked", number, why] for why, number in plan.parked.most_common()]
    rows += [["withheld", number, why] for why, number in plan.withheld.most_common()]
    rows += [["skipped", number, why] for why, number in plan.passed.most_common()]
    rows += [["later", plan.beyond, "beyond --limit"]] if plan.beyond else []
    if rows:
        output.table([Column(""), Column("RECORDS", True), Column("")], rows)


def tell_consequences(
    plan: ReplayPlan,
    readers: Mapping[str, Sequence[str]],
    unknown_readers: str,
    retentions: Mapping[str, int],
    *,
    transactional: bool | None,
    elsewhere: str,
    keep_timestamp: bool,
) -> None:
    """What sending does besides: who reads the records again, which are old, what a kill leaves behind.

    `elsewhere` names another cluster that they go to, "" for none.
    """
    for to in plan.targets():
        groups = readers.get(to, ())
        each = "each of them gets these records again" if len(groups) > 1 else "it gets these records again"
        known = f"{to} is read by {and_more(groups, _NAMED)}: {each}."
        output.note(known if groups else f"No consumer group is known to read {to}.")
        if expired := plan.expired[to]:
            kept = f" ({retention_text(retentions[to])})" if to in retentions else ""
            gone = "Kafka may delete them at once" if keep_timestamp else "they are no longer there"
            output.note(f"{many(expired, 'record is', 'records are')} older than the retention of {to}{kept}: {gone}.")
    if plan.to_send and unknown_readers:
        output.warn(f"there may be more groups: {unknown_readers}")
    if plan.groups_failed:
        names = and_more([f"{g} ({n:,})" for g, n in plan.groups_failed.most_common()], _NAMED)
        output.note(f"Given up by {names}.")
    if not plan.to_send:
        return
    if elsewhere:
        output.note(f"They go to another cluster, {elsewhere}, and count as replayed here from then on.")
    if transactional is False:
        why = "no transaction spans two clusters" if elsewhere else "this user may not use a transaction"
        output.warn(f"{why}: after one that is killed, a replay looks for its copies, and duplicates are possible")
    else:
        output.note(
            "Readers of committed records get each once; others, as Java's by default, may see copies of a batch that "
            "was interrupted, with the same event_id."
        )


def tell_new_ledger(replication: int) -> None:
    """That a topic is created."""
    output.note(
        f"Creates {LEDGER_TOPIC} (1 partition, replication {replication}, compacted), where kafkactl notes what became "
        "of each dead letter."
    )


def doubts_line(doubtful: Mapping[Spot, LetterNote], notes: Mapping[Spot, LetterNote | None]) -> str:
    """What became of letters that an interrupted replay may have sent. `notes` are those of which it is known."""
    there = sum(note is not None for note in notes.values())
    unknown = len(doubtful) - len(notes)
    parts = [f"{there:,} arrived"] if there else []
    parts += [f"{len(notes) - there:,} did not"] if len(notes) > there else []
    parts += [f"of {unknown:,} it is not known"] if unknown else []
    return f"{many(len(doubtful), 'record')} that an interrupted replay may have sent: {', '.join(parts)}."


def question(topic: str, plan: ReplayPlan, place: str, doubted: int = 0) -> str:
    """What a yes agrees to; of `doubted` letters it is noted what became of them."""
    parts = [f"send {many(plan.to_send, 'record')} to {and_more(plan.targets(), _NAMED)}"] if plan.to_send else []
    parked = plan.parked.total()
    parts += [f"park {many(parked, 'record')}"] if parked else []
    parts += [] if parts else [f"note what became of {many(doubted, 'record')}"]
    return f"{topic}: {' and '.join(parts)} on {place}. Proceed?"


def lock_words(lock: Lock, now: int) -> str:
    """Who replays, and since when."""
    return f"{lock.by} (process {lock.pid}) has been replaying this topic for {age((now - lock.since) / 1000)}"


def account_lines(plan: ReplayPlan, account: ReplayAccount) -> list[str]:
    """What became of all that was asked for, in a few lines; the numbers add up to it."""
    to = ", ".join(f"{number:,} to {name}" for name, number in account.sent.most_common())
    lines = [f"{many(account.sent.total(), 'record')} sent back{f': {to}' if len(account.sent) > 1 else ''}."]
    if len(account.sent) == 1:
        lines = [f"{many(account.sent.total(), 'record')} sent back to {next(iter(account.sent))}."]
    lines += _reasons("parked", account.parked)
    lines += _reasons("withheld", account.withheld + plan.withheld)
    lines += _reasons("skipped", account.passed + plan.passed)
    if account.gone:
        lines.append(f"{many(account.gone, 'record')} had been deleted from the dead-letter topic meanwhile.")
    if account.left:
        lines.append(f"{account.left:,} not tried.")
    if plan.beyond:
        lines.append(f"{plan.beyond:,} beyond --limit.")
    return lines


def _reasons(verb: str, reasons: Counter[str]) -> list[str]:
    return [f"{number:,} {verb}: {plain(why)}." for why, number in reasons.most_common()]


def what_allows(plan: ReplayPlan) -> str:
    """What would allow what was withheld."""
    return "--allow duplicates" if any(plan.withheld[why] for why in (DUPLICATES, IN_DOUBT, IN_DOUBT_ELSEWHERE)) else ""


def replay_document(
    topic: str, plan: ReplayPlan, account: ReplayAccount | None, *, dry_run: bool, transactional: bool | None
) -> dict[str, Any]:
    """The plan and what was done, as JSON. `account` is null where nothing was sent."""
    return {
        "topic": topic,
        "dry_run": dry_run,
        "transactional": transactional,
        "plan": {
            "read": plan.looked,
            "matching": plan.matching,
            "send": [{"to": to, "placed_by": p, "records": n} for (to, p), n in sorted(plan.sent.items())],
            "park": dict(plan.parked),
            "withheld": dict(plan.withheld),
            "skipped": dict(plan.passed),
            "beyond_limit": plan.beyond,
            "older_than_retention": dict(plan.expired),
        },
        "account": account
        and {
            "asked": account.asked,
            "sent": dict(account.sent),
            "parked": dict(account.parked),
            "withheld": dict(account.withheld),
            "skipped": dict(account.passed),
            "deleted_meanwhile": account.gone,
            "not_tried": account.left,
        },
    }
