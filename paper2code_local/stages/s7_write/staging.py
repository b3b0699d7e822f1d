"""Files into a folder, all of them or nothing.

In: path → content. Out: the folder, with `.p2c.json` (run, digest of each file) and a git commit. It is put together
beside its place, made durable, and renamed. A folder is replaced only when it is ours and nobody has changed it. Must
not know what the files mean.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from paper2code_local.artifacts.frozen import Frozen
from paper2code_local.durable import writing
from paper2code_local.errors import WriteError
from paper2code_local.stages.s7_write.git import commit_all

MARKER = ".p2c.json"
"""What says that a folder is ours."""
VENV = ".venv"
"""What reproduce.sh makes: not ours to refuse or to lose."""
_MARKER_MAX = 4_000_000
_NAMED = 3
"""So many of the files that are in the way are named."""


class Marker(Frozen):
    """The content of `.p2c.json`."""

    run: str
    """Which run wrote the folder."""
    files: dict[str, str]
    """Path → sha256 of every file but this one."""


def refuse_foreign(out: Path) -> None:
    """Raise what `write_repository` would raise because of what `out` holds: to know it before the work is done."""
    with writing(out):
        _refuse_unless_ours(Path(os.path.realpath(out)))


def write_repository(files: Mapping[str, bytes], out: Path, *, run: str, git: bool) -> str:
    """Write `files` to the folder `out`; a folder that has them already is not touched at all.

    Return a note for the user when there should be a git commit and there is none, else "". Raises WriteError:
    `not_ours` when `out` holds anything that we did not write or that was changed since, `mount_point`, and `failed`
    for what the operating system says. Then `out` is as it was.
    """
    place = Path(os.path.realpath(out))  # a link to a folder stays, what it leads to is replaced
    staging, old = (place.parent / f".p2c-{kind}-{_digest(os.fsencode(place.name))[:12]}" for kind in ("new", "old"))
    marker = Marker(run=run, files={path: _digest(data) for path, data in sorted(files.items())})
    with writing(out), _one_at_a_time(place.parent):
        _put_back(place, old)
        is_there = _holds(place, marker)
        if not is_there:
            _refuse_unless_ours(place)
        _retire(old, place)
        if is_there:
            return ""
        try:
            note = _stage(files, marker, staging, place, git)
            _swap(staging, place, old)
        finally:
            _put_back(place, old)
            _retire(old, place)
            _remove(staging)
        return note


@contextlib.contextmanager
def _one_at_a_time(parent: Path) -> Iterator[None]:
    """Wait for whoever else writes into `parent`, where the file system has locks; make it first."""
    parent.mkdir(parents=True, exist_ok=True)
    held = os.open(parent, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems refuse to lock a folder
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _put_back(place: Path, old: Path) -> None:
    """Undo a swap that was interrupted between its two renames."""
    if not old.is_dir():
        return
    if place.is_dir() and not any(place.iterdir()):
        place.rmdir()
    if not os.path.lexists(place):
        old.rename(place)


def _retire(old: Path, place: Path) -> None:
    """Remove what was replaced, except for the virtual environment of reproduce.sh, which goes to the new folder."""
    if (old / VENV).is_dir() and not os.path.lexists(place / VENV):
        (old / VENV).rename(place / VENV)
    _remove(old)


def _holds(folder: Path, marker: Marker | None) -> bool:
    """Tell whether `folder` has every file of `marker` with its content, and says so itself; more may be there."""
    found = _marker_of(folder)
    if marker is None or found is None or found.files != marker.files:
        return False
    return all(_digest_of(folder / path) == digest for path, digest in marker.files.items())


def _refuse_unless_ours(place: Path) -> None:
    """Raise WriteError when replacing `place` would lose anything that is not ours."""
    if os.path.ismount(place):
        raise WriteError("mount_point", f"{place} is a mount point", f"Choose a folder inside it: -o {place / 'repo'}")
    strangers = _strangers(place) if os.path.lexists(place) else []
    if strangers:
        named = ", ".join(strangers[:_NAMED]) + (f" and {len(strangers) - _NAMED} more" if strangers[_NAMED:] else "")
        hint = "Choose another folder with -o, or move these files away."
        raise WriteError("not_ours", f"{place} holds what we did not write, or what was changed since: {named}", hint)


def _strangers(place: Path) -> list[str]:
    """List the files in `place` that we did not write as they are, and those of ours that are gone."""
    marker = _marker_of(place)
    expected = dict(marker.files) if marker else {}
    folders = {str(parent) for path in expected for parent in PurePosixPath(path).parents}
    found: list[str] = []
    waiting = [place]
    while waiting:
        for entry in sorted(os.scandir(waiting.pop()), key=lambda entry: entry.name):
            path = Path(entry.path).relative_to(place).as_posix()
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_folder and marker and (path in (".git", VENV) or _is_bytecode(Path(entry.path))):
                continue
            if is_folder and path in folders:
                waiting.append(Path(entry.path))
            elif path == MARKER and marker:
                continue
            elif path not in expected or _digest_of(Path(entry.path)) != expected.pop(path):
                found.append(path)
    return found + [f"{path} (deleted)" for path in expected if path not in found]


def _is_bytecode(folder: Path) -> bool:
    return folder.name == "__pycache__" and all(entry.name.endswith(".pyc") for entry in os.scandir(folder))


def _stage(files: Mapping[str, bytes], marker: Marker, staging: Path, place: Path, git: bool) -> str:
    """Put the new folder together in `staging`; the git history of `place` goes on in it."""
    _remove(staging)
    staging.mkdir()
    for path, data in {**files, MARKER: (marker.model_dump_json(indent=1) + "\n").encode()}.items():
        parts = PurePosixPath(path).parts
        if parts[0] == "/" or {"..", ".git"} & set(parts):
            raise ValueError(f"{path!r} is no file of a repository")
        target = staging / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        if target.suffix == ".sh":
            target.chmod(target.stat().st_mode | 0o111)
    if (place / ".git").is_dir():
        shutil.copytree(place / ".git", staging / ".git", symlinks=True)
    reason = commit_all(staging, "Write the repository with paper2code_local") if git else ""
    if place.is_dir():
        shutil.copymode(place, staging)
    _sync(staging)
    return f"the repository was written without a git commit: {reason}" if reason else ""


def _swap(staging: Path, place: Path, old: Path) -> None:
    """Put `staging` at `place`. A crash in between leaves the old folder in `old`: the next run puts it back."""
    if place.is_dir() and any(place.iterdir()):
        place.rename(old)
    staging.rename(place)
    _sync_one(place.parent)


def _marker_of(folder: Path) -> Marker | None:
    path = folder / MARKER
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _MARKER_MAX:
        return None
    try:
        return Marker.model_validate_json(path.read_bytes())
    except ValidationError:
        return None


def _digest_of(path: Path) -> str:
    """Return the sha256 of a regular file; "" for anything else, links too."""
    if path.is_symlink() or not path.is_file():
        return ""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _remove(folder: Path) -> None:
    if folder.is_dir():
        shutil.rmtree(folder)


def _sync(folder: Path) -> None:
    """Make a folder and all that is in it durable."""
    for parent, _, names in os.walk(folder):
        for name in names:
            _sync_one(Path(parent) / name)
        _sync_one(Path(parent))


def _sync_one(path: Path) -> None:
    held = os.open(path, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)
