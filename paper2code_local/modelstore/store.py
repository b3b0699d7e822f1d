"""Where models lie on this machine, and whether what lies there is still what was put there.

In: the environment, a folder. Out: paths, a status, the problems found. Must not know how a model gets there.

    ROOT/ID/                  a model: Hugging Face layout and p2c-model.json
    ROOT/.pulling/ID/         what a pull has so far
    ROOT/.pulling/ID.lock     held while it runs
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from paper2code_local.artifacts.frozen import Frozen
from paper2code_local.modelstore.card import FileName, ModelCard, Sha256

RECORD = "p2c-model.json"
_CHUNK = 1 << 20


class StoredFile(Frozen):
    """One file of a converted model."""

    name: FileName
    size: int = Field(ge=0)
    sha256: Sha256


class Record(Frozen):
    """`p2c-model.json`: which model a folder holds, where it came from, and what was written."""

    schema_version: Literal[1] = 1
    card: str
    gguf_sha256: Sha256
    files: tuple[StoredFile, ...]
    converter: dict[str, str]
    """Package → version of what made the files."""


@dataclass(frozen=True)
class Store:
    """A folder of models."""

    root: Path

    def folder(self, card: ModelCard) -> Path:
        """Return where the model is, or would be."""
        return self.root / card.id

    def work(self, card: ModelCard) -> Path:
        """Return where a pull of the model keeps what it has so far."""
        return self.root / ".pulling" / card.id

    @contextmanager
    def lock(self, card: ModelCard, waiting: Callable[[], None]) -> Iterator[None]:
        """Let one process at a time change this model; call `waiting` once when another one is at it."""
        path = self.work(card).with_name(f"{card.id}.lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(held, fcntl.LOCK_EX)
            yield


@dataclass(frozen=True)
class Status:
    """What the store has of a model."""

    state: Literal["pulled", "partial", "absent"]
    path: Path
    """Where the model is, or would be."""
    bytes_on_disk: int


def default_store(environ: Mapping[str, str]) -> Store:
    """Return the user's store: `P2C_MODELS`, or `paper2code_local/models` in the folder for user data (XDG)."""
    if chosen := environ.get("P2C_MODELS"):
        return Store(Path(chosen).expanduser().absolute())
    data = environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Store(Path(data).expanduser().absolute() / "paper2code_local" / "models")


def status(card: ModelCard, store: Store) -> Status:
    """Say whether the model is there; compares sizes, hashes nothing."""
    folder, work = store.folder(card), store.work(card)
    record = read_record(folder)
    if record and record.gguf_sha256 == card.gguf.sha256 and not missing_or_resized(folder, record):
        return Status("pulled", folder, _size(folder))
    partial = _size(work) + _size(folder)
    return Status("partial" if partial else "absent", folder, partial)


def read_record(folder: Path) -> Record | None:
    """Read `p2c-model.json`; None where there is none that can be read."""
    try:
        return Record.model_validate_json((folder / RECORD).read_bytes())
    except (OSError, ValidationError):
        return None


def missing_or_resized(folder: Path, record: Record) -> tuple[str, ...]:
    """Name the recorded files that are not there or have another size, without reading them."""
    return tuple(
        f"{file.name}: {'changed its size' if (folder / file.name).exists() else 'is missing'}"
        for file in record.files
        if not (folder / file.name).is_file() or (folder / file.name).stat().st_size != file.size
    )


def verify(folder: Path) -> tuple[str, ...]:
    """Hash every file of a pulled model again and name the problems; none means that it is what was written."""
    record = read_record(folder)
    if record is None:
        return (f"{RECORD}: is missing or unreadable, so there is nothing to compare with",)
    gone = missing_or_resized(folder, record)
    flagged = {problem.split(":", 1)[0] for problem in gone}
    changed = (
        f"{f.name}: changed" for f in record.files if f.name not in flagged and digest(folder / f.name) != f.sha256
    )
    known = {file.name for file in record.files} | {RECORD}
    extra = (f"{path.name}: was not there when it was pulled" for path in folder.iterdir() if path.name not in known)
    return tuple(sorted([*gone, *changed, *extra]))


def digest(path: Path, tick: Callable[[int], None] = lambda done: None) -> str:
    """Return the sha256 of a file; `tick` hears how many bytes are done."""
    sha, done = hashlib.sha256(), 0
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            sha.update(chunk)
            tick(done := done + len(chunk))
    return sha.hexdigest()


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
