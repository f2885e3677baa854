"""Keeps the documents true: what they show of kafkactl is what it prints on a real Kafka.

python -m tests.documents --write [FILE …]    run every ```console block, and write what came out into the documents
python -m tests.documents [FILE …]            show what would change

In a document:

    ```console            commands after "$ ", each with what it prints (stdout and stderr, as a pipe gets them);
                          they run from top to bottom, in a directory with the repository's topics.yaml
    ```sh                 commands that do not run here; each kafkactl command in them must be one that can be typed
    <!-- $ command -->    prepares something, and is not shown; <!-- & command --> goes on beside the rest
    <!-- file: NAME -->   writes the next block to that file first

Each document has a Kafka of its own: an empty one, or the one that it starts with `kafkactl sandbox up`.
"""

import difflib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.program import IN_A_SHELL
from tests.sandboxes import free_port

REPOSITORY = Path(__file__).resolve().parent.parent
WIDTH = 100
_SECONDS = 120  # for one command

# What differs from one run to the next, and what stands for it when two outputs are compared.
VARIABLE = (
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?( ?[+-]\d\d:?\d\d|Z)?", "TIME"),
    (r"\b\d\d:\d\d:\d\d([.,]\d+)?( ?[+-]\d\d:?\d\d)?", "TIME"),
    (r"\d{4}-\d\d-\d\d", "DAY"),
    (r"\b\d{8}T?-?\d{6}(\.\d+)?", "TIME"),
    (r"\b1[789]\d{11}\b", "MILLISECONDS"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UUID"),
    (r'(?<=")[\w/+-]{22}(?=/\d+/\d+")', "CLUSTER"),  # a topic's, which may hold a slash
    (r"(?<![\w.-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{22}(?![\w.-])", "CLUSTER"),
    (r"\b(?=\d*[a-f])[0-9a-f]{8}\b", "ID"),
    (r"\b\d{8}\b", "ID"),
    (r"(?<!\S)[\w-]+@[\w-]+\b", "WHO"),
    (r'("(person|host)": )"[^"]*"', r"\1WHO"),
    (r"p50 +[\d.]+ +p95 +[\d.]+ +p99 +[\d.]+ ms", "QUANTILES"),
    (r"(localhost|127\.0\.0\.1):\d{4,5}\b", r"\1:PORT"),
    (r"\d[\d.,]* ?(ms|s|µs)\b", "DURATION"),
    (r'("\w*(seconds|_ms)": )-?[\d.]+', r"\1DURATION"),
    (r"\b\d[\d.,]* (B|KiB|MiB|GiB|TiB)(?![\w])", "SIZE"),
    (r'("\w*(bytes|size)": )\d+', r"\1BYTES"),
    (r"\d+ checks? passed, \d+ skipped \(.*?\) in", "CHECKS in"),  # whether this machine has a Docker engine
    (r'("(pid|passed|skipped)": )\d+', r"\1NUMBER"),
    (r"(serving +)\d+", r"\1PID"),
    (r"/[^\s\"']*/(state|kafkactl)/", "STATE/"),
    (r"kafkactl-sandbox-\w+", "kafkactl-sandbox-NAME"),
    (r"[ \t]+", " "),  # columns are as wide as what is in them
    (r" ?$", ""),
)


@dataclass
class Step:
    """One command of a document. `shown` is None for one that only prepares something."""

    line: int
    command: str
    shown: str | None = None
    beside: bool = False
    output: str = ""
    code: int = 0


@dataclass
class Block:
    """A fenced block: the lines between its fences, and where they are (0-based, from the first)."""

    tag: str
    first: int
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)


Part = Block | Step | tuple[str, Block]  # the last: a file's name, and what is in it
_FENCE = re.compile(r"(`{3,}|~{3,})\s*([\w-]*)")
_REMARK = re.compile(r"<!-- ([$&]|file:) ?(.+?) -->$")


