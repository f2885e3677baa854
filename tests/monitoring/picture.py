"""Draws docs/monitoring.svg: the dashboard's queries, answered by a real Prometheus that watched real brokers.

python -m tests.monitoring.picture     takes two minutes

Grafana is in no package registry, so its panels are drawn here: same queries, same places, other looks.
"""

import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from html import escape
from pathlib import Path
from typing import Any

from confluent_kafka.admin import NewTopic

from kafkactl.sandbox.foreground import throwaway
from kafkactl.text.units import is_number
from tests.conftest import create
from tests.dead_letters import FROM_ORDERS, bury
from tests.exporters import exporting
from tests.lab.consumers import Consumes, arriving, consumer
from tests.prometheus import MONITORING, Prometheus, prometheus
from tests.readme import REPOSITORY

PICTURE = REPOSITORY / "docs" / "monitoring.svg"
DASHBOARD = MONITORING / "grafana" / "dashboards" / "kafka.json"
SECONDS = 110
COLUMN, ROW, GAP = 46, 26, 8  # of Grafana's grid, in pixels
COLOURS = ("#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#1f78c1", "#ba43a9", "#705da0")
CATALOG = """
topics:
  payment.created: {partitions: 3, replication: 3, consumers: [accounting, analytics, risk], dlq: dlq.payment}
  payment.success: {partitions: 3, replication: 3, consumers: [notification]}
  dlq.payment: {partitions: 1, replication: 3}
"""


def scene(directory: Path) -> Iterator[Prometheus]:
    """Two minutes of a cluster: a group keeps up, one is slow, one ends; dead letters arrive; a broker is killed."""
    with ExitStack() as running, throwaway(3) as sandbox:
        brokers = sandbox.bootstrap
        os.environ["KAFKA_BROKERS"] = brokers
        (directory / "topics.yaml").write_text(CATALOG, encoding="utf-8")
        os.environ["KAFKACTL_CATALOG"] = str(directory / "topics.yaml")
        topics = {"payment.created": 3, "payment.success": 3, "dlq.payment": 1}
        create(brokers, *(NewTopic(name, partitions, 3) for name, partitions in topics.items()))
        exporter = running.enter_context(exporting("--every", "1s"))
        watching = running.enter_context(prometheus(directory, {f"127.0.0.1:{exporter.port}": {"env": "local"}}))
        running.enter_context(arriving(brokers, "payment.created", 120))
        running.enter_context(arriving(brokers, "payment.success", 30))
        running.enter_context(consumer(Consumes(brokers, "accounting-group", "payment.created")))
        running.enter_context(consumer(Consumes(brokers, "analytics-group", "payment.created", handling=0.0125)))
        running.enter_context(consumer(Consumes(brokers, "notification-group", "payment.success")))
        running.enter_context(consumer(Consumes(brokers, "risk-group", "payment.created", ends_after=3_000)))
        for _ in range(4):
            time.sleep(SECONDS / 5)
            bury(brokers, *((b"k", b"x", FROM_ORDERS) for _ in range(3)), topic="dlq.payment")
        sandbox.kill(3)
        time.sleep(SECONDS / 5)
        yield watching


def drawn(watching: Prometheus) -> str:
    """The panels, as an SVG."""
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels) * ROW + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {24 * COLUMN + GAP} {height}" '
        'font-family="sans-serif" font-size="11" fill="#d8d9da">',
        f'<rect width="{24 * COLUMN + GAP}" height="{height}" fill="#111217"/>',
    ]
    end = time.time()
    for panel in panels:
        at = panel["gridPos"]
        x, y = at["x"] * COLUMN + GAP, at["y"] * ROW + GAP
        w, h = at["w"] * COLUMN - GAP, at["h"] * ROW - GAP
        parts.append(f'<g transform="translate({x},{y})"><rect width="{w}" height="{h}" rx="2" fill="#181b1f"/>')
        parts.append(f'<text x="8" y="16" font-weight="bold">{escape(panel["title"])}</text>')
        parts += {"stat": stat, "table": table, "timeseries": curves}[panel["type"]](watching, panel, w, h, end)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>"]) + "\n"


