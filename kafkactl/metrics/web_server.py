"""The exporter's own port: /metrics for Prometheus, /-/healthy for whoever restarts it. TLS and a login if wanted."""

import gzip
import hmac
import socket
import ssl
import threading
import time
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any

from kafkactl.errors import KafkactlError, UsageError
from kafkactl.metrics.exposition import CONTENT_TYPE
from kafkactl.metrics.page import Page

_SECONDS = 10.0  # that a client may take for its request, and for the answer
_AT_ONCE = 16  # clients; more are turned away, so that they cannot fill the memory
_QUICK = 1  # gzip's level: a page shrinks to a twentieth even so
_HEALTH = ("/-/healthy", "/healthz")
_LANDING = b'<!doctype html><title>kafkactl exporter</title><p><a href="metrics">Metrics</a></p>\n'


@dataclass(frozen=True)
class Access:
    """How the port is reached: by TLS where there is a certificate, with a login where there is a user."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None
    user: str = ""
    password: str = ""

    @property
    def url(self) -> str:
        """Where the metrics are."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.certificate else 'http'}://{host}:{self.port}/metrics"


class MetricsServer(ThreadingHTTPServer):
    """Serves a page until it is closed. Raises UsageError for a certificate that cannot be used, and KafkactlError for
    an address that cannot be had."""

    request_queue_size = 64
    daemon_threads = True
    block_on_close = False

    def __init__(self, access: Access, page: Page) -> None:
        self.access, self.page = access, page
        self.address_family = socket.AF_INET6 if ":" in access.host else socket.AF_INET
        self._context = _context(access)
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        try:
            super().__init__((access.host, access.port), _Handler)
        except OSError as error:
            raise KafkactlError(
                f"Cannot listen on {access.host}:{access.port}: {(error.strerror or str(error)).lower()}.",
                hint="Name another port with --port, or another address of this machine with --listen.",
            ) from None

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer's asks for this machine's name, which may take long
        self.server_name, self.server_port = self.access.host, self.access.port

    def start(self) -> None:
        """Serve, in a thread."""
        threading.Thread(target=self.serve_forever, args=(0.1,), name="web", daemon=True).start()

    def close(self) -> None:
        """Serve no more."""
        self.shutdown()
        self.server_close()

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        if self._context is None:
            return connection, address
        # The handshake comes with the first byte that is read, in the client's own thread: nobody else waits for it.
        wrapped = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return wrapped, address

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or does not speak TLS, is not for us to tell."""


def _context(access: Access) -> ssl.SSLContext | None:
    if access.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(access.certificate, access.key)
    except (OSError, ValueError) as error:
        named = f"{access.certificate}{f' and {access.key}' if access.key else ''}"
        raise UsageError(f"No certificate and key can be read from {named}: {error.strerror or error}.") from None  # type: ignore[union-attr]
    return context


class _Handler(BaseHTTPRequestHandler):
    server: MetricsServer
    timeout = _SECONDS
    protocol_version = "HTTP/1.1"

    def version_string(self) -> str:
        return "kafkactl"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path in _HEALTH:
            healthy = self.server.page.healthy(time.monotonic())
            self._answer(200 if healthy else 503, b"ok\n" if healthy else b"the last look does not end\n")
        elif not self._may_read():
            self._answer(401, b"a login is needed\n", **{"WWW-Authenticate": 'Basic realm="metrics"'})
        elif path == "/metrics":
            content = self.server.page.content(time.monotonic())
            if "gzip" in self.headers.get("Accept-Encoding", ""):
                self._answer(200, gzip.compress(content, _QUICK), CONTENT_TYPE, **{"Content-Encoding": "gzip"})
            else:
                self._answer(200, content, CONTENT_TYPE)
        elif path == "/":
            self._answer(200, _LANDING, "text/html; charset=utf-8")
        else:
            self._answer(404, b"not here: /metrics, /-/healthy\n")

    do_HEAD = do_GET

    def _may_read(self) -> bool:
        access = self.server.access
        if not access.user:
            return True
        kind, _, word = self.headers.get("Authorization", "").partition(" ")
        try:
            given = b64decode(word, validate=True) if kind.lower() == "basic" else b""
        except (Base64Error, ValueError):
            return False
        return hmac.compare_digest(given, f"{access.user}:{access.password}".encode())

    def _answer(self, status: int, body: bytes, kind: str = "text/plain; charset=utf-8", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Scrapes are not news."""
