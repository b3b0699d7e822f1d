"""The story: a paper goes in, a repository comes out. The only place that knows the order.

In: a `Job` and a listener. Out: an `Outcome`. Stages are recomputed on each run from what the run folder remembers;
what the user edited there is used as it stands, and what follows from it is redone.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from paper2code_local import __version__, casting, session
from paper2code_local.artifacts.finding import Finding, errors_of
from paper2code_local.artifacts.frozen import Frozen
from paper2code_local.artifacts.paper import Paper
from paper2code_local.artifacts.plan import FilePlan, Plan
from paper2code_local.artifacts.provenance import Provenance
from paper2code_local.artifacts.repair import RepairReport
from paper2code_local.artifacts.repo import Repo, SourceFile, Unwritten, ValidatedRepo
from paper2code_local.artifacts.smoke import SmokeReport
from paper2code_local.artifacts.spec import FileSpec
from paper2code_local.casting import Part
from paper2code_local.checking import Checking, counted, smoked
from paper2code_local.engine.scoring import ScoringEngine
from paper2code_local.engines import Engines
from paper2code_local.errors import InputError, SandboxError, WriteError
from paper2code_local.events import Checked, FileState, Listener, Notice, Stage, StageFinished, StageStarted
from paper2code_local.prefix import PaperText, paper_text, plan_texts
from paper2code_local.rundir import RunDir, default_run
from paper2code_local.settings import Job, ModelRecord, ModelStage, RunRecord, budget, by_stage
from paper2code_local.smoke import find_sandbox
from paper2code_local.smoke import smoke as smoke_run
from paper2code_local.stages import s1_parse, s2_plan, s3_analyse, s4_code, s7_write

NOTES_BYTES = 200_000


@dataclass(frozen=True)
class Outcome:
    """What a run made."""

    run: Path
    record: RunRecord
    repo: Path | None
    """None when the run was asked to stop early."""
    plan: Plan | None = None
    findings: tuple[Finding, ...] = ()
    repair: RepairReport | None = None
    smoke: SmokeReport | str = "not reached"
    """What came of importing it, or why that was not tried."""
    stubbed_files: tuple[str, ...] = ()
    stubbed_names: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no error finding remains."""
        return not errors_of(self.findings)


Specs = Mapping[str, asyncio.Future[FileSpec]]
"""Path → the specification of a file, to be waited for."""


class Findings(Frozen):
    """5-findings.json: what was mended on the way and what the gate says of the result."""

    findings: tuple[Finding, ...]


@dataclass
class Run:
    """A run in progress: where it is kept, who listens, what asks."""

    job: Job
    folder: RunDir
    say: Listener
    record: RunRecord
    paper: Paper
    cast: casting.Cast
    findings: list[Finding] = field(default_factory=list)

    async def enter(self, stage: ModelStage) -> Part:
        """Return who answers in `stage`, with the memory of the others free."""
        await casting.only(self.cast, stage)
        return self.cast[stage]

    @contextmanager
    def stage(self, name: Stage) -> Iterator[list[str]]:
        """Say when a stage starts and ends; the body may append a note on what came of it."""
        with telling(self.say, name) as notes:
            yield notes


@contextmanager
def telling(say: Listener, name: Stage) -> Iterator[list[str]]:
    """Say when a stage starts and ends."""
    notes: list[str] = []
    started = time.monotonic()
    say(StageStarted(stage=name))
    yield notes
    say(StageFinished(stage=name, seconds=round(time.monotonic() - started, 3), note="; ".join(notes)))


def run_folder(job: Job) -> Path:
    """Return the folder of the job's run."""
    digest = s1_parse.digest(job.paper, job.supplements)
    return job.run or default_run(job.paper, digest, job.out.absolute().parent / "runs")


async def generate(job: Job, say: Listener, folder: RunDir, engines: Engines) -> Outcome:
    """Turn the job's paper into a repository. Raises P2CError; what was answered until then is kept in `folder`."""
    paper, cast = await prepared(job, say, folder, engines)
    record = _recorded(job, paper, {stage: part.record for stage, part in cast.items()}, folder)
    try:
        return await _stages(Run(job, folder, say, record, paper, cast))
    finally:
        await casting.close(cast)