def documents() -> list[Path]:
    """Every document, the READMEs first."""
    return sorted(REPOSITORY.glob("*.md")) + sorted((REPOSITORY / "docs").rglob("*.md"))


def parts(text: str) -> Iterator[Part]:
    """A document's blocks, prepared steps and files, from top to bottom."""
    block: Block | None = None
    fence, name = "", ""
    for number, line in enumerate(text.splitlines()):
        if block is not None:
            if line.strip() == fence:
                yield (name, block) if name else block
                block, name = None, ""
            else:
                block.lines.append(line)
        elif opened := _FENCE.match(line):
            fence, block = opened[1], Block(opened[2], number + 1)
        elif remark := _REMARK.match(line):
            if remark[1] == "file:":
                name = remark[2]
            else:
                yield Step(number, remark[2], beside=remark[1] == "&")
    assert block is None, f"a block that begins in line {block and block.first} has no end"


def shown_steps(block: Block) -> list[Step]:
    """The commands of a console block, each with the output below it."""
    steps: list[Step] = []
    goes_on = False
    for number, line in enumerate(block.lines, block.first):
        if goes_on:
            steps[-1].command += f"\n{line}"
            goes_on = _is_open(steps[-1].command)
        elif line.startswith("$ "):
            steps.append(Step(number, line[2:], shown=""))
            goes_on = _is_open(steps[-1].command)
        else:
            assert steps, f"line {number + 1}: a console block begins with a command"
            steps[-1].shown = f"{steps[-1].shown}{line}\n"
    return steps


def _is_open(command: str) -> bool:
    """Whether the shell would wait for another line."""
    if command.endswith("\\"):
        return True
    try:
        shlex.split(command)
    except ValueError:  # a quotation that does not end here
        return True
    return False


def steps_of(text: str) -> list[Step | tuple[str, Block]]:
    """What runs of a document: files to write, and commands, in their order. Empty if nothing is shown."""
    found: list[Step | tuple[str, Block]] = []
    for part in parts(text):
        if isinstance(part, Block):
            found += shown_steps(part) if part.tag == "console" else []
        else:
            found.append(part)
    return found if any(isinstance(step, Step) for step in found) else []


# What a machine's own Docker engine has a part in: where there is one, this is not compared.
_OF_AN_ENGINE = re.compile(r"kafkactl (ps|logs|doctor(?! [a-zK]))")
_SOCKETS = ("/var/run/docker.sock", "/run/podman/podman.sock")


def as_shown(step: Step) -> bool:
    """Whether a command printed what its document shows, as far as this machine can tell."""
    return step.shown is None or normalised(step.shown) == normalised(step.output) or _has_other_containers(step)


def _has_other_containers(step: Step) -> bool:
    return bool(_OF_AN_ENGINE.search(step.command)) and any(map(os.path.exists, _SOCKETS))


def normalised(output: str) -> str:
    """An output without what differs from run to run."""
    for pattern, stands_for in VARIABLE:
        output = re.sub(pattern, stands_for, output, flags=re.MULTILINE)
    return output.strip("\n")


