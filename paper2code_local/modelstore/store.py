"""Where models lie on this machine, and whether what lies there is still what was put there.

In: the environment, a folder. Out: paths, a status, the problems found. Must not know how a model gets there.

    ROOT/ID/                  a model: Hugging Face layout and p2c-model.json
    ROOT/.pulling/ID/         what a pull or an import has so far
    ROOT/.pulling/ID.lock     held while it runs

P2C_MODELS may name several roots, separated by colons: the first is written, the others are only read.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from paper2code_local.artifacts.frozen import Frozen
from paper2code_local.errors import ModelError
from paper2code_local.modelstore.card import MODEL_ID, FileName, Sha256

RECORD = "p2c-model.json"
_CHUNK = 1 << 20
Waiting = Callable[[], None]
"""Hears that another process is at the same model."""


class StoredFile(Frozen):
    """One file of a model."""

    name: FileName
    size: int = Field(ge=0)
    sha256: Sha256


class Record(Frozen):
    """`p2c-model.json`: which model a folder holds, where it came from, and what was written."""

    schema_version: Literal[1] = 1
    card: str
    """The model's id, of the catalogue or the one that an import gave it."""
    gguf_sha256: Sha256 | None = None
    """Of the GGUF that was converted; None where there was none."""
    imported_from: str = ""
    """What an import read: nobody vouched for its hashes. Empty for a pull, which compared them."""
    files: tuple[StoredFile, ...]
    converter: dict[str, str]
    """Package → version of what made the files."""


@dataclass(frozen=True)
class Store:
    """Folders of models: one that is written, and others that are shared and only read."""

    root: Path
    shared: tuple[Path, ...] = ()

    def folder(self, model_id: str) -> Path:
        """Return where the model is, or would be written."""
        return self.find(model_id) or self.root / model_id

    def find(self, model_id: str) -> Path | None:
        """Return the first folder that holds the model; None when none does."""
        places = (root / model_id for root in (self.root, *self.shared))
        return next((place for place in places if read_record(place)), None)

    def ids(self) -> tuple[str, ...]:
        """Name the models that are here, in any of the folders."""
        found = (path.parent.name for root in (self.root, *self.shared) for path in root.glob(f"*/{RECORD}"))
        return tuple(sorted({name for name in found if is_id(name)}))

    def work(self, model_id: str) -> Path:
        """Return where a pull or an import of the model keeps what it has so far."""
        return self.root / ".pulling" / model_id

    @contextmanager
    def lock(self, model_id: str, waiting: Waiting) -> Iterator[None]:
        """Let one process at a time change this model; call `waiting` once when another one is at it.

        Raises ModelError (`store`) for whatever the file system refuses.
        """
        path = self.work(model_id).with_name(f"{model_id}.lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w") as held:
                try:
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    waiting()
                    fcntl.flock(held, fcntl.LOCK_EX)
                yield
        except OSError as error:
            hint = "check permissions and free space, or name a folder that you may write first in P2C_MODELS"
            raise ModelError("store", f"{self.root} cannot be written: {error}", hint) from error


@dataclass(frozen=True)
class Status:
    """What the store has of a model."""

    state: Literal["pulled", "imported", "partial", "absent"]
    path: Path
    """Where the model is, or would be."""
    bytes_on_disk: int


def default_store(environ: Mapping[str, str]) -> Store:
    """Return the user's store: `P2C_MODELS`, or `paper2code_local/models` in the folder for user data (XDG)."""
    if chosen := [Path(part).expanduser().absolute() for part in environ.get("P2C_MODELS", "").split(":") if part]:
        return Store(chosen[0], tuple(chosen[1:]))
    data = environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Store(Path(data).expanduser().absolute() / "paper2code_local" / "models")


def is_id(name: str) -> bool:
    """Say whether a model may be called so: such a name is never a path."""
    return re.fullmatch(MODEL_ID, name) is not None


