"""The whole story on the scripted engine: order, replay, and what a person edits on the way."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from paper2code_local import pipeline
from paper2code_local.engine.protocol import Completion, Engine, Request
from paper2code_local.engines import Engines
from paper2code_local.errors import AnswerError, InputError
from paper2code_local.events import AskedAgain, CallFinished, CallStarted, Event, FileState, Notice, StageFinished
from paper2code_local.pipeline import Outcome, run_folder
from paper2code_local.rundir import RunDir
from paper2code_local.session import Model
from paper2code_local.settings import Job
from tests.tei_fixtures import tei

BODY = """<div><head n="1">Method</head><p>We lower the temperature while we train.</p>
<formula>t = exp(-k)<label>(1)</label></formula></div>
<div><head n="2">Experiments</head><p>We use a rate of 1e-3 for 32,000 steps.</p></div>"""


def write_paper(folder: Path) -> Path:
    path = folder / "cooling.tei.xml"
    path.write_bytes(tei(BODY))
    return path


async def story(job: Job, events: list[Event], folder: RunDir) -> Outcome:
    """Generate as the command line does for one paper."""
    async with Engines(events.append, folder.root / "engine.log") as engines:
        return await pipeline.generate(job, events.append, folder, engines)


def run(folder: Path, **changes: Any) -> tuple[Outcome, list[Event]]:
    """Generate from the paper in `folder` into folder/out."""
    events: list[Event] = []
    job = Job(paper=folder / "cooling.tei.xml", out=folder / "out", engine="scripted", seed=2, **changes)
    outcome = asyncio.run(story(job, events, RunDir(run_folder(job))))
    return outcome, events


def asked(events: list[Event]) -> list[str]:
    """Return the labels of the questions that went to the engine."""
    return [event.label for event in events if isinstance(event, CallStarted)]


def contents(folder: Path, *parts: str) -> dict[str, bytes]:
    """Return every file under `folder` but the insides of .git, which hold the time."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.parts
    }


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome, list[Event]]:
    """A finished run; tests copy it before they change anything."""
    folder = tmp_path_factory.mktemp("first")
    write_paper(folder)
    return folder, *run(folder)


@pytest.fixture
def copy(first: tuple[Path, Outcome, list[Event]], tmp_path: Path) -> Path:
    shutil.copytree(first[0], tmp_path, dirs_exist_ok=True, symlinks=True)
    return tmp_path


@pytest.fixture
def the_run(copy: Path) -> Path:
    (root,) = (copy / "runs").iterdir()
    return root


def test_a_file_is_coded_after_those_it_needs(first: tuple[Path, Outcome, list[Event]]) -> None:
    _, outcome, events = first
    assert outcome.plan is not None
    written: set[str] = set()
    for event in events:
        if isinstance(event, FileState) and event.state == "coding":
            assert set(outcome.plan.file(event.path).needs) <= written
        elif isinstance(event, FileState) and event.state == "written":
            written.add(event.path)
        elif isinstance(event, CallStarted) and event.label.startswith("code."):
            path = event.label.removeprefix("code.").split(":")[0]
            assert set(outcome.plan.file(path).needs) <= written
    assert written == {file.path for file in outcome.plan.files}


class Patient(Engines):
    """Engines that answer about `last` only once code was written for another file."""

    last = "main.py"

    async def lease(self, model: Model, context: int) -> Engine:
        return _PatientEngine(await super().lease(model, context), self.last)


class _PatientEngine:
    def __init__(self, engine: Engine, last: str) -> None:
        self._engine, self._last, self._coded = engine, last, asyncio.Event()
        self.model, self.can_prefill, self.close = engine.model, engine.can_prefill, engine.close

    async def complete(self, request: Request) -> Completion:
        if request.label.startswith(f"analyse.{self._last}"):
            await self._coded.wait()
        completion = await self._engine.complete(request)
        if request.label.startswith("code."):
            self._coded.set()
        return completion


def test_a_file_waits_for_its_own_specification_alone(tmp_path: Path) -> None:
    job = Job(paper=write_paper(tmp_path), out=tmp_path / "out", engine="scripted", seed=2)
    events: list[Event] = []

    async def waiting() -> Outcome:
        async with asyncio.timeout(60), Patient(events.append, tmp_path / "engine.log") as engines:
            return await pipeline.generate(job, events.append, RunDir(run_folder(job)), engines)

    outcome = asyncio.run(waiting())
    assert outcome.plan is not None
    assert len(outcome.plan.files) > 1
    labels = [event.label for event in events if isinstance(event, CallFinished)]
    assert labels.index("analyse.main.py") > min(n for n, label in enumerate(labels) if label.startswith("code."))


