"""The story of `p2c-local repair`: any Python repository goes in, the same one with fewer errors comes out.

In: a folder, a listener, who answers. Out: `Mended`: new texts by path, and what was done. Nothing is written here.
Must not know papers, plans or the command line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from paper2code_local import casting
from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.repair import Fault, RepairReport
from paper2code_local.artifacts.repo import Repo, SourceFile, Unwritten
from paper2code_local.asking import Asker
from paper2code_local.engine.sizing import Need
from paper2code_local.engines import Engines
from paper2code_local.events import Checked, Listener
from paper2code_local.isolated import isolated
from paper2code_local.pipeline import telling
from paper2code_local.rundir import RunDir
from paper2code_local.settings import Job
from paper2code_local.stages import s6_repair
from paper2code_local.stages.s5_validate import read_repository
from paper2code_local.stages.s5_validate.gate import validate

TAIL_TOKENS = 6000
"""Room for the file at fault, what is said of it, and the answer."""


@dataclass(frozen=True)
class Mended:
    """What came of a repair."""

    texts: Mapping[str, str]
    """New texts of the files that changed."""
    report: RepairReport


async def mend(root: Path, job: Job, rounds: int, say: Listener, folder: RunDir) -> Mended:
    """Repair the repository in `root`; a model is asked only where `rounds` allow it and something is left.

    Raises InputError when `root` holds no Python, ModelError and EngineError of the model.
    """
    with telling(say, "parse"):
        files = await isolated(read_repository, root)
    texts = {path: text for path, data in files.items() if (text := _text(path, data)) is not None}

    async def gate(changed: Mapping[str, str]) -> tuple[Finding, ...]:
        now = files | {path: text.encode() for path, text in changed.items()}
        return await isolated(partial(validate, honour_ignores=True), now)

    repo = Repo(files=tuple(SourceFile.model_construct(path=p, text=t, stubbed=()) for p, t in texts.items()))
    asking = _Asking(job, say, folder)
    try:
        with telling(say, "repair") as notes:
            repaired = await s6_repair.repair(repo, gate, asking.rewrite, rounds)
            notes.append(f"{repaired.report.rounds} rounds")
    finally:
        await asking.close()
    say(Checked(when="before_repair", findings=repaired.report.before))
    say(Checked(when="final", findings=repaired.report.after))
    after = {f.path: f.text for f in repaired.repo.files if isinstance(f, SourceFile)}
    return Mended({path: text for path, text in after.items() if text != texts.get(path)}, repaired.report)


def _text(path: str, data: bytes) -> str | None:
    """Return the text of a file that may be changed: UTF-8 with plain line ends, and one that says something."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if data and "\r" not in text and not text.startswith("\ufeff") else None


class _Asking:
    """Asks a model that is looked for when the first question comes."""

    def __init__(self, job: Job, say: Listener, folder: RunDir) -> None:
        self._job, self._say, self._folder = job, say, folder
        self._engines = Engines(say, folder.root / "engine.log")
        self._opening = asyncio.Lock()
        self._asker: Asker | None = None

    async def rewrite(self, fault: Fault, label: str, repo: Repo) -> SourceFile | Unwritten:
        """Ask for a unit or a file again."""
        texts = {f.path: f.text for f in repo.files if isinstance(f, SourceFile)}
        async with self._opening:
            asker = self._asker = self._asker or await self._open(texts)
        shared = s6_repair.signatures(texts, asker.tokenizer.count, asker.context - TAIL_TOKENS)
        return await s6_repair.rewrite(fault, label, repo, asker.knowing(shared).once(fault.asked, fault.sample))

    async def close(self) -> None:
        """Close the engine if one was started."""
        await self._engines.close()

    async def _open(self, texts: Mapping[str, str]) -> Asker:
        model = await self._engines.model(self._job, self._job.model, self._job.engine_url)
        count = model.tokenizer.count
        context = min(model.context, count(s6_repair.signatures(texts, count, model.context)) + TAIL_TOKENS)
        system, engines = "repair_system.md", self._engines
        _, asker = casting.asking(self._job, model, Need(context=context), system, self._folder, engines, self._say)
        return asker
