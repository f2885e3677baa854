"""kafkactl exporter: the cluster's metrics for Prometheus, for as long as it runs."""

import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kafkactl import options, process
from kafkactl.errors import Terminated, UsageError
from kafkactl.settings import Target
from kafkactl.view import output

if TYPE_CHECKING:
    from kafkactl.metrics.web_server import Access

_PASSWORD = "KAFKACTL_EXPORTER_PASSWORD"
_GRACE = 0.5  # seconds that a look has to end


@options.on_cluster(first_aid=True)
def exporter(
    target: Target,
    port: Annotated[int, typer.Option("--port", metavar="PORT", min=1, max=65535, help="Port to serve.")] = 40308,
    listen: Annotated[
        str,
        typer.Option("--listen", metavar="HOST", help="Address to serve on; 0.0.0.0 in a container."),
    ] = "127.0.0.1",
    every: Annotated[
        float,
        typer.Option(
            "--every",
            metavar="TIME",
            parser=options.positive_duration,
            help="Time between two looks at brokers, topics, groups and dead letters. Default: 15s.",
            show_default=False,
        ),
    ] = 15.0,
    check_every: Annotated[
        float,
        typer.Option(
            "--check-every",
            metavar="TIME",
            parser=options.positive_duration,
            help="Time between two looks at the doctor's checks, disks and certificates. Default: 1m.",
            show_default=False,
        ),
    ] = 60.0,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="FILE", help="Serve HTTPS with this certificate (PEM).")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", metavar="FILE", help="Its key, where it is in a file of its own.")
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", metavar="NAME", help="Ask for this user's name and password.")
    ] = None,
    password_file: Annotated[
        Path | None,
        typer.Option("--password-file", metavar="FILE", help=f"The password is in FILE. Default: {_PASSWORD}."),
    ] = None,
) -> None:
    """Serve the cluster's metrics for Prometheus: brokers, topics, groups, dead letters and the doctor's findings.

    Names and labels are those of kafka_exporter, with kafkactl_* beside them. Kafka is looked at every --every, however
    often the page is read. What is not known has no series, and kafkactl_unknown counts it. /-/healthy says whether
    the exporter itself works.

    \b
    Examples:
      kafkactl exporter
      kafkactl exporter --env production --every 30s
      kafkactl exporter --listen 0.0.0.0 --tls-cert cert.pem --tls-key key.pem --user prometheus --password-file pw
    """
    from kafkactl.metrics.exposition import require_library
    from kafkactl.metrics.web_server import Access

    require_library()
    password = _password(user, password_file)
    if tls_key is not None and tls_cert is None:
        raise UsageError("--tls-key is the key of a certificate.", hint="Name that with --tls-cert.")
    _serve(target, Access(listen, port, tls_cert, tls_key, user or "", password), every, check_every)


def _password(user: str | None, file: Path | None) -> str:
    """The password that clients have to give; "" where there is no user. Raises UsageError for half a login."""
    if user is None:
        if file is not None:
            raise UsageError("--password-file is the password of a user.", hint="Name that with --user.")
        return ""
    given = options.contents(file).decode("utf-8", "replace").rstrip("\r\n") if file else os.environ.get(_PASSWORD, "")
    if not given:
        raise UsageError(
            f"The password of {user} is not given." if file is None else f"{file} is empty.",
            hint=f"Put it into a file for --password-file, or into {_PASSWORD}.",
        )
    if ":" in user:
        raise UsageError("A user's name cannot hold a colon: it separates name and password.")
    return given


def _serve(target: Target, access: "Access", every: float, check_every: float) -> None:
    """Look and serve until a signal ends it."""
    from kafkactl.cluster.client import unconnected
    from kafkactl.metrics.looking import Looker
    from kafkactl.metrics.page import Page
    from kafkactl.metrics.rounds import Rounds
    from kafkactl.metrics.web_server import MetricsServer

    process.share_heaps()
    unconnected(target.connection)  # what is wrong with the configuration is said now
    _ = target.catalog
    page = Page(every)
    server = MetricsServer(access, page)
    rounds = Rounds(Looker(target), page, every, check_every, output.note)
    output.note(f"Metrics of {target.connection.label}: {access.url}  every {every:g} s, Ctrl-C to stop")
    server.start()
    rounds.start()
    try:
        threading.Event().wait()
    except (KeyboardInterrupt, Terminated):
        server.close()
        if not rounds.stop(_GRACE):
            # A look may wait for a broker for seconds, and Python would wait for its threads.
            sys.stderr.flush()
            os._exit(process.code_of_signal() or 0)
        raise