def test_every_prompt_of_a_run_begins_with_the_paper_and_the_same_system(
    first: tuple[Path, Outcome, list[Event]],
) -> None:
    folder, _, _ = first
    requests = [json.loads(path.read_text())["request"] for path in folder.glob("runs/*/calls/*.json")]
    assert len(requests) > 15
    paper = "# Cooling Schedules\n\n## Abstract\n"
    assert all(request["user"].startswith(paper) for request in requests)
    assert len({request["system"] for request in requests}) == 1
    code = [request["user"] for request in requests if request["label"].startswith("code.")]
    shared = min((prompt[: prompt.index("# Specification of")] for prompt in code), key=len)  # of a file without needs
    assert all(prompt.startswith(shared) for prompt in code)
    assert "# Files" in shared, "the plan too"


def test_stages_are_told_in_order_with_what_came_of_them(first: tuple[Path, Outcome, list[Event]]) -> None:
    done = [event for event in first[2] if isinstance(event, StageFinished)]
    assert [event.stage for event in done] == ["parse", "plan", "analyse", "code", "validate", "repair", "write"]
    assert all(event.note for event in done)


def test_a_finished_run_replays_with_no_question_and_touches_nothing(copy: Path) -> None:
    run(copy)  # once, as run.json says where the repository goes
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*") if path.is_file()}
    _, events = run(copy)
    assert asked(events) == []
    assert {event.replayed for event in events if isinstance(event, CallFinished)} == {True}
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*") if path.is_file()} == before


def test_another_seed_asks_anew_and_the_old_answers_stay(copy: Path, the_run: Path) -> None:
    calls = contents(the_run / "calls")
    job = Job(paper=copy / "cooling.tei.xml", out=copy / "out", engine="scripted", seed=5, until="plan")
    events: list[Event] = []
    asyncio.run(story(job, events, RunDir(the_run)))
    assert asked(events)
    assert calls.items() <= contents(the_run / "calls").items()


def test_a_lost_answer_is_the_only_one_that_is_asked_again(copy: Path, the_run: Path) -> None:
    result = contents(copy / "out")
    (torn, lost, *_) = sorted((the_run / "calls").glob("code.*"))
    torn.write_bytes(torn.read_bytes()[:-20])
    lost.unlink()
    labels = {json.loads(path.read_text())["label"] for path in copy.glob("runs/*/calls/*.json") if path != torn}
    _, events = run(copy)
    assert len(asked(events)) == 2
    assert not labels & set(asked(events))
    assert contents(copy / "out") == result


# -- a file that you edited is yours -----------------------------------------------------------------------------------


def edit(path: Path, change: Callable[[Any], None]) -> bytes:
    """Change a JSON file and return what it was."""
    before = path.read_bytes()
    value = json.loads(before)
    change(value)
    path.write_text(json.dumps(value))
    return before


def test_until_plan_stops_for_an_edit_and_goes_on_with_it(tmp_path: Path) -> None:
    write_paper(tmp_path)
    stopped, events = run(tmp_path, until="plan")
    assert stopped.repo is None
    assert not (tmp_path / "out").exists()
    assert all(label.startswith("plan.") for label in asked(events))

    def change(plan: Any) -> None:
        plan["config"].append({"key": "patience", "value": 7, "section": "", "origin": "assumed"})

    edit(stopped.run / "2-plan.json", change)
    outcome, events = run(tmp_path)
    assert not [label for label in asked(events) if label.startswith("plan.")]
    assert outcome.plan is not None
    assert outcome.plan.config[-1].key == "patience"
    assert b"patience: 7" in (tmp_path / "out/config.yaml").read_bytes()
    prompts = [json.loads(path.read_text())["request"] for path in (stopped.run / "calls").glob("code.*")]
    assert prompts
    assert all('config["patience"] = 7' in request["user"] for request in prompts)


@pytest.mark.parametrize(("until", "there"), [("analyse", "3-specs"), ("code", "4-repo")])
def test_a_run_that_stops_early_leaves_what_can_be_edited(tmp_path: Path, until: str, there: str) -> None:
    write_paper(tmp_path)
    stopped, _ = run(tmp_path, until=until)
    assert stopped.plan is not None
    suffix = ".json" if there == "3-specs" else ""
    assert {f"{file.path}{suffix}" for file in stopped.plan.files} == set(contents(stopped.run / there))
    assert not (tmp_path / "out").exists()
    _, events = run(tmp_path, until="code")
    assert not [label for label in asked(events) if label.startswith(("plan.", "analyse.")) or until == "code"]
    assert not [event for event in events if isinstance(event, FileState) and event.state == "edited"]


@pytest.mark.thorough
def test_a_deleted_edit_gives_ours_back_byte_for_byte(copy: Path, the_run: Path) -> None:
    result, plan = contents(copy / "out"), (the_run / "2-plan.json").read_bytes()
    edit(the_run / "2-plan.json", lambda plan: plan["overview"].update(task="Something else."))
    _, events = run(copy)
    assert asked(events)
    assert contents(copy / "out") != result
    (the_run / "2-plan.json").unlink()
    _, events = run(copy)
    assert asked(events) == []
    assert (the_run / "2-plan.json").read_bytes() == plan
    assert contents(copy / "out") == result


