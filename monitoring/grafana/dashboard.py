"""The Grafana dashboard as code: python monitoring/grafana/dashboard.py writes dashboards/kafka.json."""

import json
from pathlib import Path
from typing import Any

DASHBOARD = Path(__file__).with_name("dashboards") / "kafka.json"
_SOURCE = {"type": "prometheus", "uid": "prometheus"}
_WIDTH = 24  # Grafana's grid
_ENV = 'env=~"$env"'  # what ENV in a query stands for

# A row of panels: (kind, width, title, unit, [(query, legend)]). Kinds are Grafana's.
Panel = tuple[str, int, str, str, list[tuple[str, str]]]
ROWS: list[list[Panel]] = [
    [
        ("stat", 4, "Kafka answers", "bool_yes_no", [("min(kafkactl_up{ENV})", "")]),
        ("stat", 4, "Brokers", "short", [("max(kafka_brokers{ENV})", "")]),
        (
            "stat",
            4,
            "Partitions without a leader",
            "short",
            [("sum(kafka_topic_partition_leader{ENV} == bool -1)", "")],
        ),
        (
            "stat",
            4,
            "Under-replicated partitions",
            "short",
            [("sum(kafka_topic_partition_under_replicated_partition{ENV})", "")],
        ),
        ("stat", 4, "Dead letters that wait", "short", [("sum(kafkactl_dead_letters_pending{ENV})", "")]),
        ("stat", 4, "Errors the doctor finds", "short", [('sum(kafkactl_findings{ENV,severity="error"})', "")]),
    ],
    [
        (
            "timeseries",
            12,
            "Records that arrive, by topic",
            "cps",
            [
                (
                    "topk(15, sum by (topic) (rate(kafka_topic_partition_current_offset{ENV}[$__rate_interval])))",
                    "{{topic}}",
                )
            ],
        ),
        (
            "timeseries",
            12,
            "Records that a group reads",
            "cps",
            [
                (
                    "topk(15, sum by (consumergroup) "
                    "(rate(kafka_consumergroup_current_offset{ENV}[$__rate_interval])))",
                    "{{consumergroup}}",
                )
            ],
        ),
    ],
    [
        (
            "timeseries",
            12,
            "Lag, by group",
            "short",
            [("topk(15, sum by (consumergroup) (kafka_consumergroup_lag{ENV}))", "{{consumergroup}}")],
        ),
        (
            "timeseries",
            12,
            "Behind, by group",
            "s",
            [("topk(15, kafkactl_group_behind_seconds{ENV})", "{{consumergroup}}")],
        ),
    ],
    [
        (
            "table",
            12,
            "Groups that are not ok",
            "short",
            [('kafkactl_group_verdict{ENV,verdict!="OK"}', "")],
        ),
        (
            "timeseries",
            12,
            "Time to drain, by group",
            "s",
            [("topk(15, kafkactl_group_drain_seconds{ENV} < Inf)", "{{consumergroup}}")],
        ),
    ],
    [
        (
            "timeseries",
            8,
            "Partitions that a broker leads",
            "short",
            [('count_values("broker", kafka_topic_partition_leader{ENV} >= 0)', "{{broker}}")],
        ),
        (
            "timeseries",
            8,
            "Disk in use, by broker",
            "percentunit",
            [
                (
                    "1 - kafkactl_broker_disk_usable_bytes{ENV} / kafkactl_broker_disk_bytes{ENV}",
                    "{{id}}",
                )
            ],
        ),
        (
            "timeseries",
            8,
            "Size of the largest topics",
            "bytes",
            [("topk(10, kafkactl_topic_bytes{ENV})", "{{topic}}")],
        ),
    ],
    [
        (
            "timeseries",
            8,
            "Partitions that are not well",
            "short",
            [
                ("sum(kafka_topic_partition_leader{ENV} == bool -1)", "without a leader"),
                ("sum(kafka_topic_partition_under_replicated_partition{ENV})", "under-replicated"),
                ("sum(kafkactl_topic_partition_under_min_isr{ENV})", "under min ISR"),
                ("sum(kafka_topic_partition_leader_is_preferred{ENV} == bool 0)", "not led by the first replica"),
            ],
        ),
        (
            "timeseries",
            8,
            "Dead letters that wait, by topic",
            "short",
            [("kafkactl_dead_letters_pending{ENV}", "{{topic}}")],
        ),
        (
            "table",
            8,
            "What the doctor finds",
            "short",
            [("sum by (code, check, severity) (kafkactl_findings{ENV}) > 0", "")],
        ),
    ],
    [
        (
            "timeseries",
            8,
            "What is not known",
            "short",
            [("sum by (what) (kafkactl_unknown{ENV}) > 0", "{{what}}")],
        ),
        (
            "timeseries",
            8,
            "Age and length of the looks",
            "s",
            [
                ("kafkactl_last_look_age_seconds{ENV}", "age of the last look"),
                ("kafkactl_look_duration_seconds{ENV}", "how long it took"),
                ("kafkactl_last_check_age_seconds{ENV}", "age of the last checks"),
            ],
        ),
        (
            "timeseries",
            8,
            "Days until certificates expire",
            "d",
            [("(kafkactl_certificate_expiry_timestamp_seconds{ENV} - time()) / 86400", "{{of}} {{name}}")],
        ),
    ],
]


def _panel(id: int, panel: Panel, x: int, y: int) -> dict[str, Any]:
    kind, width, title, unit, queries = panel
    shown = {
        "id": id,
        "type": kind,
        "title": title,
        "datasource": _SOURCE,
        "gridPos": {"x": x, "y": y, "w": width, "h": _height(kind)},
        "fieldConfig": {
            "defaults": {"unit": unit, "min": 0} if kind == "timeseries" else {"unit": unit},
            "overrides": [],
        },
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": _SOURCE,
                "expr": query.replace("ENV", _ENV),
                "legendFormat": legend or "__auto",
                **({"format": "table", "instant": True} if kind == "table" else {}),
            }
            for number, (query, legend) in enumerate(queries)
        ],
    }
    if kind == "table":
        hidden = dict.fromkeys(("Time", "Value", "__name__", "instance", "job"), True)
        shown["transformations"] = [{"id": "organize", "options": {"excludeByName": hidden}}]
    return shown


def _height(kind: str) -> int:
    return 4 if kind == "stat" else 8


def dashboard() -> dict[str, Any]:
    """The dashboard, as Grafana imports it."""
    panels: list[dict[str, Any]] = []
    y = 0
    for row in ROWS:
        x = 0
        for panel in row:
            panels.append(_panel(len(panels) + 1, panel, x, y))
            x += panel[1]
        assert x == _WIDTH, row
        y += _height(row[0][0])
    return {
        "uid": "kafkactl",
        "title": "Kafka",
        "tags": ["kafka", "kafkactl"],
        "timezone": "browser",
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {
            "list": [
                {
                    "name": "env",
                    "label": "Environment",
                    "type": "query",
                    "datasource": _SOURCE,
                    "query": {"query": "label_values(kafkactl_build_info, env)", "refId": "env"},
                    "refresh": 2,
                    "includeAll": True,
                    "allValue": ".*",
                    "current": {"text": "All", "value": "$__all"},
                }
            ]
        },
        "panels": panels,
    }


def text() -> str:
    """The file's content."""
    return json.dumps(dashboard(), indent=2) + "\n"


if __name__ == "__main__":
    DASHBOARD.write_text(text(), encoding="utf-8")
