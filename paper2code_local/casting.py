"""Which model answers in which stage, and what it is given to read.

In: a `Job`, the paper, what run.json remembers. Out: for each stage a `Part`: the model, its engine, an `Asker` that
knows the paper. Stages with the same model share all of it: one engine, one prefix. Must not know what is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from paper2code_local import session
from paper2code_local.artifacts.paper import Paper
from paper2code_local.asking import Asker, render
from paper2code_local.engine.recorded import RecordedEngine
from paper2code_local.engine.sizing import Need
from paper2code_local.engines import Engines
from paper2code_local.estimate import estimate
from paper2code_local.events import AskedAgain, Listener, Notice
from paper2code_local.prefix import PaperText, paper_text
from paper2code_local.rundir import RunDir
from paper2code_local.settings import Job, ModelRecord, ModelStage, RunRecord, budget, by_stage

LONG_TO_HASH = 3_000_000_000
"""Bytes; about two seconds."""


@dataclass(frozen=True)
class Part:
    """What a model needs for its stages."""

    model: session.Model
    record: ModelRecord
    engine: RecordedEngine
    text: PaperText
    """The paper as this model reads it, cut to its context."""
    asker: Asker
    need: Need
    """What this run alone asks of the model's engine."""

    def knowing(self, text: str) -> Part:
        """Return the part with `text` added to what every question begins with."""
        return replace(self, asker=self.asker.knowing(text))


Cast = Mapping[ModelStage, Part]


async def models(job: Job, folder: RunDir, engines: Engines, say: Listener) -> dict[ModelStage, session.Model]:
    """Find a model for each stage; no engine is started. A run without answers will need their weights: they are read.

    Raises UsageError, ModelError when a model is unknown, not pulled or refused, EngineError of a server.
    """
    remembered = read_record(folder.root)
    found: dict[ModelStage, session.Model] = {}
    urls = urls_of(job, remembered)
    for stage, spec in specs_of(job, remembered).items():
        before = remembered.models.get(stage) if remembered else None
        server = before.server if before else None
        model = await engines.model(job, spec, urls[stage], server, _announced(say))
        if model.notice and model not in found.values():
            say(Notice(level="info", message=model.notice))
        found[stage] = model
    if not folder.answers():
        engines.read_ahead(found.values())
    return found


def cast(
    job: Job,
    paper: Paper,
    models: Mapping[ModelStage, session.Model],
    hints: str,
    folder: RunDir,
    engines: Engines,
    say: Listener,
) -> dict[ModelStage, Part]:
    """Cut the paper to the context of each stage's model."""
    remembered = read_record(folder.root)
    parts: dict[str, Part] = {}
    for stage, model in models.items():
        before = remembered.models.get(stage) if remembered else None
        if model.identity not in parts:
            parts[model.identity] = _part(job, model, paper, before, hints, folder, engines, say)
    return {stage: parts[model.identity] for stage, model in models.items()}


def _announced(say: Listener) -> Callable[[int, int], None]:
    """Return what says at the beginning that a folder is hashed, where that takes more than a moment."""

    def hashing(done: int, total: int) -> None:
        if done == 0 and total >= LONG_TO_HASH:
            message = f"computing the sha256 of {total / 1e9:.0f} GB of weights; it is kept, so only this once"
            say(Notice(level="info", message=message))

    return hashing


def specs_of(job: Job, remembered: RunRecord | None) -> dict[ModelStage, str | None]:
    """Return what names each stage's model: the job, else what the run began with, else None for the default."""
    if job.model is None and job.engine_url is None and job.engine != "scripted" and remembered is not None:
        return {stage: each.spec or None for stage, each in remembered.models.items()}
    return by_stage(job.model, "--model")


def urls_of(job: Job, remembered: RunRecord | None) -> dict[ModelStage, str | None]:
    """Return each stage's server: the job's, else what the run began with, else None for an engine of our own."""
    if job.engine_url is None and job.model is None and job.engine != "scripted" and remembered is not None:
        return {stage: each.server.url if each.server else None for stage, each in remembered.models.items()}
    return by_stage(job.engine_url, "--engine-url")


def told(cast: Cast, text: str) -> dict[ModelStage, Part]:
    """Return the cast with `text` added to what every question begins with; what was shared stays shared."""
    parts = {id(part): part.knowing(text) for part in cast.values()}
    return {stage: parts[id(part)] for stage, part in cast.items()}


async def only(cast: Cast, stage: ModelStage) -> None:
    """Give back the engines that `stage` does not use: two models in memory leave little room for KV caches."""
    for part in cast.values():
        if part.engine is not cast[stage].engine:
            await part.engine.close()


async def close(cast: Cast) -> None:
    """Give every engine back."""
    for part in cast.values():
        await part.engine.close()


def read_record(run: Path) -> RunRecord | None:
    """Return what run.json says, or None when there is none that can be read."""
    try:
        return RunRecord.model_validate_json((run / "run.json").read_bytes())
    except (OSError, ValidationError):
        return None


def asking(
    job: Job, model: session.Model, need: Need, system: str, folder: RunDir, engines: Engines, say: Listener
) -> tuple[RecordedEngine, Asker]:
    """Return an engine that remembers in `folder` and starts with its first new question, and who asks it.

    `system` names the template of the system message beside this module.
    """
    sayer = session.Sayer(say)
    engine = RecordedEngine(model.identity, model.can_prefill, lambda: engines.lease(model, need), folder, sayer)
    asker = Asker(
        engine=engine,
        tokenizer=model.tokenizer,
        system=render(__package__, system),
        context=need.context,
        sampling=model.sampling,
        seed=job.seed,
        attempts=job.attempts,
        told=lambda label, reason: say(AskedAgain(label=label, reason=reason)),
    )
    return engine, asker


def _part(
    job: Job,
    model: session.Model,
    paper: Paper,
    before: ModelRecord | None,
    hints: str,
    folder: RunDir,
    engines: Engines,
    say: Listener,
) -> Part:
    """Fix the context, cut the paper to it, and prepare an engine that is started by the first new question."""
    if before is not None and before.identity == model.identity:
        context, room = before.context, before.paper_budget
    else:
        whole = paper_text(paper, model.tokenizer.count, None)
        context, room = budget(whole.tokens, model.context, model.scale, model.granularity == "file")
    text = paper_text(paper, model.tokenizer.count, room)
    if text.cut:
        cut = ", ".join(text.cut)
        say(Notice(level="warning", message=f"The paper is longer than the context of {model.id} leaves; cut: {cut}."))
    need = Need(context=context, tokens=unwritten(text.tokens, model, folder.answers()))
    engine, asker = asking(job, model, need, "system.md", folder, engines, say)
    record = ModelRecord(
        id=model.id,
        spec=model.spec,
        identity=model.identity,
        context=context,
        paper_budget=room,
        server=model.server,
    )
    return Part(model, record, engine, text, asker.knowing(text.text).knowing(hints), need)


def unwritten(paper_tokens: int, model: session.Model, answers: int) -> int:
    """Return about how many tokens a run will still write that has so many answers already."""
    whole = estimate(paper_tokens, model.granularity == "file", model.scale, None)
    return max(0, round(whole.completion_tokens * (1 - answers / whole.calls)))
