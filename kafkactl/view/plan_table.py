"""How a plan is shown: by diff, and by init-topics before it changes anything."""

from collections.abc import Sequence
from typing import Any, Literal

from kafkactl.catalog.model import Position, Topic
from kafkactl.plan.differences import Change, Plan
from kafkactl.plan.risk import CONSEQUENCE
from kafkactl.text.escapes import plain
from kafkactl.text.units import value_text
from kafkactl.text.words import many
from kafkactl.view.cases import Case
from kafkactl.view.output import Style, column_width, pad, say, style, width

Row = tuple[str, str, str, str, str, str, str]

_SHOWN_CREATES = 12
_HEAD, _TAIL = 4, 3


def topic_text(topic: Topic) -> str:
    """A declared topic in a line: 3 partitions · replication 1 · 7d."""
    words = [
        pad(many(topic.partitions, "partition"), 12) if topic.partitions else "default partitions",
        f"replication {topic.replication or 'default'}",
        *(
            value_text(key, value) if key == "retention.ms" else f"{key}={value_text(key, value)}"
            for key, value in sorted(topic.config.items(), key=lambda item: (item[0] != "retention.ms", item[0]))
        ),
    ]
    return " · ".join(words)


def _show_creates(creates: list[Change]) -> None:
    """New topics, one a line; of many alike only the first and the last."""
    width = max((len(change.topic) for change in creates), default=0)
    look = style()
    lines = [
        f"  {look.paint('+', 'green')} {change.topic:<{width}}   {topic_text(change.declared)}"
        for change in creates
        if change.declared
    ]
    if len(lines) > _SHOWN_CREATES:
        hidden = len(lines) - _HEAD - _TAIL
        lines[_HEAD:-_TAIL] = [look.paint(f"    … {hidden} more like these", "dim")]
    for line in lines:
        say(line)


def show_plan(plan: Plan, *, removing: bool = False) -> None:
    """A whole plan. `removing`: undeclared overrides are to be removed, else they are left alone."""
    kept = [] if removing else [_left_alone(override) for override in plan.overrides]
    kept += [("", "?", plain(name), "on the cluster, not declared", "", "left alone", "") for name in plan.undeclared]
    unread = [("", "!", n, "could not be compared", plain(why), "", "") for n, why in sorted(plan.unreadable.items())]
    _show([*plan.changes, *(plan.overrides if removing else ())], [*kept, *unread])


def show_changes(changes: Sequence[Change], *, allowing: bool = True) -> None:
    """Changes alone: creates first, then what differs, with its place in the file and what it would break.

    `allowing`: with the --allow that each needs, where the command has that option.
    """
    _show(changes, [], allowing=allowing)


def _show(changes: Sequence[Change], more: Sequence[Row], *, allowing: bool = True) -> None:
    _show_creates([change for change in changes if change.kind == "create"])
    _columns([*(_row(change, allowing) for change in changes if change.kind != "create"), *more], style())
    for change in changes:
        if change.impossible:
            say(f"  {plain(change.topic)}: {change.impossible}.")


def _left_alone(o: Change) -> Row:
    return _place(o.position), " ", o.topic, o.key, f"{value_text(o.key, o.old)}, not declared", "left alone", ""


def _row(change: Change, allowing: bool) -> Row:
    if change.kind == "delete":
        what, values = "listed under removed" if change.position else "the topic and its records", ""
    else:
        what, values = change.key, f"{value_text(change.key, change.old)} → {value_text(change.key, change.new)}"
    allow = "" if change.impossible or not allowing else " ".join(f"--allow {risk}" for risk in sorted(change.risks))
    risk = "see below" if change.impossible else ", ".join(CONSEQUENCE[r] for r in sorted(change.risks)) or "safe"
    mark = "!" if change.impossible else "-" if change.kind == "delete" else "~"
    return _place(change.position), mark, plain(change.topic), what, values, risk, allow


def _place(position: Position | None) -> str:
    return f"{position.file}:{position.line}" if position else ""


_COLOURS = {"~": "yellow", "!": "red", "-": "red", "?": "dim", " ": "dim"}


