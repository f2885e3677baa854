"""Jars through a proxy with an authority of its own, as companies have: what this machine trusts is trusted."""

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.sandboxes import shell


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def proxy(authority: trustme.CA) -> Iterator[str]:
    """The address of a proxy that answers for every host, with a certificate of its own authority and "not found"."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.1)
    stop = threading.Event()

    def answer(connection: socket.socket) -> None:
        try:
            host = connection.recv(4096).split()[1].rpartition(b":")[0].decode()
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            authority.issue_cert(host).configure_cert(context)
            with context.wrap_socket(connection, server_side=True) as inside:
                inside.recv(4096)
                inside.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        except (OSError, IndexError):  # whoever asked does not trust us
            connection.close()

    def serve() -> None:
        while not stop.is_set():
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            connection.settimeout(10)
            threading.Thread(target=answer, args=(connection,)).start()

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}"
    stop.set()
    thread.join()
    server.close()


@pytest.mark.parametrize("version", [(), ("--kafka-version", "4.0.0", "--unverified")])
@pytest.mark.parametrize("variable", ["", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_proxys_own_authority(
    variable: str,
    version: tuple[str, ...],
    proxy: str,
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(bundle)
    given = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), proxy) | ({variable: str(bundle)} if variable else {})
    with shell(tmp_path, KAFKACTL_CACHE=str(tmp_path / "cache"), **given) as here:
        done = here.run("run", *version, "--", "true")
    assert done.returncode == 3, done.stderr
    if variable:  # it is trusted, and has no jars
        assert "was not found" in done.stderr
        return
    *_, what, where, hint = done.stderr.splitlines()
    assert what.startswith("Cannot fetch ")
    assert where.strip().startswith("What answers is not trusted: ")
    assert "REQUESTS_CA_BUNDLE or SSL_CERT_FILE" in hint
