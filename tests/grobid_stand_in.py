"""A stand-in for a GROBID server: its REST contract on a loopback port, a TEI of your choice, and faults on demand.

In: the TEI to serve and, in order, how the next documents are answered. Out: a real HTTP server in a thread, and what
it was sent. It parses no PDF.

    with StandIn(tei, faults=[busy, busy]) as grobid:      # 503, 503, then the TEI
        ... grobid.url, grobid.received[-1].fields ...
"""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

TEI = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<TEI xml:space="preserve" xmlns="http://www.tei-c.org/ns/1.0"><teiHeader><fileDesc><titleStmt>'
    b'<title level="a" type="main">Small steps, na\xc3\xafvely</title></titleStmt></fileDesc><encodingDesc><appInfo>'
    b'<application version="0.9.1" ident="GROBID"><label type="parameters">startPage=-1, endPage=-1, '
    b"consolidateCitations=0, consolidateHeader=0, consolidateFunders=0, flavor=null</label></application></appInfo>"
    b"</encodingDesc></teiHeader>"
    b"<text><body><div><head>Introduction</head><p>We step.</p></div></body></text></TEI>\n"
)


READY = json.dumps({"initialized": True, "ready": True, "pool": {"active": 0, "maxActive": 10}}).encode()
"""What `/api/health` says since GROBID 0.9; b"" is what it says before, with status 200 all the same."""
STARTING = json.dumps({"initialized": False, "ready": False}).encode()
BROKEN = json.dumps({"ready": False, "initializationError": "Models failed to load: header"}).encode()


@dataclass(frozen=True)
class Received:
    """One document as it arrived."""

    fields: dict[str, str]
    filename: str
    pdf: bytes
    headers: dict[str, str]


Fault = Callable[["_Handler"], None]
"""How one document is answered instead of with its TEI."""


def busy(handler: _Handler) -> None:
    """All engines of the pool are taken."""
    handler.answer(503, b"", "text/plain")


def no_content(handler: _Handler) -> None:
    """Nothing could be structured."""
    handler.answer(204, b"", "application/xml")


def html(handler: _Handler) -> None:
    """A proxy or a login page stands in front, and says that all is well."""
    handler.answer(200, b"\n<!DOCTYPE html><html><body>Please log in</body></html>", "text/html")


def wrong_root(handler: _Handler) -> None:
    """Well-formed XML of another kind."""
    handler.answer(200, b'<?xml version="1.0"?><article xmlns="http://www.tei-c.org/ns/1.0"/>', "application/xml")


def not_xml(handler: _Handler) -> None:
    """Status 200 and plain text."""
    handler.answer(200, b"it works", "text/plain")


def hang(handler: _Handler) -> None:
    """Say nothing until the server is closed."""
    handler.stand_in.closing.wait()


def dribble(handler: _Handler) -> None:
    """Send one byte every 0.1 s, so that no single read ever times out."""
    handler.start(200, 10**6, "application/xml")
    while not handler.stand_in.closing.wait(0.1):
        handler.wfile.write(b" ")


def reset(handler: _Handler) -> None:
    """Break the connection before answering, as a killed server does."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(handler.connection.detach())


def cut(handler: _Handler) -> None:
    """Announce the whole TEI and send half of it."""
    handler.start(200, len(handler.stand_in.tei), "application/xml")
    handler.wfile.write(handler.stand_in.tei[: len(handler.stand_in.tei) // 2])


def cut_unannounced(handler: _Handler) -> None:
    """Send half of the TEI as if it were all."""
    handler.answer(200, handler.stand_in.tei[: len(handler.stand_in.tei) // 2], "application/xml")


def restart(seconds: float) -> Fault:
    """Return the fault of a server that is killed while it reads, and answers nothing for some seconds."""

    def fault(handler: _Handler) -> None:
        handler.stand_in.down_until = time.monotonic() + seconds
        reset(handler)

    return fault


def failed(code: str, reason: str = "said the parser", number: int = 500) -> Fault:
    """Return the fault of a document that GROBID gives up on: `[CODE] reason`, and 500 in all but some versions."""
    return lambda handler: handler.answer(number, f"[{code}] {reason}".encode(), "application/xml")


def status(number: int) -> Fault:
    """Return the fault that answers with an empty body and this HTTP status."""
    return lambda handler: handler.answer(number, b"", "text/plain")


def redirect(to: str) -> Fault:
    """Return the fault that sends the client elsewhere, method and body included."""

    def fault(handler: _Handler) -> None:
        handler.send_response(307)
        handler.send_header("Location", to)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return fault


class StandIn:
    """A GROBID server on 127.0.0.1 that serves `tei`, once the `faults` are used up (they may be endless)."""

    def __init__(
        self,
        tei: bytes = TEI,
        *,
        faults: Iterable[Fault] = (),
        ping: Fault | None = None,
        health: Iterable[bytes] = (),
        version: bytes = json.dumps({"version": "0.9.1", "revision": "0.9.1-0-g0000000"}).encode(),
    ) -> None:
        self.tei, self.ping, self.version = tei, ping, version
        self.received: list[Received] = []
        self.connections = 0
        self.down_until = 0.0
        self._health = iter(health)
        self.closing = threading.Event()
        self._faults = iter(faults)
        self._lock = threading.Lock()

        class Handler(_Handler):
            stand_in = self

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))
        self.port: int = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def next_fault(self) -> Fault | None:
        """Return how the document at hand is answered, None for with its TEI."""
        with self._lock:
            return next(self._faults, None)

    def next_health(self) -> bytes:
        """Return what `/api/health` says now: ready, once what was given is used up."""
        with self._lock:
            return next(self._health, READY)

    def __enter__(self) -> StandIn:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    stand_in: StandIn

    def setup(self) -> None:
        super().setup()
        self.stand_in.connections += 1

    def do_GET(self) -> None:
        if time.monotonic() < self.stand_in.down_until:
            reset(self)
        elif self.stand_in.ping is not None:
            self.stand_in.ping(self)
        elif self.path == "/api/isalive":
            self.answer(200, b"true", "text/plain")
        elif self.path == "/api/version":
            self.answer(200, self.stand_in.version, "application/json")
        elif self.path == "/api/health":
            health = self.stand_in.next_health()
            self.answer(503 if b'"ready": false' in health else 200, health, "application/json")
        else:
            self.answer(404, b"", "text/plain")

    def do_POST(self) -> None:
        if self.path != "/api/processFulltextDocument":
            self.answer(404, b"", "text/plain")
            return
        received = self.document()
        if received is None:
            self.answer(400, b"", "text/plain")
            return
        self.stand_in.received.append(received)
        fault = self.stand_in.next_fault()
        if fault is None:
            self.answer(200, self.stand_in.tei, "application/xml")
        else:
            fault(self)

    def document(self) -> Received | None:
        """Return the form that was sent, None when it has no `input`."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        form = BytesParser(policy=default).parsebytes(head + body)
        fields: dict[str, str] = {}
        pdf: tuple[str, bytes] | None = None
        for part in form.iter_parts():
            name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
            assert isinstance(content, bytes)
            if name == "input":
                pdf = part.get_filename() or "", content
            else:
                fields[str(name)] = content.decode()
        return Received(fields, *pdf, dict(self.headers)) if pdf else None

    def start(self, number: int, length: int, kind: str) -> None:
        """Send status and headers."""
        self.send_response(number)
        self.send_header("Content-Type", kind)
        if number != 204:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def answer(self, number: int, body: bytes, kind: str) -> None:
        """Send a whole answer."""
        self.start(number, len(body), kind)
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test output clean."""