def test_an_edited_paper_changes_every_question(copy: Path, the_run: Path) -> None:
    edit(the_run / "1-paper.json", lambda paper: paper.update(title="Heating Schedules"))
    _, events = run(copy, until="plan")
    assert asked(events)
    assert not [event for event in events if isinstance(event, CallFinished) and event.replayed]
    prompts = [path.read_text() for path in (the_run / "calls").glob("plan.overview*")]
    assert any("# Heating Schedules" in prompt for prompt in prompts)


def test_an_edited_specification_reaches_the_coder_of_that_file_alone(copy: Path, the_run: Path) -> None:
    def change(spec: Any) -> None:
        spec["edge_cases"] = ["the kettle is empty"]

    edit(the_run / "3-specs/main.py.json", change)
    _, events = run(copy)
    assert asked(events)
    assert all(label.startswith("code.main.py") for label in asked(events))
    assert [path for path in (the_run / "calls").glob("code.main.py*") if "kettle is empty" in path.read_text()]


def test_edited_code_is_used_as_it_stands_and_seen_by_those_that_need_it(copy: Path, the_run: Path, first: Any) -> None:
    plan = first[1].plan
    path = plan.files[0].path
    before = (the_run / "4-repo" / path).read_text()
    mine = before + "\n\nMINE = 'kettle'\n"
    (the_run / "4-repo" / path).write_text(mine)
    _, events = run(copy)
    assert ("edited", path) in [(e.state, e.path) for e in events if isinstance(e, FileState)]
    assert (copy / "out" / path).read_text() == (the_run / "4-repo" / path).read_text() == mine
    needing = {file.path for file in plan.files if path in file.needs}
    assert {label.removeprefix("code.").split(":")[0] for label in asked(events)} <= needing
    assert "main.py" in {label.removeprefix("code.").split(":")[0] for label in asked(events)}


def test_edited_code_that_does_not_compile_stays_and_is_an_error(copy: Path, the_run: Path, first: Any) -> None:
    path = first[1].plan.files[0].path
    (the_run / "4-repo" / path).write_text("def broken(:\n")
    outcome, _ = run(copy)
    assert not outcome.ok
    assert path in {finding.path for finding in outcome.findings if finding.severity == "error"}
    assert (the_run / "4-repo" / path).read_text() == (copy / "out" / path).read_text() == "def broken(:\n"


@pytest.mark.parametrize("name", ["1-paper.json", "2-plan.json", "3-specs/main.py.json"])
def test_a_broken_edit_stops_the_run_with_its_path(copy: Path, the_run: Path, name: str) -> None:
    (the_run / name).write_text('{"half": ')
    with pytest.raises(InputError) as told:
        run(copy)
    assert told.value.code == "input.artifact"
    assert str(the_run / name) in told.value.hint


def test_a_plan_by_hand_may_have_files_of_constants_and_no_settings(tmp_path: Path) -> None:
    write_paper(tmp_path)
    stopped, _ = run(tmp_path, until="plan")

    def change(plan: Any) -> None:
        constants = {"path": "constants.py", "purpose": "Constants.", "needs": [], "classes": [], "functions": []}
        main = plan["files"][-1] | {"needs": ["constants.py"], "sections": ["s99"]}
        plan |= {"files": [constants, main], "relations": [], "calls": [], "config": []}

    edit(stopped.run / "2-plan.json", change)
    outcome, _ = run(tmp_path)
    assert outcome.repo is not None
    assert (tmp_path / "out/constants.py").is_file()


def test_what_the_parser_warned_of_is_told(first: tuple[Path, Outcome, list[Event]]) -> None:
    assert any("references" in event.message for event in first[2] if isinstance(event, Notice))


@pytest.mark.thorough
def test_an_engine_with_faults_ends_with_a_repository_that_says_what_is_missing(tmp_path: Path) -> None:
    write_paper(tmp_path)
    events: list[Event] = []

    def run(seed: int) -> Outcome | None:
        """Return what came of it; None where the plan itself could not be had, which is an honest end too."""
        job = Job(
            paper=tmp_path / "cooling.tei.xml",
            out=tmp_path / "out",
            engine="scripted",
            engine_args={"faults": 0.2},
            seed=seed,
            git=False,
        )
        try:
            return asyncio.run(story(job, events, RunDir(run_folder(job))))
        except AnswerError:
            return None

    outcome = next(outcome for seed in range(9) if (outcome := run(seed)))
    assert [event for event in events if isinstance(event, AskedAgain)]
    for path in (tmp_path / "out").rglob("*.py"):
        compile(path.read_text(), path.name, "exec", dont_inherit=True)
    notes = (tmp_path / "out/REPRODUCTION_NOTES.md").read_text()
    assert outcome.ok == (not outcome.stubbed_files and not outcome.stubbed_names)
    assert all(finding.code in notes for finding in outcome.findings)
