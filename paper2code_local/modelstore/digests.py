"""sha256 of large files, computed once: kept by path, size, time of change and inode in the user's cache folder.

In: files. Out: their digests. Must not know what the files are. One small file for each digest, named after what it was
computed for: nothing to lock, nothing to merge, and whatever is not 64 hexadecimal digits is computed again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from paper2code_local.durable import replace_file
from paper2code_local.errors import WriteError
from paper2code_local.modelstore.store import digest

WORTH_KEEPING = 4 << 20
"""Bytes; a smaller file is hashed in less time than a look at the cache saves."""
_SETTLED = 2.0
"""Seconds after which a change of a file changes its time, on every file system."""


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return where digests are kept: `paper2code_local/digests` in the folder for user caches (XDG)."""
    cache = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser().absolute() / "paper2code_local" / "digests"


def file_sha256(file: Path, cache: Path, tick: Callable[[int], None] = lambda done: None) -> str:
    """Return the sha256 of `file`, from the cache where it is still known; `tick` hears how many bytes are read.

    What the cache holds is used only where the cache is the user's own and nobody else can write to it. A file that
    changes while it is read, or changed just before, is not kept. Raises OSError when the file cannot be read.
    """
    before = _key(file)
    size = file.stat().st_size
    if size < WORTH_KEEPING:
        return digest(file)
    if known := _known(cache, before):
        return known
    sha256 = digest(file, tick)
    if _key(file) == before and time.time() - file.stat().st_mtime > _SETTLED:
        _keep(cache, before, sha256)
    return sha256


def unknown_bytes(files: tuple[Path, ...], cache: Path) -> int:
    """Return how many bytes would have to be read for the digests of `files`, small ones aside."""
    sizes = ((file, file.stat().st_size) for file in files)
    return sum(size for file, size in sizes if size >= WORTH_KEEPING and not _known(cache, _key(file)))


def _key(file: Path) -> str:
    stat = file.stat()
    what = [str(file.resolve()), stat.st_size, stat.st_mtime_ns, stat.st_ino, stat.st_dev]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()


def _known(cache: Path, key: str) -> str | None:
    with suppress(OSError, UnicodeDecodeError):
        if _is_ours(cache):
            with (cache / key).open("rb") as kept:
                text = kept.read(65).decode("ascii")
            if re.fullmatch(r"[0-9a-f]{64}", text):
                return text
    return None


def _keep(cache: Path, key: str, sha256: str) -> None:
    """Keep a digest; where nothing can be kept it is computed again next time."""
    with suppress(OSError, WriteError):
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _is_ours(cache):
            replace_file(cache / key, sha256.encode("ascii"))


def _is_ours(cache: Path) -> bool:
    stat = cache.stat()
    return stat.st_uid == os.geteuid() and not stat.st_mode & 0o022
