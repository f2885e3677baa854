"""A real Prometheus, and its tools: Debian's packages prometheus and prometheus-alertmanager."""

import json
import os
import re
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import REPOSITORY
from tests.sandboxes import eventually, free_port

MONITORING = REPOSITORY / "monitoring"
RULES = MONITORING / "rules" / "kafka.yml"
_METRIC = re.compile(r"\b(?:kafka|kafkactl)_[a-z_]+\b")


def tool(*words: str) -> str:
    """Run one of the tools; what it prints. Where it is not installed the test is skipped, in CI it fails."""
    if shutil.which(words[0]) is None:
        if os.environ.get("CI"):
            pytest.fail(f"{words[0]} is needed here")
        pytest.skip(f"{words[0]} is not installed (apt-get install prometheus prometheus-alertmanager)")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def alerts() -> dict[str, dict[str, Any]]:
    """The alerts of the rules, by name."""
    found = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return {rule["alert"]: rule for group in found["groups"] for rule in group["rules"]}


def metrics_in(query: str) -> set[str]:
    """The metrics that a query names."""
    return set(_METRIC.findall(query))


def hurried(directory: Path, seconds: int = 2) -> Path:
    """A copy of the rules in which an alert waits for no more than so many seconds."""
    text = RULES.read_text(encoding="utf-8")
    copy = directory / "rules.yml"
    copy.write_text(re.sub(r"^( +for:) \w+$", rf"\1 {seconds}s", text, flags=re.MULTILINE), encoding="utf-8")
    return copy


@dataclass(frozen=True)
class Prometheus:
    """A Prometheus that is running."""

    port: int

    def ask(self, path: str, **parameters: object) -> Any:
        """What its HTTP interface answers."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            told = json.load(answer)
        assert told["status"] == "success", told
        return told["data"]

    def query(self, query: str) -> list[dict[str, Any]]:
        """The series of a query now."""
        found = self.ask("query", query=query)
        return list(found["result"]) if found["resultType"] == "vector" else [found]

    def firing(self) -> dict[str, list[dict[str, Any]]]:
        """The alerts that fire, by name, each as Prometheus has it: labels, annotations."""
        found: dict[str, list[dict[str, Any]]] = {}
        for alert in self.ask("alerts")["alerts"]:
            if alert["state"] == "firing":
                found.setdefault(alert["labels"]["alertname"], []).append(alert)
        return found

    def until_firing(self, *names: str, seconds: float = 60) -> dict[str, list[dict[str, Any]]]:
        """The firing alerts as soon as these are among them."""
        assert eventually(lambda: set(names) <= self.firing().keys(), seconds), set(names) - self.firing().keys()
        return self.firing()


@contextmanager
def prometheus(
    directory: Path, targets: Mapping[str, Mapping[str, str]], rules: Sequence[Path] = ()
) -> Iterator[Prometheus]:
    """A Prometheus that scrapes these addresses, each with its labels, every second."""
    tool("prometheus", "--version")
    configuration = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(path) for path in rules],
        "scrape_configs": [
            {
                "job_name": "kafka",
                "static_configs": [{"targets": [name], "labels": dict(labels)} for name, labels in targets.items()],
            }
        ],
    }
    path = directory / "prometheus.yml"
    path.write_text(yaml.safe_dump(configuration), encoding="utf-8")
    running = Prometheus(free_port())
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={path}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{running.port}",
            "--log.level=error",
        ]
    )
    try:
        assert eventually(lambda: _ready(running), 30), process.poll()
        yield running
    finally:
        process.terminate()
        process.wait(20)


def _ready(running: Prometheus) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{running.port}/-/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
