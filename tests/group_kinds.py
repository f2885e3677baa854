"""Groups of the kinds that kafkactl cannot read, made on a real broker: share, streams, and a Connect worker's."""

import socket
import struct
import uuid


def share_group(brokers: str, group: str, topic: str) -> None:
    """A share group in which a consumer was."""
    from confluent_kafka import ShareConsumer

    consumer = ShareConsumer({"bootstrap.servers": brokers, "group.id": group, "log_level": 0})
    consumer.subscribe([topic])
    consumer.poll(0.2)
    consumer.close()


def streams_group(brokers: str, group: str, topic: str) -> None:
    """A streams group (KIP-1071) with one member, whose topology reads a topic."""
    with _connected(brokers) as connection:
        subtopology = _text("0") + _array(_text(topic)) + b"\x01" * 5 + b"\x00"
        topology = b"\x01" + struct.pack(">i", 0) + _array(subtopology) + b"\x00"
        body = _text(group) + _text(str(uuid.uuid4())) + struct.pack(">ii", 0, 0) + b"\x00\x00"
        body += struct.pack(">i", 60_000) + topology + b"\x01\x01\x01" + _text("process") + b"\xff" + b"\x01"
        body += b"\x00\x00" + b"\x00" + b"\x00"  # no offsets of tasks; not shutting down; no tagged fields
        answer = _ask(connection, 88, 0, b"\x00" + body)
        (error,) = struct.unpack_from(">h", answer, 5)
        assert error == 0, (error, answer)


def connect_group(brokers: str, group: str) -> None:
    """A group whose only member is a worker of Kafka Connect."""
    with _connected(brokers) as connection:
        body = _old(group) + struct.pack(">ii", 60_000, 60_000) + _old("") + _old("connect")
        answer = _ask(connection, 11, 2, body + struct.pack(">i", 1) + _old("sessioned") + struct.pack(">i", 0))
        (error,) = struct.unpack_from(">h", answer, 4)
        assert error == 0, (error, answer)


def _connected(brokers: str) -> socket.socket:
    host, _, port = brokers.split(",", maxsplit=1)[0].rpartition(":")
    return socket.create_connection((host, int(port)), timeout=20)


def _ask(connection: socket.socket, request: int, version: int, rest: bytes) -> bytes:
    message = struct.pack(">hhi", request, version, 1) + _old("test") + rest
    connection.sendall(struct.pack(">i", len(message)) + message)
    (size,) = struct.unpack(">i", _exactly(connection, 4))
    return _exactly(connection, size)[4:]


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += connection.recv(size - len(data)) or _gone()
    return data


def _gone() -> bytes:
    raise ConnectionError("the broker hung up")


def _text(text: str) -> bytes:
    return bytes([len(text) + 1]) + text.encode()


def _old(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


def _array(entry: bytes) -> bytes:
    return b"\x02" + entry
