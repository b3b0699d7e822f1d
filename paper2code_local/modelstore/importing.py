"""Take a model of the user's into the store: check it, copy or convert it, record what came, and only then show it.

In: a folder in Hugging Face layout, or a GGUF. Out: the model's folder, whole or not at all. Must not know how progress
is drawn. Files are copied, never linked: what is in the store must not change with what it was made of.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import struct
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from paper2code_local.errors import ModelError
from paper2code_local.modelstore.card import GIB, FileName, GgufCard, find_card
from paper2code_local.modelstore.convert import convert as convert_in_subprocess
from paper2code_local.modelstore.folder import check_folder, open_folder
from paper2code_local.modelstore.pull import Convert, Listener, PullProgress
from paper2code_local.modelstore.store import (
    RECORD,
    Record,
    Store,
    StoredFile,
    digest,
    is_id,
    stored_files,
    write_record,
)

_KEPT = frozenset({".jinja", ".json", ".model", ".tiktoken", ".txt"})
"""Beside the weights; documentation and formats of other programs stay where they are."""
_CHUNK = 1 << 22
_LONGEST_HEADER = 100_000_000
"""Bytes of a safetensors header; the format's own limit."""
_NAME: TypeAdapter[str] = TypeAdapter(FileName)


def import_model(
    source: Path, model_id: str | None, store: Store, progress: Listener, *, convert: Convert = convert_in_subprocess
) -> Path:
    """Return the folder of the model that `source` becomes, called `model_id` or else after `source`.

    Killed at any point, nothing is left where models are, and the next import begins anew. Raises ModelError: id,
    exists, hashed, unreachable, several, cut, no_space, store, convert, and those of `open_folder`.
    """
    source = source.expanduser().absolute()
    gguf = _gguf(source)
    name = model_id or re.sub(r"[^a-z0-9.]+", "-", (gguf or source).name.lower().removesuffix(".gguf")).strip("-.")
    _refuse_name(name, source, store)
    with store.lock(name, lambda: progress(PullProgress("waiting"))):
        _refuse_name(name, source, store)
        work = store.work(name)
        shutil.rmtree(work, ignore_errors=True)
        made = work / "made" / name
        made.parent.mkdir(parents=True)
        record = _converted(gguf, made, name, progress, convert) if gguf else _copied(source, made, name, progress)
        open_folder(made, find_card(name))
        write_record(made, record)
        shutil.rmtree(store.root / name, ignore_errors=True)  # a pull's damaged leftovers, without a record
        made.rename(store.root / name)
        shutil.rmtree(work, ignore_errors=True)
    progress(PullProgress("done"))
    return store.root / name


def _gguf(source: Path) -> Path | None:
    """Return the GGUF that is meant; None for a folder in Hugging Face layout."""
    if source.is_file():
        return source
    if not source.is_dir():
        raise ModelError("unreachable", f"{source} does not exist", "name a folder, or a GGUF file")
    found = sorted(source.glob("*.gguf"))
    if (source / "config.json").exists() or not found:
        return None
    if len(found) > 1:
        names = ", ".join(file.name for file in found[:3])
        raise ModelError("several", f"{source} holds several GGUF files: {names}", "name one of them; parts cannot be")
    return found[0]


def _refuse_name(name: str, source: Path, store: Store) -> None:
    if not is_id(name):
        hint = "give it one with --as: small letters, digits, dots and hyphens"
        raise ModelError("id", f"{name!r} cannot be the name of a model", hint)
    if isinstance(find_card(name), GgufCard):
        hint = f"p2c-local models pull {name} --from {source}; or import it under another name with --as"
        raise ModelError("hashed", f"the catalogue knows the sha256 of {name}, which an import does not compare", hint)
    if found := store.find(name):
        hint = f"remove it first: p2c-local models rm {name}; or give this one another name with --as"
        raise ModelError("exists", f"{found} exists already", hint)


def _converted(gguf: Path, made: Path, name: str, progress: Listener, convert: Convert) -> Record:
    progress(PullProgress("check"))
    sha256 = digest(gguf, lambda done: progress(PullProgress("check", done, gguf.stat().st_size)))
    progress(PullProgress("convert"))
    alone = made.parent / "gguf" / gguf.name  # the converter must not see what else lies beside it
    alone.parent.mkdir()
    alone.symlink_to(gguf)
    versions = convert(alone, made)
    files = stored_files(made)
    return Record(card=name, gguf_sha256=sha256, imported_from=str(gguf), files=files, converter=versions)


def _copied(source: Path, made: Path, name: str, progress: Listener) -> Record:
    weights = check_folder(source)
    for file in weights:
        _refuse_cut(file)
    beside = (file for file in sorted(source.iterdir()) if file.suffix in _KEPT and file.name != RECORD)
    files = tuple(dict.fromkeys([*weights, *(file for file in beside if file.is_file() and _named(file))]))
    if odd := [file.name for file in weights if not _named(file)]:
        raise ModelError("unreadable", f"{source} holds weights named {odd[0]!r}", "rename them: letters, digits, ._-")
    total = sum(file.stat().st_size for file in files)
    made.mkdir()
    free = shutil.disk_usage(made).free
    if free < total:
        message = f"{source} takes {total / GIB:.1f} GiB, and {made.parents[3]} has {free / GIB:.1f} free"
        raise ModelError("no_space", message, "free some, name another folder in P2C_MODELS, or use it where it is")
    stored: list[StoredFile] = []
    for file in files:
        done = sum(each.size for each in stored)
        stored.append(_copy(file, made / file.name, done, total, progress))
    return Record(card=name, imported_from=str(source), files=tuple(stored), converter={})


def _copy(file: Path, target: Path, before: int, total: int, progress: Listener) -> StoredFile:
    """Copy a file and hash what is written, in one pass; its bytes are durable before the model is shown."""
    sha, size = hashlib.sha256(), 0
    with file.open("rb") as read, target.open("xb") as written:
        while chunk := read.read(_CHUNK):
            sha.update(chunk)
            written.write(chunk)
            size += len(chunk)
            progress(PullProgress("copy", before + size, total))
        written.flush()
        os.fsync(written.fileno())
    target.chmod(0o644)
    return StoredFile(name=file.name, size=size, sha256=sha.hexdigest())


def _named(file: Path) -> bool:
    try:
        _NAME.validate_python(file.name)
    except ValidationError:
        return False
    return True


def _refuse_cut(file: Path) -> None:
    """Refuse safetensors that are shorter or longer than their header says, as a broken download leaves them.

    The format: 8 bytes with the header's length, the header in JSON with each tensor's `data_offsets`, the tensors.
    """
    with file.open("rb") as opened:
        first = opened.read(8)
        length = struct.unpack("<Q", first)[0] if len(first) == 8 else 0
        header = opened.read(length) if 0 < length <= _LONGEST_HEADER else b""
    ends = [int(end) for end in re.findall(rb'"data_offsets"\s*:\s*\[\s*\d{1,18}\s*,\s*(\d{1,18})\s*\]', header)]
    if len(header) != length or not length or file.stat().st_size != 8 + length + max(ends, default=0):
        raise ModelError("cut", f"{file} is not a whole safetensors file", "fetch it again")