async def prepared(job: Job, say: Listener, folder: RunDir, engines: Engines) -> tuple[Paper, casting.Cast]:
    """Return what is known before the first question: the paper, and who will be asked. Raises P2CError."""
    s7_write.refuse_foreign(job.out)
    hints = _notes(job.notes)
    models = await casting.models(job, folder, engines, say)
    with telling(say, "parse") as notes:
        paper = await read_paper(job, say, folder)
        notes.append(f"{len(paper.sections)} sections, {len(paper.formulas())} formulas, by {paper.parser}")
    return paper, casting.cast(job, paper, models, hints, folder, engines, say)


async def look_ahead(job: Job, notice: Callable[[str], None]) -> tuple[PaperText, session.Model]:
    """Return the paper as the model would read it, and the model; nothing is written and no engine is started."""
    paper = await s1_parse.parse(job.paper, job.parser, job.grobid, None, notice, job.supplements)
    url = by_stage(job.engine_url, "--engine-url")["code"]
    model = await session.open_model(job, by_stage(job.model, "--model")["code"], url)
    whole = paper_text(paper, model.tokenizer.count, None)
    _, room = budget(whole.tokens, model.context, model.scale, model.granularity == "file")
    return paper_text(paper, model.tokenizer.count, room), model


async def _stages(run: Run) -> Outcome:
    with run.stage("plan") as notes:
        plan = await _plan(run)
        notes.append(f"{len(plan.files)} files, {len(plan.config)} settings")
    for file in plan.files:
        run.say(FileState(path=file.path, state="planned"))
    if run.job.until == "plan":
        return Outcome(run.folder.root, run.record, None, plan, tuple(run.findings))
    for text in plan_texts(plan):
        run.cast = casting.told(run.cast, text)
    if run.job.until == "analyse":
        await _specs(run, plan, _expected(run, plan))
        return Outcome(run.folder.root, run.record, None, plan, tuple(run.findings))
    specs, repo, kept = await _specified_and_coded(run, plan)
    if run.job.until == "code":
        for coded in repo.files:
            if isinstance(coded, SourceFile) and coded.path not in kept:
                run.folder.keep(f"4-repo/{coded.path}", coded.text)
        return Outcome(run.folder.root, run.record, None, plan, tuple(run.findings))
    plan, validated, report, smoke = await _checked(run, plan, specs, repo, kept)
    return await _written(run, plan, specs, validated, report, smoke)


async def read_paper(job: Job, say: Listener, folder: RunDir) -> Paper:
    """Parse the paper, or use the user's edited version of what was understood of it."""
    if folder.edited("1-paper.json"):
        return folder.load("1-paper.json", Paper)
    digest = s1_parse.digest(job.paper, job.supplements)
    before = casting.read_record(folder.root)
    parser: str = job.parser
    if parser == "auto" and before is not None and before.paper_sha256 == digest:
        parser = before.parser  # a server that came or went between two runs must not change the paper

    def notice(text: str) -> None:
        say(Notice(level="warning", message=text))

    paper = await s1_parse.parse(job.paper, parser, job.grobid, folder.tei, notice, job.supplements)
    folder.keep("1-paper.json", paper)
    for warning in paper.warnings:
        notice(warning)
    return paper


def _recorded(job: Job, paper: Paper, models: dict[ModelStage, ModelRecord], folder: RunDir) -> RunRecord:
    """Write down what the run is about."""
    record = RunRecord(
        paper=job.paper.name,
        paper_sha256=s1_parse.digest(job.paper, job.supplements),
        parser=paper.parser,
        models=models,
        seed=job.seed,
        version=__version__,
        out=str(job.out.absolute()),
    )
    folder.keep("run.json", record)
    return record


def _notes(path: Path | None) -> str:
    """Return the user's notes as a part of the shared prefix. Raises InputError (`notes`)."""
    if path is None:
        return ""
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig").strip()
    except OSError as error:
        raise InputError("notes", f"{path} cannot be read: {error.strerror}", "Check --notes.") from error
    except UnicodeDecodeError as error:
        raise InputError("notes", f"{path.name} is not UTF-8 text", "Save it as UTF-8.") from error
    if len(data) > NOTES_BYTES:
        raise InputError("notes", f"{path.name} is over {NOTES_BYTES:,} bytes", "Notes are hints, not a second paper.")
    return f"# Notes from the user, which go before the paper\n{text}" if text else ""


