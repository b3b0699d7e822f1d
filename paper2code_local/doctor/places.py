"""Folders: what each has room for, whether a file written there lasts, who else may change it.

Each is tried as it will be used: a folder is made in it (or in the nearest one above that exists), a file is written,
synced, replaced and locked, the folder is renamed, and all of it is taken away again.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from paper2code_local.doctor.check import Check, Subject, failed, fine, sudo, warned
from paper2code_local.durable import replace_file
from paper2code_local.engine.hardware import available_memory
from paper2code_local.errors import WriteError
from paper2code_local.modelstore.card import choose_default
from paper2code_local.modelstore.digests import cache_folder
from paper2code_local.modelstore.store import default_store
from paper2code_local.stages.s7_write import refuse_foreign

MIB, GIB = 1 << 20, 1 << 30
RUN_NEEDS = 20 * MIB
"""A run of a paper is 1 to 2 MB, its repository less; notes, logs and a git repository come on top."""
SLOW = 0.5
"""Seconds. A run makes a few hundred files durable, one after the other."""
SOCKET_PATH = 107
"""The longest path of a Unix socket in bytes."""
SOCKET_NAME = 37
"""A slash and a UUID: what vLLM calls its sockets in the folder for temporary files."""
SHARED_MEMORY = GIB
"""vLLM's processes, one for each GPU, talk through rings of some hundred MB in /dev/shm."""


@dataclass(frozen=True)
class Tried:
    """What became of a trial."""

    place: Path
    """Where it was made: the folder itself, or the nearest one above that exists."""
    reason: str = ""
    """Why it failed; empty when it did not."""
    seconds: float = 0.0
    """For a file to be written, synced and replaced."""
    free: int = 0
    """Bytes."""

    def told(self) -> str:
        """Return the numbers for a person."""
        return f"{self.free / GIB:.1f} GiB free, a file is safe in {self.seconds * 1000:.0f} ms"


def tried(folder: Path) -> Tried:
    """Try a folder as a run will use it."""
    try:
        place = next(each for each in (folder, *folder.parents) if each.exists())
    except OSError as error:
        return Tried(folder, f"{folder}: {error.strerror or error}")
    if not place.is_dir():
        return Tried(place, f"{place} is not a folder")
    try:
        with tempfile.TemporaryDirectory(prefix=".p2c-doctor-", dir=place) as name:
            return Tried(place, "", _write(Path(name)), shutil.disk_usage(place).free)
    except OSError as error:
        return Tried(place, f"{place}: {error.strerror or error}")


def _write(folder: Path) -> float:
    before, after = folder / "before", folder / "after"
    began = time.monotonic()
    replace_file(before / "file", b"1")
    seconds = time.monotonic() - began
    replace_file(before / "file", b"2")
    with (before / "file").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    before.rename(after)
    return seconds


def store(subject: Subject) -> Iterator[Check]:
    """Check the folder of models: what is not here yet must fit into it, and only its owner may change it."""
    models = default_store(subject.environ)
    root, here = models.root, models.ids()
    trial = tried(root)
    takes = _pull_takes(subject)
    elsewhere = f"export P2C_MODELS={_roomy(subject, takes)}"
    if trial.reason and here:
        kept = shlex.quote(":".join(str(each) for each in (root, *models.shared)))
        found = f"no model can be added ({trial.reason}); those that are here can be used"
        yield warned("store", found, f"{elsewhere}:{kept}")
    elif trial.reason:
        yield failed("store", trial.reason, elsewhere)
    elif trial.free < takes and not here:
        found = f"{root}: {trial.free / GIB:.1f} GiB free, to pull a model takes {takes / GIB:.1f}"
        yield failed("store", found, elsewhere)
    elif root.is_dir() and _open_to_all(root):
        found = f"{root}: every user of this machine may change the models"
        yield warned("store", found, f"chmod o-w {shlex.quote(str(root))}")
    else:
        shared = f"; also read: {', '.join(map(str, models.shared))}" if models.shared else ""
        yield fine("store", f"{root}: {trial.told()}{shared}")


def _pull_takes(subject: Subject) -> int:
    """Return the bytes of disk that a pull of this machine's default takes while it is converted."""
    card = choose_default(available_memory(subject.root))
    return card.gguf.size + max(card.gguf.size, card.converted.bytes)


def output(subject: Subject) -> Iterator[Check]:
    """Check where the repository and the run folder beside it would go."""
    folder = (subject.out or Path("any")).absolute()
    trial = tried(folder.parent)
    roomy = _roomy(subject, RUN_NEEDS)
    elsewhere = f"mkdir -p {roomy} && cd {roomy}" if subject.out is None else f"take another folder: -o {roomy}/repo"
    if trial.reason:
        yield failed("output", trial.reason, elsewhere)
    elif trial.free < RUN_NEEDS:
        found = f"{trial.place}: {trial.free / MIB:.0f} MiB free, a run may take {RUN_NEEDS / MIB:.0f}"
        yield failed("output", found, elsewhere)
    elif subject.out is not None and (refused := _refused(folder)):
        yield failed("output", refused.message, refused.hint)
    elif trial.seconds > SLOW:
        found = f"{trial.place}: a file is safe only after {trial.seconds:.1f} s, and a run writes hundreds"
        yield warned("output", found, elsewhere)
    else:
        yield fine("output", f"{trial.place}: {trial.told()}")


