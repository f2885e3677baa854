"""A TCP proxy in front of a broker that counts requests, so that a fault strikes in the middle of a command."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

# Kafka's api keys of the requests with which a client connects: ApiVersions, Metadata, DescribeCluster.
CONNECTING = {18, 3, 60}


class Proxy:
    """Forwards to a broker that advertises this proxy's port. Not before `arm` does anything strike."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._upstream = 0
        self._strike: Callable[[], None] | None = None
        self._sockets: list[socket.socket] = []
        self._open = True
        self._lock = threading.Lock()

    def forward(self, upstream: int) -> None:
        """Start forwarding to this port."""
        self._upstream = upstream
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, strike: Callable[[], None]) -> None:
        """Call `strike` once, when a client that has connected asks for something; that request is still sent."""
        self._strike = strike

    def vanish(self) -> None:
        """Refuse connections and end those there are, as the port of a killed process does."""
        self._open = False
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for end in self._sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while self._open:
            try:
                client, _ = self._server.accept()
                upstream = socket.create_connection(("127.0.0.1", self._upstream))
            except OSError:
                continue
            self._sockets += [client, upstream]
            threading.Thread(target=self._requests, args=(client, upstream), daemon=True).start()
            threading.Thread(target=_pump, args=(upstream, client), daemon=True).start()

    def _requests(self, client: socket.socket, upstream: socket.socket) -> None:
        with contextlib.suppress(OSError, struct.error):
            while header := _exactly(client, 4):
                (length,) = struct.unpack(">i", header)
                body = _exactly(client, length)
                (api_key,) = struct.unpack(">h", body[:2])
                with self._lock:
                    if api_key not in CONNECTING and self._strike:
                        strike, self._strike = self._strike, None
                        strike()
                upstream.sendall(header + body)
        for end in (client, upstream):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def _exactly(source: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length and (part := source.recv(length - len(data))):
        data += part
    return data


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def relay(upstream: int, host: str) -> Iterator[int]:
    """A port on another loopback address that leads to the broker; yields the port."""
    server = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = server.accept()
                behind = socket.create_connection(("127.0.0.1", upstream))
                for ends in ((client, behind), (behind, client)):
                    threading.Thread(target=_pump, args=ends, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield int(server.getsockname()[1])
    finally:
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
