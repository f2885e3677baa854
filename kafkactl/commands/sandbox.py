"""A real Apache Kafka on this machine: up, down, status, logs, run."""

import re
import sys
import time
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kafkactl.errors import ExitCode, KafkactlError, UsageError
from kafkactl.options import Output
from kafkactl.text.words import many, took
from kafkactl.view.client_files import client_file_lines, client_files
from kafkactl.view.formats import Format
from kafkactl.view.output import Column, document, is_terminal, note, say, table

if TYPE_CHECKING:
    from kafkactl.sandbox.detached import Status

_PORT = 40093

BrokerCount = Annotated[
    int | None,
    typer.Option("--nodes", "--brokers", metavar="1|3", help="Number of brokers, each also a controller. Default: 1."),
]
Port = Annotated[
    int,
    typer.Option(
        "--port", metavar="PORT", min=1024, max=65000, help="Port of the first broker; the others use the next ports."
    ),
]
# Where none is given, the default port is meant, and others are spoken of.
AnyPort = Annotated[
    int | None,
    typer.Option("--port", metavar="PORT", min=1024, max=65000, help=f"Port of the first broker. Default: {_PORT}."),
]
KafkaVersion = Annotated[
    str | None,
    typer.Option(
        "--kafka-version", metavar="VERSION", help="Kafka version. Default: the newest one with known checksums."
    ),
]
Unverified = Annotated[bool, typer.Option("--unverified", help="Run a version without known checksums, as published.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Broker setting; {id} in it is the broker's id. Repeatable."),
]
FullJit = Annotated[
    bool, typer.Option("--full-jit", help="Start the JVM as Kafka's own scripts do, for benchmarks; slower to start.")
]
Secure = Annotated[
    str | None,
    typer.Option(
        "--secure",
        metavar="tls|mtls|plain|scram|oauth|all",
        help="Ask clients for TLS, a client certificate, a password or a token; `all`: each on ports of its own.",
    ),
]


def up(
    brokers: BrokerCount = None,
    port: Port = _PORT,
    kafka_version: KafkaVersion = None,
    settings: Settings = None,
    unverified: Unverified = False,
    full_jit: FullJit = False,
    secure: Secure = None,
) -> None:
    """Start a cluster in the background, at the default address of all other commands.

    It listens only on the loopback addresses and reuses data kept by `down --keep-data`. If it is already up, nothing
    changes. A secured one has users, and a file for --client-config for each of them.

    \b
    Examples:
      kafkactl sandbox up
      kafkactl sandbox up --brokers 3 --set log.retention.hours=1
      kafkactl sandbox up --secure scram
    """
    from kafkactl.sandbox import detached

    begin = time.monotonic()
    wish = detached.UpOptions(brokers, kafka_version, _pairs(settings), unverified, full_jit, secure)
    with _Talk() as talk:
        done = detached.up(port, wish, talk)
    record = done.record
    what = f"Kafka {record.version} is {'up' if done.started else 'already up'} at localhost:{port}"
    since = f", {took(time.monotonic() - begin)}" if done.started else ""
    how = f", secured: {record.secure}" if record.secure else ""
    note(f"{what} ({many(len(record.nodes), 'broker')}{since}){how}.")
    if port != _PORT:
        note(f"  export KAFKA_BROKERS={','.join(node.address for node in record.nodes)}")
    for line in client_file_lines(detached.secured_of(record)):
        note(line)


def down(
    port: AnyPort = None,
    keep_data: Annotated[bool, typer.Option("--keep-data", help="Keep topics and records for the next `up`.")] = False,
) -> None:
    """Stop the cluster that `up` started, and remove its data.

    \b
    Examples:
      kafkactl sandbox down
      kafkactl sandbox down --keep-data
    """
    from kafkactl.sandbox import detached

    port = port or _PORT
    done = detached.down(port, keep_data=keep_data)
    data = f" Its data was {done.data}." if done.data else ""
    if not done.brokers:
        note(" ".join([f"No sandbox is up on port {port}.{data}", *_others("sandbox down", port)]))
        return
    how = "Stopped" if done.clean else "Killed (it did not stop within 10 s)"
    note(f"{how} the sandbox on port {port} ({many(done.brokers, 'broker')}).{data}")


def status(port: AnyPort = None, output: Output = Format.TABLE) -> None:
    """Show whether every broker is serving; exit code 1 if not.

    For a broker that is not serving, the last lines of its log are shown.

    \b
    Examples:
      kafkactl sandbox status
      kafkactl sandbox status -o json
    """

    port, found = _status(port)
    if output is Format.JSON:
        document("sandbox", _as_json(port, found))
    elif found is None or found.state == "kept":
        kept = " Its data was kept." if found else ""
        from kafkactl.sandbox.detached import on_port

        start = f"Start it: {on_port('sandbox up', port).text}"
        say(" ".join([f"No sandbox is up on port {port}.{kept} {start}", *_others("sandbox status", port)]))
    else:
        from kafkactl.sandbox.detached import secured_of

        say(f"Kafka {found.record.version} at {found.record.nodes[0].address}: {found.state}")
        table(
            [Column("BROKER", right=True), Column("ADDRESS"), Column("STATE"), Column("PID"), Column("LOG")],
            [[b.node.id, b.node.address, b.state, str(b.pid or "–"), str(b.node.log)] for b in found.brokers],
        )
        for broker in found.brokers:
            for line in broker.last_lines:
                say(f"  broker {broker.node.id}: {line}")
        for line in client_file_lines(secured_of(found.record)):
            say(line)
    if found is None or found.state != "up":
        raise typer.Exit(ExitCode.FOUND)


