"""Kafka's protocol as it lies on a connection: a request behind its size and header, and the bytes of an answer."""

import socket
import struct

_CLIENT = b"kafkactl"


class HungUpError(ConnectionResetError):
    """The peer closed the connection in the middle of an answer; `said` is what came before."""

    def __init__(self, said: bytes) -> None:
        super().__init__("the broker hung up")
        self.said = said


def request(api: int, version: int, correlation: int, body: bytes) -> bytes:
    """A request behind its size and the header v1: api key, api version, correlation id, client id."""
    message = struct.pack(">hhih", api, version, correlation, len(_CLIENT)) + _CLIENT + body
    return struct.pack(">i", len(message)) + message


def exactly(channel: socket.socket, size: int) -> bytes:
    """The next `size` bytes. Raises HungUpError where the peer closes before, TimeoutError where it waits."""
    data = bytearray()
    while len(data) < size:
        part = channel.recv(size - len(data))
        if not part:
            raise HungUpError(bytes(data))
        data += part
    return bytes(data)