async def _plan(run: Run) -> Plan:
    if run.folder.edited("2-plan.json"):
        return run.folder.load("2-plan.json", Plan)
    part = await run.enter("plan")
    planned = await s2_plan.make_plan(run.paper, part.text, part.asker, part.model.scale)
    run.folder.keep("2-plan.json", planned.plan)
    run.findings += planned.findings
    return planned.plan


def _expected(run: Run, plan: Plan) -> Specs:
    """Return the specifications to come; those that the user edited are there."""
    specs = {file.path: asyncio.get_running_loop().create_future() for file in plan.files}
    for path, spec in specs.items():
        if run.folder.edited(f"3-specs/{path}.json"):
            spec.set_result(run.folder.load(f"3-specs/{path}.json", FileSpec))
    return specs


async def _specified_and_coded(run: Run, plan: Plan) -> tuple[dict[str, FileSpec], Repo, frozenset[str]]:
    """Write specifications and code, each file once its own specification and the files that it needs are there."""
    specs = _expected(run, plan)
    async with asyncio.TaskGroup() as group:
        group.create_task(_specs(run, plan, specs))
        code = group.create_task(_code(run, plan, specs))
    return {path: spec.result() for path, spec in specs.items()}, *code.result()


async def _specs(run: Run, plan: Plan, specs: Specs) -> None:
    with run.stage("analyse") as notes:

        def known(spec: FileSpec) -> None:
            if not specs[spec.path].done():
                run.folder.keep(f"3-specs/{spec.path}.json", spec)
                specs[spec.path].set_result(spec)

        if not all(spec.done() for spec in specs.values()):
            part = await run.enter("analyse")
            analysed = await s3_analyse.analyse(plan, part.text, part.asker, part.model.scale, known)
            run.findings += analysed.findings
        notes.append(f"{len(specs)} specifications")


async def _code(run: Run, plan: Plan, specs: Specs) -> tuple[Repo, frozenset[str]]:
    """Write every file as soon as those it needs are written; return them and the paths that are the user's own."""
    if run.cast["code"].engine is not run.cast["analyse"].engine:  # another model: its turn comes when this one is done
        await asyncio.gather(*specs.values())
    with run.stage("code") as notes:
        repo, kept = await _files(run, plan, specs)
        notes.append(f"{sum(isinstance(f, SourceFile) for f in repo.files)} of {len(plan.files)} files")
    return repo, kept


async def _files(run: Run, plan: Plan, specs: Specs) -> tuple[Repo, frozenset[str]]:
    edited = frozenset(f.path for f in plan.files if run.folder.edited(f"4-repo/{f.path}"))
    part = await run.enter("code")
    known: dict[str, FileSpec] = {}
    tasks: dict[str, asyncio.Task[SourceFile | Unwritten]] = {}

    async def draft(file: FilePlan, ready: tuple[SourceFile, ...]) -> SourceFile | Unwritten:
        asked = part.model.granularity
        if run.job.samples == 1:
            return await s4_code.code_file(file, plan, known, ready, part.asker, asked)
        engines = [ScoringEngine(part.asker.engine) for _ in range(run.job.samples)]
        askers = (part.asker.sampling_again(n, engine) for n, engine in enumerate(engines))
        drafts = await asyncio.gather(*(s4_code.code_file(file, plan, known, ready, each, asked) for each in askers))
        return await Checking(run.paper, known, part, edited).best(plan, ready, drafts, [e.mean for e in engines])

    async def one(file: FilePlan) -> SourceFile | Unwritten:
        if file.path in edited:
            run.say(FileState(path=file.path, state="edited"))
            return SourceFile(path=file.path, text=run.folder.text(f"4-repo/{file.path}"))
        known[file.path] = await specs[file.path]
        needed = [await tasks[need] for need in file.needs]
        run.say(FileState(path=file.path, state="coding"))
        ready = tuple(f for f in needed if isinstance(f, SourceFile))
        written = await draft(file, ready)
        run.say(FileState(path=file.path, state="written" if isinstance(written, SourceFile) else "unwritten"))
        return written

    async with asyncio.TaskGroup() as group:
        for file in plan.files:
            tasks[file.path] = group.create_task(one(file))
    return Repo(files=tuple(task.result() for task in tasks.values())), edited