def _columns(rows: list[Row], look: Style) -> None:
    """Rows as columns; where the terminal is too narrow for them, each in two lines."""
    widths = [column_width(row[i] for row in rows) for i in range(7)]
    narrow = sum(widths) + 12 > width()
    for row in rows:
        place, mark, topic, what, values, risk, allow = (pad(t, w) for t, w in zip(row, widths, strict=True))
        if narrow and mark == "?":
            line = f"  ? {topic}  {what}".rstrip()
        elif narrow:
            line = f"  {mark} {topic}  {what}  {values}".rstrip()
            more = "  ".join(text.strip() for text in (risk, allow, place) if text.strip())
            line += f"\n      {more}" if more else ""
        else:
            line = f"{place}  {mark} {topic}  {what}  {values}  {risk}  {allow}".rstrip()
        quiet = mark in "? "
        say(look.paint(line, "dim") if quiet else line.replace(f" {mark} ", f" {look.paint(mark, _COLOURS[mark])} ", 1))


def plan_summary(plan: Plan) -> str:
    """One sentence of figures, each topic in one of them: 3 missing, 2 differ, 1 undeclared, 22 as declared."""
    missing = {change.topic for change in plan.changes if change.kind == "create"}
    removed = {change.topic for change in plan.changes if change.kind == "delete"}
    differing = len(plan.differing - missing - removed - plan.unreadable.keys())
    figures = [
        (len(missing), "missing"),
        (differing, "differs" if differing == 1 else "differ"),
        (len(removed), "to be deleted"),
        (len(plan.overridden), "with undeclared settings"),
        (len(plan.undeclared), "undeclared"),
        (len(plan.unreadable), "not compared"),
        (plan.equal, "as declared"),
    ]
    words = [f"{number:,} {what}" for number, what in figures if number]
    return f"{', '.join(words)}." if words else "Nothing is declared."


def plan_document(plan: Plan) -> dict[str, Any]:
    """A plan as JSON: stable keys, values as Kafka writes them."""
    return {
        "declared": plan.declared,
        "equal": plan.equal,
        "changes": [_change(change) for change in plan.changes],
        "undeclared_overrides": [_change(change) for change in plan.overrides],
        "undeclared_topics": list(plan.undeclared),
        "unreadable": dict(plan.unreadable),
    }


def _change(change: Change) -> dict[str, Any]:
    created = change.declared if change.kind == "create" else None
    return {
        "topic": change.topic,
        "kind": change.kind,
        "key": change.key or None,
        "old": change.old,
        "new": change.new,
        **(
            {"partitions": created.partitions, "replication": created.replication, "config": dict(created.config)}
            if created
            else {}
        ),
        "risks": sorted(change.risks),
        "impossible": change.impossible or None,
        "file": change.position.file if change.position else None,
        "line": change.position.line if change.position else None,
    }


def plan_cases(plan: Plan, *, strict: bool) -> list[Case]:
    """A plan as judged topics: an error for each difference, a warning (or error) for what is not declared."""
    left_alone: Literal["warning", "error"] = "error" if strict else "warning"
    cases = [_case(change, "error") for change in plan.changes]
    cases += [_case(change, left_alone) for change in plan.overrides]
    cases += [Case(name, left_alone, "is on the cluster but not declared") for name in plan.undeclared]
    cases += [Case(name, "error", f"could not be compared: {why}") for name, why in sorted(plan.unreadable.items())]
    seen = {change.topic for change in (*plan.changes, *plan.overrides)} | set(plan.unreadable)
    return cases + [Case(name) for name in plan.names if name not in seen]


def _case(change: Change, level: Literal["warning", "error"]) -> Case:
    where = change.position or Position("", 0, 0)
    if change.kind == "create":
        message = "is declared but not on the cluster"
    elif change.kind == "delete":
        message = "is listed under removed but still on the cluster"
    else:
        old, new = value_text(change.key, change.old), value_text(change.key, change.new)
        wanted = "not declared" if change.kind == "override" else f"declared {new}"
        message = f"{change.key} is {old}, {wanted}"
    if change.impossible:
        message += f". {change.impossible}"
    name = " ".join(filter(None, [change.topic, change.key]))
    return Case(name, level, message, file=where.file, line=where.line, column=where.column, subject=change.topic)
