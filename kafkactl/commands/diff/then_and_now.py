"""diff --since: what is no longer as it was, by what the history tells."""

from collections.abc import Sequence

import typer

from kafkactl import options
from kafkactl.cluster.client import Cluster, connect
from kafkactl.cluster.metadata import read_topics
from kafkactl.errors import ExitCode, UsageError
from kafkactl.groups.fetch import read_commits_of
from kafkactl.history.gathered import GatheredHistory, gathered
from kafkactl.history.model import HistoryEntry
from kafkactl.history.since import Then, things_changed, topic_now
from kafkactl.settings import Target
from kafkactl.text.units import value_text
from kafkactl.text.words import many
from kafkactl.topics import Place
from kafkactl.view import output
from kafkactl.view.cases import Case, github, junit
from kafkactl.view.formats import ReportFormat


def compare_since(target: Target, since: str, show: ReportFormat) -> None:
    """Show what differs. Raises Exit with 1 where something does, with 3 where not all of it is known."""
    kafka = connect(target.connection)
    found = gathered(target, kafka)
    things = things_changed(_later(found, since))
    now, unknown = _now(kafka, things)
    differing = [then for then in things if then in now and not then.is_so(now[then])]
    gaps = [*found.gaps, *unknown]
    cases = [Case(_name(then), "error", _words(then, now[then]), subject=then.name) for then in differing]
    match show:
        case ReportFormat.JSON:
            output.document("diff-since", _document(differing, now, gaps))
        case ReportFormat.JUNIT:
            junit("diff", [*cases, *(Case(_name(t)) for t in things if t in now and t not in differing)])
        case ReportFormat.GITHUB:
            github("diff", cases)
        case ReportFormat.TABLE:
            _show(differing, now)
            output.note(_summary(things, differing))
    for gap in gaps:
        output.warn(gap)
    raise typer.Exit(ExitCode.UNREACHABLE if gaps else ExitCode.FOUND if differing else ExitCode.OK)


def _later(found: GatheredHistory, since: str) -> list[HistoryEntry]:
    """The entries since a moment: a time, or an entry, which is then one of them."""
    if any(entry.id.startswith(since) for entry in found.entries):
        start = found.entry(since).begun
    else:
        try:
            start = options.moment(since)
        except UsageError as error:
            raise UsageError(
                f"--since: {since} is neither an entry of the history nor a time.", hint=error.hint
            ) from None
    return [entry for entry in found.entries if entry.begun >= start]


def _now(kafka: Cluster, things: Sequence[Then]) -> tuple[dict[Then, str | None], list[str]]:
    """How each thing is now; and what is not known, and why."""
    names = list(dict.fromkeys(then.name for then in things if then.kind != "offset"))
    topics = read_topics(kafka, names, config_of=names) if names else None
    groups = list(dict.fromkeys(then.name for then in things if then.kind == "offset"))
    commits = read_commits_of(kafka, groups) if groups else {}
    now: dict[Then, str | None] = {}
    unknown: dict[str, None] = {}
    for then in things:
        if then.kind == "offset":
            if then.name not in commits:
                unknown[f"where {then.name} is now is not known: no answer"] = None
                continue
            offset = commits[then.name].get(Place.of_text(then.key))
            now[then] = None if offset is None else str(offset)
            continue
        assert topics is not None
        live = topics.found.get(then.name)
        if then.name in topics.denied:
            unknown[f"how {then.name} is now is not known: {topics.denied[then.name]}"] = None
        elif then.kind == "setting" and live is not None and live.config is None:
            unknown[f"the settings of {then.name} are not known: no permission to read them"] = None
        elif then.kind == "topic" or live is not None:  # of a topic that is gone, that is all there is to say
            now[then] = topic_now(then, live)
    return now, list(unknown)


def _name(then: Then) -> str:
    return {"setting": f"{then.name} {then.key}", "offset": f"{then.name} {then.key}"}.get(
        then.kind, then.name if then.kind == "topic" else f"{then.name} {then.kind}"
    )


def _value(then: Then, value: str | None) -> str:
    if value is None:
        return {"setting": "default", "offset": "no commit"}.get(then.kind, "not there")
    return value_text(then.key, value)


def _words(then: Then, now: str | None) -> str:
    return f"was {_value(then, then.before)}, is {_value(then, now)}"


def _show(differing: Sequence[Then], now: dict[Then, str | None]) -> None:
    if not differing:
        return
    rows: list[list[output.Cell]] = [
        [_name(then), _value(then, then.before), _value(then, now[then]), ", ".join(then.entries)] for then in differing
    ]
    output.table([output.Column(title) for title in ("WHAT", "THEN", "NOW", "CHANGED BY")], rows)


def _summary(things: Sequence[Then], differing: Sequence[Then]) -> str:
    if not things:
        return "The history has no change since then. What others changed without kafkactl, it does not know."
    same = len(things) - len(differing)
    return (
        f"{many(len(differing), 'thing differs', 'things differ')} from then, {same:,} are as they were. "
        "What others changed without kafkactl, the history does not know."
    )


def _document(differing: Sequence[Then], now: dict[Then, str | None], gaps: Sequence[str]) -> dict[str, object]:
    return {
        "differs": bool(differing),
        "complete": not gaps,
        "gaps": list(gaps),
        "things": [
            {
                "kind": then.kind,
                "name": then.name,
                "key": then.key or None,
                "then": then.before,
                "now": now[then],
                "changed_by": list(then.entries),
            }
            for then in differing
        ],
    }