async def _checked(
    run: Run, plan: Plan, specs: Mapping[str, FileSpec], repo: Repo, kept: frozenset[str]
) -> tuple[Plan, ValidatedRepo, RepairReport, SmokeReport | str]:
    """Check, repair and try; the plan may gain what the code turned out to need, and trying may be skipped for a
    reason."""
    part = await run.enter("code")
    checking = Checking(run.paper, specs, part, kept)
    with run.stage("validate") as notes:
        before = await checking.look(plan, repo)
        run.say(Checked(when="before_repair", findings=before))
        notes.append(counted(before))
    with run.stage("repair") as notes:
        plan, validated, report = await checking.repair(plan, repo, before, run.job.repair_rounds)
        stubs = len(validated.stubbed_files) + len(validated.stubbed_names)
        notes.append(f"{report.rounds} rounds, {counted(report.after)}, {stubs} stubs")
    tried: SmokeReport | str = "not asked for"
    if run.job.smoke:
        validated, report, tried = await _tried(run, checking, plan, validated, report)
    for file in validated.files:
        if file.path not in kept and file.text:
            run.folder.keep(f"4-repo/{file.path}", file.text)
    return plan, validated, report, tried


async def _tried(
    run: Run, checking: Checking, plan: Plan, validated: ValidatedRepo, report: RepairReport
) -> tuple[ValidatedRepo, RepairReport, SmokeReport | str]:
    """Import the code in a sandbox and repair what fails there; say why it was not tried where no sandbox will do."""
    cache = run.folder.root / "calls" / "smoke"
    with run.stage("smoke") as notes:
        try:
            sandbox = await asyncio.to_thread(find_sandbox)

            async def smoke(files: Mapping[str, bytes]) -> SmokeReport:
                stop = threading.Event()
                try:
                    return await asyncio.to_thread(smoke_run, files, sandbox, cache=cache, stop=stop)
                finally:
                    stop.set()  # whoever interrupts us interrupts what runs in the sandboxes

            tried = await checking.tried(plan, validated, report, smoke, run.job.repair_rounds)
        except (SandboxError, WriteError) as error:  # of the sandbox, not of what was to be tried in it
            notes.append("skipped")
            run.say(Notice(level="info", message=f"The result is not imported: {error.message}. {error.hint}"))
            return validated, report, error.message
        notes.append(smoked(tried[-1]))
        return tried


async def _written(
    run: Run,
    plan: Plan,
    specs: Mapping[str, FileSpec],
    validated: ValidatedRepo,
    report: RepairReport,
    smoke: SmokeReport | str,
) -> Outcome:
    findings = (*run.findings, *validated.findings)
    run.say(Checked(when="final", findings=findings))
    record = run.record
    provenance = Provenance(
        model=record.model,
        model_identity=record.model_identity,
        parser=record.parser,
        seed=record.seed,
        version=record.version,
        paper=record.paper,
        paper_sha256=record.paper_sha256,
    )
    with run.stage("write") as notes:
        ordered = tuple(specs[f.path] for f in plan.files)
        files = s7_write.render_repository(
            validated, plan, ordered, run.paper, run.cast["code"].text.cut, findings, provenance, report, smoke
        )
        trouble = s7_write.write_repository(files, run.job.out, run=run.folder.root.name, git=run.job.git)
        if trouble:
            run.say(Notice(level="warning", message=trouble))
        notes.append(f"{len(files)} files in {run.job.out}")
    return Outcome(
        run=run.folder.root,
        record=record,
        repo=run.job.out.absolute(),
        plan=plan,
        findings=findings,
        repair=report,
        smoke=smoke,
        stubbed_files=validated.stubbed_files,
        stubbed_names=validated.stubbed_names,
    )