def _refused(out: Path) -> WriteError | None:
    try:
        refuse_foreign(out)
    except WriteError as error:
        return error
    return None


def cache(subject: Subject) -> Iterator[Check]:
    """Check where digests of models are kept, and what is compiled for a GPU or for long runs on the CPU."""
    folder = cache_folder(subject.environ)
    trial = tried(folder)
    roomy = _roomy(subject, GIB)
    if not trial.reason:
        yield fine("cache", f"{folder}: {trial.free / GIB:.1f} GiB free")
    elif subject.nvidia.gpus:
        yield failed("cache", f"no compiled kernel can be kept: {trial.reason}", f"export XDG_CACHE_HOME={roomy}")
    else:
        found = f"no digest can be kept, models of your own are hashed each time: {trial.reason}"
        yield warned("cache", found, f"export XDG_CACHE_HOME={roomy}")


def temporary(subject: Subject) -> Iterator[Check]:
    """Check the folder for temporary files; vLLM's sockets lie there, and their path must not be long."""
    named = next((name for name in ("TMPDIR", "TEMP", "TMP") if subject.environ.get(name)), "")
    wished = Path(subject.environ[named]).absolute() if named else subject.root / "tmp"
    trial = tried(wished)
    sockets = subject.environ.get("VLLM_RPC_BASE_PATH") or str(wished)
    excess = len(os.fsencode(sockets)) + SOCKET_NAME - SOCKET_PATH
    roomy = _roomy(subject, RUN_NEEDS)
    elsewhere = f"mkdir -p {roomy} && export TMPDIR={roomy}"
    if trial.reason or trial.place != wished:
        reason = trial.reason or f"{wished} is not there"
        yield warned("temporary", reason + (f", which {named} names" if named else ""), elsewhere)
    elif excess > 0:
        found = f"{sockets}: too long by {excess} bytes for the sockets of vLLM"
        yield failed("temporary", found, "export VLLM_RPC_BASE_PATH=/tmp")
    elif trial.free < RUN_NEEDS:
        yield warned("temporary", f"{wished}: {trial.free / MIB:.0f} MiB free", elsewhere)
    else:
        yield fine("temporary", f"{wished}: {trial.free / GIB:.1f} GiB free")


def shm(subject: Subject) -> Iterator[Check]:
    """Check /dev/shm, which Python's locks need, and vLLM where it uses several GPUs."""
    folder = subject.root / "dev/shm"
    trial = tried(folder)
    rings = f"an engine on several GPUs may take {SHARED_MEMORY / MIB:.0f} (for a container: --shm-size=2g)"
    if trial.reason or trial.place != folder:
        mount = f"{sudo()}mount -t tmpfs -o size=2G,mode=1777 tmpfs /dev/shm"
        yield warned("shm", f"no shared memory: {trial.reason or 'there is no /dev/shm'}", mount)
    elif len(subject.nvidia.gpus) > 1 and trial.free < SHARED_MEMORY:
        found = f"{folder}: {trial.free / MIB:.0f} MiB free, {rings}"
        yield warned("shm", found, f"{sudo()}mount -o remount,size=2G /dev/shm")
    else:
        yield fine("shm", f"{folder}: {trial.free / GIB:.1f} GiB free")


def umask(subject: Subject) -> Iterator[Check]:
    """Check what others may do with what is written."""
    said = [line.split()[1] for line in subject.text("proc/self/status").splitlines() if line.startswith("Umask:")]
    if not said:
        return
    mask = int(said[0], 8)
    if mask & 0o700:
        yield failed("umask", f"{mask:04o}: what is written cannot be read again", "umask 022")
    elif not mask & 0o002:
        yield warned("umask", f"{mask:04o}: every user of this machine may change what is written", "umask 022")
    else:
        yield fine("umask", f"{mask:04o}")


def _open_to_all(folder: Path) -> bool:
    mode = folder.stat().st_mode
    return bool(mode & stat.S_IWOTH) and not mode & stat.S_ISVTX


def _roomy(subject: Subject, need: int) -> str:
    """Name a folder of the user's that can be written and has room, or the place of one."""
    home = subject.environ.get("HOME", "")
    for place in (Path(home) if home else None, Path.cwd(), Path("/var/tmp"), Path("/tmp")):
        if place and place.is_dir():
            trial = tried(place)
            if not trial.reason and trial.free >= need:
                return shlex.quote(str(place / "p2c"))
    return f"/a/folder/with/{need / GIB:.1f}/GiB"
