"""RESULTS.md: one section a workload, so that one can be measured anew without the others."""

import os
import platform
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import kafka_scripts
import psutil
from measure import Contest, Result, Sheet

from kafkactl.sandbox import java
from kafkactl.sandbox.artifacts import pinned_versions

_HEADING = re.compile(r"^## ", re.MULTILINE)


def introduction() -> str:
    """What was measured how, and on what."""
    memory = psutil.virtual_memory().total / 1024**3
    flags = f"-Xmx256M {kafka_scripts.PERFORMANCE} {kafka_scripts.JMX}"
    return f"""# Measured

Written by `make bench`. Times are of whole processes, from fork to exit, in turn (A B A B …) on the same broker and
machine.

- First: a run before the others that warms up caches and broker; it is not among them.
- CPU: median of user and system time of the process and its children (a broker that is not its child is not in it).
- RSS: median of the largest resident set that any of these processes had (not below that of the benchmark's own,
  {psutil.Process().memory_info().rss // 1024**2} MiB).
- ×: how many times as long as the table's first command, median against median.
- Bar: what the median should not exceed. Nothing fails when it does.

- Machine: {os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB of memory, {platform.system()}
- Python {platform.python_version()}, kafkactl {version("kafkactl")}, confluent-kafka {version("confluent-kafka")}
- Kafka {pinned_versions()[0]}: a sandbox of one broker on 127.0.0.1, its JVM as Kafka's scripts start it (1 GiB, G1);
  tools from org.apache.kafka:kafka-tools:{kafka_scripts.VERSION}; both on Java {java.runtime().version}
- Kafka's scripts are stood in for by the JVM they would start, with the flags kafka-run-class.sh gives it:
  `java {flags} org.apache.kafka.tools.TopicCommand …`
  (the console tools have -Xmx512M, the broker -Xmx1G -Xms1G). The shell code in front of it, `docker exec` and
  log4j's configuration are left out, in the scripts' favour.
"""


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.machine())


def section(name: str, about: str, load: float, parts: Iterable[tuple[Contest, Sequence[Result]] | Sheet]) -> str:
    """The section of one workload; `load` is the load average of one minute when it began."""
    when = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %z")
    head = f"## {name}\n\n{about} Measured {when}, load {load:.2f} at the start. Again: `python bench/run.py {name}`\n"
    return "\n".join([head, *(_sheet(part) if isinstance(part, Sheet) else _contest(*part) for part in parts)])


def _sheet(sheet: Sheet) -> str:
    return "\n".join([f"### {sheet.title}", "", *sheet.lines, "", *([sheet.note, ""] if sheet.note else [])])


def _contest(contest: Contest, results: Sequence[Result]) -> str:
    first = results[0]
    lines = [f"### {contest.title}", "", "| Command | Median | Min–max | Runs | First | CPU | RSS | × | Bar |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    lines += [_row(result, first, contest.factor) for result in results]
    notes = [contest.note] if contest.note else []
    if disturbed := sum(result.disturbed for result in results):
        runs = sum(len(result.seconds) for result in results)
        notes.append(f"While {disturbed} of the {runs} runs began, something else used the processors.")
    return "\n".join([*lines, "", *([" ".join(notes), ""] if notes else [])])


def _row(result: Result, first: Result, factor: float | None) -> str:
    label = f"`{result.entry.label}`"
    if result.entry.unavailable:
        return f"| {label} | not available | {result.entry.unavailable} | | | | | | |"
    ratio = result.median / first.median
    cells = [
        label,
        _time(result.median),
        f"{_time(min(result.seconds))} – {_time(max(result.seconds))}",
        str(len(result.seconds)),
        "" if result.first is None else _time(result.first),
        _time(sorted(result.cpu)[len(result.cpu) // 2]),
        f"{sorted(result.rss)[len(result.rss) // 2] / 1024**2:.0f} MiB",
        "" if result is first else f"{ratio:.2f}" if ratio < 2 else f"{ratio:.1f}" if ratio < 20 else f"{ratio:.0f}",
        _bar(result, first, factor),
    ]
    return f"| {' | '.join(cells)} |"


def _bar(result: Result, first: Result, factor: float | None) -> str:
    if result.entry.bar is not None:
        return f"≤ {result.entry.bar:g} s: {_verdict(result.median <= result.entry.bar)}"
    if (most := result.entry.most_factor) is not None:
        return f"≤ {most:g} ×: {_verdict(result.median <= most * first.median)}"
    factor = result.entry.least_factor or factor
    if factor is not None and result is not first:
        return f"≥ {factor:g} ×: {_verdict(result.median >= factor * first.median)}"
    return ""


def _verdict(kept: bool) -> str:
    return "kept" if kept else "**missed**"


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def merge(path: Path, sections: dict[str, str], order: Sequence[str]) -> None:
    """Write the file anew: the sections measured now, and those it had of the others."""
    old = _HEADING.split(path.read_text(encoding="utf-8"))[1:] if path.exists() else []
    kept = {text.split("\n", 1)[0].strip(): f"## {text}" for text in old}
    texts = {**kept, **sections}
    parts = [introduction(), *(texts[name] for name in order if name in texts)]
    path.write_text("\n".join(part.rstrip("\n") + "\n" for part in parts), encoding="utf-8")
