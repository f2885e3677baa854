"""Metrics as Prometheus reads them, by the library that is the extra `exporter`."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from kafkactl.errors import UsageError
from kafkactl.metrics.model import Family

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def require_library() -> None:
    """Raise UsageError where the library is not installed."""
    try:
        import prometheus_client  # noqa: F401
    except ImportError:
        raise UsageError(
            "The exporter takes a package that is not installed: prometheus-client.",
            hint="pip install 'kafkactl[exporter]'",
        ) from None


class _Collected:
    """Families as the library collects them: one after the other, so that only one is held as its objects."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> "Iterator[Metric]":
        from prometheus_client.core import GaugeMetricFamily

        for family in self._families:
            metric = GaugeMetricFamily(family.name, family.help, labels=family.labels)
            for labels, value in family.series:
                metric.add_metric([str(label) for label in labels], value)
            if metric.samples:
                yield metric


def exposed(families: Iterable[Family]) -> bytes:
    """The families as Prometheus reads them."""
    from prometheus_client import generate_latest

    return generate_latest(_Collected(families))


def exposed_process() -> bytes:
    """Memory, processor time and open files of this process."""
    from prometheus_client import PROCESS_COLLECTOR, generate_latest

    return generate_latest(PROCESS_COLLECTOR)
