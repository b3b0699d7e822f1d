"""One run's folder. Two rules: a question already asked is not asked again; a file that you edited is yours.

    run.json       paper, model, context, seed, versions: what the run is about
    1-paper.json  2-plan.json  3-specs/  4-repo/  5-findings.json    what we made; edit any of 1 to 4 and run again
    calls/         what the world said: one file per completion, and GROBID's TEI
    written.sha256 the digest of everything that we ever wrote here, appended before each rename
    events.jsonl  summary.md  engine.log

In: artifacts and completions. Out: the same, durable. Must not know stages or engines.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from paper2code_local.durable import replace_file, writing
from paper2code_local.engine.protocol import Completion, Request
from paper2code_local.errors import InputError, P2CError, UsageError

M = TypeVar("M", bound=BaseModel)
HALF = ".*.[0-9]*.tmp"
"""What `replace_file` calls a file that is not yet whole."""


class RunDir:
    """The folder of one run; at most one process writes to it, see `locked`."""

    def __init__(self, root: Path) -> None:
        """Open or create the folder. Raises WriteError when it cannot be written."""
        self.root = root
        self._made = [folder for folder in (root, *root.parents) if not folder.exists()]
        with writing(root):
            (root / "calls").mkdir(parents=True, exist_ok=True)
            self._ledger = root / "written.sha256"
            self._ours = set(_lines(self._ledger))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process. Raises UsageError (`locked`) when another one has it.

        A run that fails before there is anything to go on from leaves nothing behind.
        """
        with writing(self.root):
            lock = (self.root / ".lock").open("w")
        with lock as held:  # what goes wrong while the lock is held is not about this folder
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                hint = "Wait for it, or give this run another folder with --run."
                raise UsageError("locked", f"another process is using {self.root}", hint) from error
            self._sweep()
            try:
                yield
            except P2CError:
                self._forget()
                raise

    def _sweep(self) -> None:
        """Remove what a killed run had half written; nobody else writes here while we hold the lock."""
        kept = (self.root / name for name in ("calls", "3-specs", "4-repo"))
        with writing(self.root):
            for left in (*self.root.glob(HALF), *(path for folder in kept for path in folder.rglob(HALF))):
                left.unlink(missing_ok=True)

    def _forget(self) -> None:
        """Take away what we wrote for a run that failed before there was anything to go on from."""
        if (self.root / "run.json").exists() or any((self.root / "calls").iterdir()) or self.edited("1-paper.json"):
            return
        for name in ("1-paper.json", "events.jsonl", "written.sha256", ".lock"):
            (self.root / name).unlink(missing_ok=True)
        with suppress(OSError):  # the user may have put something there
            for folder in (self.root / "calls", *self._made):
                folder.rmdir()

    # -- rule 1 ---------------------------------------------------------------------------------------------------

    def recall(self, request: Request, identity: str) -> Completion | None:
        """Return the completion that was recorded for this question, if there is a whole one."""
        path = self._call(request.label, identity)
        try:
            kept = json.loads(path.read_bytes())
            return Completion.model_validate(kept["completion"]) if kept["identity"] == identity else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def remember(self, request: Request, identity: str, completion: Completion) -> None:
        """Record a completion durably, under its label and the question's identity."""
        kept = {"identity": identity, "label": request.label, "completion": completion.model_dump(mode="json")}
        kept["request"] = request.model_dump(mode="json")
        self._replace(self._call(request.label, identity), _pretty(kept))

    def answers(self) -> int:
        """Return how many completions are recorded."""
        return sum(1 for _ in (self.root / "calls").glob("*.json"))

    def _call(self, label: str, identity: str) -> Path:
        name = re.sub(r"[^A-Za-z0-9._~+:-]", "_", label)[:120]
        return self.root / "calls" / f"{name}.{identity[:12]}.json"

    def tei(self, digest: str) -> Path:
        """Return where GROBID's answer to the PDF with this digest is kept."""
        return self.root / "calls" / f"grobid.{digest[:12]}.tei.xml"

    # -- rule 2 ---------------------------------------------------------------------------------------------------

    def edited(self, name: str) -> bool:
        """Tell whether `name` is there and holds something that we never wrote."""
        path = self.root / name
        return path.is_file() and _digest(path.read_bytes()) not in self._ours

    def load(self, name: str, kind: type[M]) -> M:
        """Read an artifact that the user edited. Raises InputError (`artifact`) when it does not hold together."""
        path = self.root / name
        try:
            return kind.model_validate_json(path.read_bytes())
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            hint = f"Correct it, or delete it to have ours back: {path}"
            raise InputError("artifact", f"{name}: {where or 'the whole'}: {first['msg']}", hint) from error

    def text(self, name: str) -> str:
        """Read a text that the user edited. Raises InputError (`artifact`) when it is no UTF-8."""
        try:
            return (self.root / name).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise InputError("artifact", f"{name} is not UTF-8 text", "Save it as UTF-8, or delete it.") from error

    def keep(self, name: str, content: BaseModel | str | bytes) -> None:
        """Write one of our files, unless it is there already with this content."""
        if isinstance(content, BaseModel):
            content = _pretty(content.model_dump(mode="json"))
        data = content.encode("utf-8", "replace") if isinstance(content, str) else content
        path = self.root / name
        digest = _digest(data)
        if digest not in self._ours:
            with writing(self.root), self._ledger.open("a", encoding="ascii") as ledger:
                ledger.write("\n" + digest)  # newline first: a line torn by a crash must not swallow this one
                ledger.flush()
                os.fsync(ledger.fileno())
            self._ours.add(digest)
        if not path.is_file() or path.read_bytes() != data:
            self._replace(path, data)

    def _replace(self, path: Path, data: bytes) -> None:
        with writing(self.root):
            replace_file(path, data)


def default_run(paper: Path, digest: str, base: Path) -> Path:
    """Return where the run of a paper lives: its stem and the beginning of its sha256, "runs/attention-3f9c01ab"."""
    return base / f"{stem_of(paper.name.split('.')[0])}-{digest[:8]}"


def stem_of(name: str) -> str:
    """Return what a folder made from a file of that name is called."""
    return (re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "paper")[:60]


def _pretty(value: object) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False, sort_keys=False) + "\n").encode("utf-8", "replace")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="ascii", errors="replace").split() if path.is_file() else []
