"""Measure kafkactl beside what a user would pick instead, and write RESULTS.md.

python bench/run.py                    every workload
python bench/run.py create sandbox     these; the other sections of RESULTS.md stay as they are
python bench/run.py --quick            few runs, printed only: to see that the benchmark itself works
"""

import argparse
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

import report
from measure import CommandFailed, Sheet, run_contest
from workloads import WORKLOADS

from kafkactl.errors import KafkactlError

_RESULTS = Path(__file__).parent / "RESULTS.md"
_RUNS = 5
_SLOW_RUNS = 3


def main() -> int:
    """Measure what was asked for; the exit code, which says nothing about how fast it was."""
    options = _options()
    signal.signal(signal.SIGTERM, _terminated)
    sections = {}
    try:
        for name in options.workload or WORKLOADS:
            sections[name] = _measure(
                name, *((1, 1) if options.quick else (options.runs, min(options.runs, _SLOW_RUNS)))
            )
    except (CommandFailed, KafkactlError) as error:
        _told(f"{error}\nRESULTS.md was left as it is.")
        return 1
    except KeyboardInterrupt:
        _told("Interrupted; RESULTS.md was left as it is.")
        return 130
    if options.quick:
        sys.stdout.write("\n".join([report.introduction(), *sections.values()]))
    else:
        report.merge(_RESULTS, sections, list(WORKLOADS))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workload", nargs="*", metavar="WORKLOAD", help=f"one of: {', '.join(WORKLOADS)}")
    parser.add_argument(
        "--runs", type=int, default=_RUNS, metavar="N", help="runs of each command (default: %(default)s)"
    )
    parser.add_argument("--quick", action="store_true", help="one run each; print, do not write RESULTS.md")
    options = parser.parse_args()
    if unknown := [name for name in options.workload if name not in WORKLOADS]:
        parser.error(f"{unknown[0]}: no such workload. There are: {', '.join(WORKLOADS)}")
    if options.runs < 1:
        parser.error("--runs: at least 1")
    return options


def _measure(name: str, runs: int, slow_runs: int) -> str:
    """One workload's section of RESULTS.md."""
    load = os.getloadavg()[0]
    workload = WORKLOADS[name]
    parts = []
    # Closed even if a contest is interrupted: its broker ends with it.
    with contextlib.closing(workload()) as contests:
        for part in contests:
            parts.append(part if isinstance(part, Sheet) else (part, run_contest(part, runs, slow_runs, _told)))
    return report.section(name, workload.__doc__ or "", load, parts)


def _told(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _terminated(*_: object) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