@contextmanager
def surroundings(starts_its_own: bool) -> Iterator[tuple[Path, dict[str, str], dict[str, str]]]:
    """A directory to work in, the environment, and what of it has another name in documents."""
    from kafkactl.directories import cache_directory
    from kafkactl.sandbox.foreground import throwaway

    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="documents-")))
        work, programs = home / "work", home / "bin"
        work.mkdir()
        programs.mkdir()
        shutil.copy(REPOSITORY / "topics.yaml", work)
        port = free_port() if starts_its_own else 0
        program = programs / "kafkactl"
        on_port = f'case "$1 $2" in "sandbox "[udsl]*) exec {IN_A_SHELL} "$@" --port {port} ;; esac\n' if port else ""
        program.write_text(f'#!/bin/sh\n{on_port}exec {IN_A_SHELL} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        (programs / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
        (programs / "python").chmod(0o755)
        if starts_its_own:
            address = f"localhost:{port}"
        else:
            address = stack.enter_context(throwaway()).bootstrap.replace("127.0.0.1", "localhost")
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("KAFKA", "SCHEMA_", "DOCKER_"))
        }
        environment |= {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(REPOSITORY),
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_RUNTIME_DIR": str(home),
            "KAFKACTL_CACHE": str(cache_directory()),
            "KAFKACTL_STATE": str(home / ".local" / "state" / "kafkactl"),
            "KAFKA_BROKERS": address,
            "COLUMNS": str(WIDTH),
            "NO_COLOR": "1",
            "TZ": "CST-8",
            "LC_ALL": "C.UTF-8",
        }
        port_here = address.partition(":")[2]
        names = {
            f"  export KAFKA_BROKERS=127.0.0.1:{port_here}\n": "",  # said of ports that are not the default
            str(home / "work"): "/home/ops/platform",
            str(home): "~",
            f"{port_here} (KAFKA_BROKERS)": "40093 (the default)",
            port_here: "40093",
            "python -m kafkactl": "kafkactl",
        }
        try:
            yield work, environment, names
        finally:
            if starts_its_own:
                subprocess.run([program, "sandbox", "down"], env=environment, capture_output=True, check=False)


def run(text: str) -> list[Step]:
    """Run a document; its commands with their outputs. One that prepares something has to succeed."""
    steps = steps_of(text)
    if not steps:
        return []
    done: list[Step] = []
    beside: list[subprocess.Popen[bytes]] = []
    starts_its_own = any(isinstance(step, Step) and "kafkactl sandbox up" in step.command for step in steps)
    with surroundings(starts_its_own) as (work, environment, names):
        try:
            for step in steps:
                if not isinstance(step, Step):
                    (work / step[0]).write_text(step[1].text, encoding="utf-8")
                    continue
                port = environment["KAFKA_BROKERS"].rpartition(":")[2]
                command = ["bash", "-c", step.command.replace("40093", port)]
                if step.beside:
                    nowhere = subprocess.DEVNULL
                    beside.append(subprocess.Popen(command, cwd=work, env=environment, stdout=nowhere, stderr=nowhere))
                    continue
                ran = subprocess.run(
                    command, cwd=work, env=environment, check=False, timeout=_SECONDS,
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                )  # fmt: skip
                step.output, step.code = ran.stdout.decode(), ran.returncode
                for of_this_run, in_documents in names.items():
                    step.output = step.output.replace(of_this_run, in_documents)
                assert step.shown is not None or step.code == 0, f"{step.command}\n{step.output}"
                done.append(step)
        finally:
            for process in beside:
                process.terminate()
                process.wait(20)
    return done


def rewritten(text: str, steps: list[Step]) -> str:
    """A document with the outputs of its steps, all of one run; as it is, where only what may differ differs."""
    if all(as_shown(step) for step in steps):
        return text
    lines = text.splitlines()
    for step in sorted(steps, key=lambda step: -step.line):
        if step.shown is not None and not _has_other_containers(step):
            first = step.line + 1 + step.command.count("\n")
            lines[first : first + len(step.shown.splitlines())] = step.output.rstrip("\n").splitlines()
    return "\n".join(lines) + "\n"


def main() -> None:
    """Show, or write; see above."""
    named = [Path(name).resolve() for name in sys.argv[1:] if name != "--write"]
    for path in named or documents():
        text = path.read_text(encoding="utf-8")
        steps = run(text)
        new = rewritten(text, steps)
        for step in steps:
            if step.code:
                sys.stderr.write(f"{path.name}:{step.line + 1}: exit code {step.code}: {step.command}\n")
        if new == text:
            continue
        if "--write" in sys.argv:
            path.write_text(new, encoding="utf-8")
            sys.stderr.write(f"{path.name}: written\n")
        else:
            sys.stdout.writelines(difflib.unified_diff(
                text.splitlines(keepends=True), new.splitlines(keepends=True), path.name, "as it runs"
            ))  # fmt: skip


if __name__ == "__main__":
    main()