def status(model_id: str, store: Store, gguf_sha256: str | None = None) -> Status:
    """Say whether the model is there, made of the GGUF with that digest if one is given; hashes nothing."""
    folder, work = store.folder(model_id), store.work(model_id)
    record = read_record(folder)
    if record and not missing_or_resized(folder, record) and gguf_sha256 in (None, record.gguf_sha256):
        return Status("imported" if record.imported_from else "pulled", folder, size_of(folder))
    partial = size_of(work) + size_of(folder)
    return Status("partial" if partial else "absent", folder, partial)


def read_record(folder: Path) -> Record | None:
    """Read `p2c-model.json`; None where there is none that can be read."""
    try:
        return Record.model_validate_json((folder / RECORD).read_bytes())
    except (OSError, ValidationError):
        return None


def write_record(folder: Path, record: Record) -> None:
    """Write `p2c-model.json` into a folder that nobody sees yet."""
    (folder / RECORD).write_text(record.model_dump_json(indent=2) + "\n", "utf-8")


def stored_files(folder: Path) -> tuple[StoredFile, ...]:
    """Hash the files of a model that was just written, and let everybody read them: a store may be shared."""
    written = sorted(path for path in folder.iterdir() if path.is_file())
    for path in written:
        path.chmod(0o644)
    return tuple(StoredFile(name=path.name, size=path.stat().st_size, sha256=digest(path)) for path in written)


def missing_or_resized(folder: Path, record: Record) -> tuple[str, ...]:
    """Name the recorded files that are not there or have another size, without reading them."""
    return tuple(
        f"{file.name}: {'changed its size' if (folder / file.name).exists() else 'is missing'}"
        for file in record.files
        if not (folder / file.name).is_file() or (folder / file.name).stat().st_size != file.size
    )


def verify(folder: Path) -> tuple[str, ...]:
    """Hash every file of a model again and name the problems; none means that it is what was written."""
    record = read_record(folder)
    if record is None:
        return (f"{RECORD}: is missing or unreadable, so there is nothing to compare with",)
    gone = missing_or_resized(folder, record)
    flagged = {problem.split(":", 1)[0] for problem in gone}
    changed = (
        f"{f.name}: changed" for f in record.files if f.name not in flagged and digest(folder / f.name) != f.sha256
    )
    known = {file.name for file in record.files} | {RECORD}
    extra = (f"{path.name}: was not there when it was written" for path in folder.iterdir() if path.name not in known)
    return tuple(sorted([*gone, *changed, *extra]))


def remove(model_id: str, store: Store, waiting: Waiting) -> int:
    """Delete a model, and what a stopped pull left of it, from the folder that is written; return the bytes freed.

    Raises ModelError: not_here, shared, store. Killed at any point, no half of a model is left where it was.
    """
    folder, work = store.root / model_id, store.work(model_id)
    if not is_id(model_id) or not (folder.exists() or folder.is_symlink() or work.exists()):
        if is_id(model_id) and (found := store.find(model_id)):
            raise ModelError("shared", f"{found} is in a shared folder", "it is removed by whoever keeps that folder")
        hint = "p2c-local models list shows what is here; a folder that was named by its path is not ours to remove"
        raise ModelError("not_here", f"no model called {model_id!r} is in {store.root}", hint)
    with store.lock(model_id, waiting):
        freed = size_of(work) + (0 if folder.is_symlink() else size_of(folder))
        if folder.is_symlink():
            folder.unlink()
        elif folder.exists():
            shutil.rmtree(work / "removed", ignore_errors=True)
            work.mkdir(parents=True, exist_ok=True)
            folder.rename(work / "removed")
        shutil.rmtree(work, ignore_errors=True)
    return freed


def digest(path: Path, tick: Callable[[int], None] = lambda done: None) -> str:
    """Return the sha256 of a file; `tick` hears how many bytes are done."""
    sha, done = hashlib.sha256(), 0
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            sha.update(chunk)
            tick(done := done + len(chunk))
    return sha.hexdigest()


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