def _status(port: int | None) -> "tuple[int, Status | None]":
    """The sandbox on a port; where none is given, and none is on the default one, the only other that is up."""
    from kafkactl.sandbox import detached

    found = detached.status(port or _PORT)
    if port is None and found is None:
        others = [other.port for other in detached.elsewhere(_PORT) if other.up]
        if len(others) == 1:
            note(f"No sandbox is up on port {_PORT}; this one is on port {others[0]}.")
            return others[0], detached.status(others[0])
    return port or _PORT, found


def _others(subcommand: str, port: int) -> list[str]:
    """A sentence for each sandbox on another port, with the command that is about it."""
    from kafkactl.sandbox import detached
    from kafkactl.text.remedies import kafkactl

    told = []
    for other in detached.elsewhere(port):
        what = "There is one" if other.up else "The data of one is kept"
        told.append(f"{what} on port {other.port}: {kafkactl(subcommand, options=['--port', str(other.port)]).text}")
    return told


def _as_json(port: int, found: "Status | None") -> dict[str, Any]:
    if found is None:
        return {"port": port, "state": "down", "brokers": []}
    from kafkactl.sandbox.detached import secured_of

    record = found.record
    return {
        "port": port,
        "state": found.state,
        "kafka_version": record.version,
        "cluster_id": record.cluster_id,
        "bootstrap": ",".join(node.address for node in record.nodes),
        "settings": dict(record.settings),
        "secured": record.secure,
        "listeners": client_files(secured_of(record) if found.state != "kept" else None),
        "brokers": [
            {
                "id": b.node.id,
                "address": b.node.address,
                "state": b.state,
                "pid": b.pid,
                "log": str(b.node.log),
                "last_lines": list(b.last_lines),
            }
            for b in found.brokers
        ],
    }


def logs(
    port: AnyPort = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Keep showing new lines until Ctrl-C.")] = False,
    lines: Annotated[
        int, typer.Option("-n", "--lines", "--tail", metavar="N", min=0, help="Last N lines of each broker.")
    ] = 50,
) -> None:
    """Show the brokers' logs.

    \b
    Examples:
      kafkactl sandbox logs
      kafkactl sandbox logs -f
    """
    from kafkactl.sandbox import store
    from kafkactl.sandbox.detached import on_port
    from kafkactl.services import BrokerLogs

    port = port or _PORT
    record = store.load_record(port)
    if record is None:
        raise KafkactlError(
            f"No sandbox is up on port {port}.",
            where=" ".join(_others("sandbox logs", port)),
            hint=on_port("sandbox up", port, note="Start one"),
        )
    several = len(record.nodes) > 1
    kept = BrokerLogs({str(node.id): node for node in record.nodes})
    for batch in chain([kept.so_far(lines, None, None)], kept.follow() if follow else ()):
        for line in batch:
            say(f"{line.service}| {line.text}" if several else line.text)
        sys.stdout.flush()


def run(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND…", help="What to run, with its arguments.")],
    brokers: BrokerCount = None,
    kafka_version: KafkaVersion = None,
    settings: Settings = None,
    unverified: Unverified = False,
    full_jit: FullJit = False,
    secure: Secure = None,
) -> None:
    """Run a command with a temporary cluster.

    The command finds the cluster's address in KAFKA_BROKERS. The cluster and its data are removed when the command or
    kafkactl ends. The exit code is the command's, or 128 + n if signal n ended it. With a secured cluster
    KAFKACTL_SECURE_DIR is the directory of the users' files (of `all`, with one of each kind), and
    KAFKACTL_CLIENT_CONFIG is the file of the user admin.

    \b
    Examples:
      kafkactl sandbox run -- make test
      kafkactl sandbox run --brokers 3 -- sh -c 'kafkactl init-topics && kafkactl test'
      kafkactl sandbox run --secure scram -- pytest
    """
    from kafkactl.sandbox.foreground import check_command, run_command, throwaway
    from kafkactl.sandbox.model import check_size

    check_command(command)
    check_size(brokers or 1)
    with (
        _Talk() as talk,
        throwaway(
            brokers or 1,
            kafka_version,
            _pairs(settings),
            talk,
            secure=secure,
            unverified=unverified,
            full_jit=full_jit,
        ) as sandbox,
    ):
        talk.end()
        variables = {"KAFKA_BROKERS": sandbox.bootstrap}
        if secure:
            variables["KAFKACTL_SECURE_DIR"] = str(sandbox.secured.home)
            variables["KAFKACTL_CLIENT_CONFIG"] = str(sandbox.secured.file())
        code = run_command(command, variables)
    raise typer.Exit(code)


def _pairs(settings: list[str] | None) -> dict[str, str] | None:
    """Broker settings from KEY=VALUE texts. Raises UsageError."""
    if settings is None:
        return None
    for text in settings:
        if not re.fullmatch(r"[\w.\-]+=.*", text, re.DOTALL):
            raise UsageError(f"--set {text}: not KEY=VALUE.", hint="For example: --set log.retention.ms=60000")
    return dict(text.split("=", 1) for text in settings)


class _Talk:
    """Progress on stderr: one line that is overwritten on a terminal; elsewhere each count is printed once."""

    def __init__(self) -> None:
        self._live = is_terminal(sys.stderr)
        self._last = ""

    def __enter__(self) -> "_Talk":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def __call__(self, text: str) -> None:
        if self._live:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
        elif re.sub(r"\d+", "", text) != re.sub(r"\d+", "", self._last):
            note(text)
        self._last = text

    def end(self) -> None:
        """End the line, so that the next output starts on a fresh one."""
        if self._live and self._last:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        self._last = ""
