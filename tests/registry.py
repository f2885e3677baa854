"""A stand-in for a schema registry: it speaks the part of the protocol that reading takes, over HTTP on loopback."""

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

Answer = dict[str, Any]


@dataclass
class StandInRegistry:
    """Schemas by what is asked for: `schemas/ids/7`, `schemas/guids/…`, `subjects/x/versions/1`."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    login: str = ""
    asked: list[str] = field(default_factory=list)

    def avro(self, id: int, schema: object, references: list[Answer] | None = None) -> None:
        self.answers[f"schemas/ids/{id}"] = {"schema": json.dumps(schema), "references": references or []}

    def subject(self, name: str, schema: str, kind: str, references: list[Answer] | None = None) -> None:
        told = {"subject": name, "version": 1, "id": 1000, "schema": schema, "schemaType": kind}
        self.answers[f"subjects/{name}/versions/1"] = {**told, "references": references or []}

    def protobuf(self, id: int, file: bytes, references: list[Answer] | None = None) -> None:
        """A file's descriptor, which is given only to who asks for it serialized, as the real one does."""
        told = {"schema": b64encode(file).decode(), "schemaType": "PROTOBUF", "references": references or []}
        self.answers[f"schemas/ids/{id}?serialized"] = told
        self.answers[f"schemas/ids/{id}"] = {**told, "schema": 'syntax = "proto3";'}


@contextmanager
def schema_registry() -> Iterator[StandInRegistry]:
    """A registry that is there until the end of the block."""
    there = StandInRegistry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            path = parts.path.strip("/")
            there.asked.append(path)
            wanted = f"Basic {b64encode(there.login.encode()).decode()}"
            if there.login and self.headers.get("Authorization") != wanted:
                self._answer(401, {"error_code": 401, "message": "Unauthorized"})
                return
            found = there.answers.get(f"{path}?serialized") if "format=serialized" in parts.query else None
            found = found or there.answers.get(path)
            if found is None:
                self._answer(404, {"error_code": 40403, "message": "Schema not found"})
            else:
                self._answer(200, found)

        def _answer(self, status: int, told: Answer) -> None:
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    there.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield there
    finally:
        server.shutdown()
        server.server_close()