def query_of(target: dict[str, Any]) -> str:
    return str(target["expr"]).replace("$__rate_interval", "15s").replace("$env", ".*")


def stat(watching: Prometheus, panel: dict[str, Any], w: int, h: int, _: float) -> list[str]:
    found = watching.query(query_of(panel["targets"][0]))
    value = found[0]["value"][1] if found else "no data"
    if panel["fieldConfig"]["defaults"]["unit"] == "bool_yes_no":
        value = {"1": "Yes", "0": "No"}.get(value, value)
    return [f'<text x="{w / 2}" y="{h - 20}" font-size="28" text-anchor="middle" fill="#7eb26d">{escape(value)}</text>']


def table(watching: Prometheus, panel: dict[str, Any], w: int, h: int, _: float) -> list[str]:
    rows = [one["metric"] for one in watching.query(query_of(panel["targets"][0]))]
    names = [n for n in sorted({n for row in rows for n in row}) if n not in ("__name__", "instance", "job", "env")]
    lines = [names, *([row.get(name, "") for name in names] for row in rows)][: (h - 24) // 16]
    width = (w - 16) / max(1, len(names))
    return [
        f'<text x="{8 + column * width:.0f}" y="{36 + 16 * number}" fill="{"#8e8e8e" if number == 0 else "#d8d9da"}">'
        f"{escape(text)}</text>"
        for number, line in enumerate(lines)
        for column, text in enumerate(line)
    ]


def curves(watching: Prometheus, panel: dict[str, Any], w: int, h: int, end: float) -> list[str]:
    found: list[tuple[str, list[tuple[float, float]]]] = []
    for target in panel["targets"]:
        told = watching.ask("query_range", query=query_of(target), start=end - SECONDS, end=end, step=1)
        found += [(_legend(target, one["metric"]), _points(one["values"])) for one in told["result"]]
    most = max((value for _, points in found for _, value in points), default=0.0)
    top = most * 1.1 or 1.0
    left, bottom, room = 52, h - 30, h - 58
    parts = []
    for share in (0, 0.5, 1):
        y = bottom - share * room
        parts.append(f'<line x1="{left}" x2="{w - 8}" y1="{y:.0f}" y2="{y:.0f}" stroke="#2c3235"/>')
        shown = _shown(share * top, panel["fieldConfig"]["defaults"]["unit"])
        parts.append(f'<text x="{left - 4}" y="{y + 4:.0f}" text-anchor="end" fill="#8e8e8e">{shown}</text>')
    x = float(left)
    for number, (name, points) in enumerate(sorted(found)):
        colour = COLOURS[number % len(COLOURS)]
        spots = (
            f"{left + (at - end + SECONDS) / SECONDS * (w - 8 - left):.1f},{bottom - value / top * room:.1f}"
            for at, value in points
        )
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{" ".join(spots)}"/>')
        if x + 6 * len(name) < w - 8:
            parts.append(f'<text x="{x:.0f}" y="{h - 10}" fill="{colour}">{escape(name)}</text>')
        x += 6.2 * len(name) + 14
    return parts


def _points(values: list[list[Any]]) -> list[tuple[float, float]]:
    return [(float(at), float(value)) for at, value in values if value not in ("+Inf", "NaN")]


def _legend(target: dict[str, Any], labels: dict[str, str]) -> str:
    text = str(target["legendFormat"])
    for name, value in labels.items():
        text = text.replace(f"{{{{{name}}}}}", value)
    return text


def _shown(value: float, unit: str) -> str:
    match unit:
        case "percentunit":
            return f"{value:.0%}"
        case "bytes":
            return f"{value / 2**20:.1f} MiB"
        case "cps":
            return f"{value:.0f}/s"
        case "s":
            return f"{value:.1f} s"
    return f"{value:,.0f}" if value >= 10 or is_number(f"{value:g}") else f"{value:.1f}"


def main() -> None:
    """Draw it."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["KAFKACTL_STATE"] = home
        for watching in scene(Path(home)):
            PICTURE.write_text(drawn(watching), encoding="utf-8")


if __name__ == "__main__":
    main()
