"""The exporter as a process of its own, and what it serves."""

import base64
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import command
from tests.sandboxes import eventually, free_port

Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Metrics:
    """A page: each name's series by their labels."""

    series: Mapping[str, Mapping[Labels, float]]

    def value(self, name: str, **labels: object) -> float | None:
        """The value of the one series with (at least) these labels; None where there is none."""
        wanted = {(key, str(value)) for key, value in labels.items()}
        found = [value for those, value in self.series.get(name, {}).items() if wanted <= those]
        assert len(found) < 2, (name, labels, found)
        return found[0] if found else None

    def labels(self, name: str) -> set[str]:
        """The names of a metric's labels."""
        return {key for those in self.series.get(name, {}) for key, _ in those}


def metrics_of(text: str) -> Metrics:
    """A page, read as Prometheus does."""
    found: dict[str, dict[Labels, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return Metrics(found)


@dataclass
class Exporter:
    """A running exporter. `login` is NAME:PASSWORD, `authority` the file of who signed its certificate."""

    port: int
    process: "subprocess.Popen[str]"
    login: str = ""
    authority: Path | None = None
    err: str = field(default="")

    def get(self, path: str = "/metrics", login: str | None = None) -> tuple[int, str]:
        """Status and body of a page."""
        scheme = "https" if self.authority else "http"
        request = urllib.request.Request(f"{scheme}://localhost:{self.port}{path}")
        given = self.login if login is None else login
        if given:
            request.add_header("Authorization", f"Basic {base64.b64encode(given.encode()).decode()}")
        context = ssl.create_default_context(cafile=str(self.authority)) if self.authority else None
        try:
            with urllib.request.urlopen(request, timeout=10, context=context) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metrics(self) -> Metrics:
        """What it serves now."""
        status, text = self.get()
        assert status == 200, text
        return metrics_of(text)

    def until(self, name: str, wanted: float | None, seconds: float = 30, **labels: object) -> Metrics:
        """The page as soon as this series has this value, or is not there for None."""
        seen: list[Metrics] = []

        def there() -> bool:
            seen[:] = [self.metrics()]
            return seen[0].value(name, **labels) == wanted

        assert eventually(there, seconds), (name, labels, wanted, seen[0].series.get(name), self.process.poll())
        return seen[0]

    def end(self, number: int) -> int:
        """End it with a signal; its exit code. `err` is what it said."""
        self.process.send_signal(number)
        _, self.err = self.process.communicate(timeout=20)
        return self.process.returncode


@contextmanager
def exporting(
    *arguments: str, every: str = "1s", check_every: str = "2s", login: str = "", authority: Path | None = None
) -> Iterator[Exporter]:
    """An exporter that serves, with these arguments more, at a port of its own."""
    port = free_port()
    process = command("exporter", "--port", str(port), "--every", every, "--check-every", check_every, *arguments)
    running = Exporter(port, process, login, authority)
    try:
        assert eventually(lambda: _serves(running)), process.poll()
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        _, err = process.communicate(timeout=20) if not process.stderr or not process.stderr.closed else ("", "")
        running.err = running.err or err


def _serves(running: Exporter) -> bool:
    assert running.process.poll() is None, running.process.communicate()
    try:
        return running.get("/-/healthy")[0] == 200
    except OSError:
        return False
