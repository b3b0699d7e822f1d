"""The gate over generated code: which draft is best, and what the plan gains."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from paper2code_local.artifacts.finding import Finding, errors_of
from paper2code_local.artifacts.plan import Plan
from paper2code_local.artifacts.repair import RepairReport
from paper2code_local.artifacts.repo import Repo, SourceFile, Unwritten, ValidatedRepo
from paper2code_local.artifacts.smoke import SmokePolicy, SmokeReport, Trial
from paper2code_local.checking import Checking, assigned, gained
from paper2code_local.engine.protocol import Request
from paper2code_local.stages.s2_plan import with_need
from tests import cooling
from tests.engines import Answering
from tests.stages.s6_repair.small_faults import GOOD, MAIN, SPECS
from tests.stages.s7_write.small_repository import PAPER, PLAN

RUNS = MAIN + "\n\nif __name__ == '__main__':\n    main({})\n"
NOBODY: Any = None
"""Nobody is asked here."""
BESIDE = tuple(SourceFile(path=path, text=text) for path, text in GOOD.items() if path != "main.py")


def draft(text: str | None) -> SourceFile | Unwritten:
    return SourceFile(path="main.py", text=text) if text is not None else Unwritten(path="main.py", reason="empty")


@pytest.mark.parametrize(
    ("texts", "likelihoods", "best"),
    [
        ((RUNS, RUNS + "\nprint(nothing)\n"), (-2.0, -1.0), 0),
        ((RUNS + "\nprint(nothing)\n", RUNS), (-1.0, -2.0), 1),
        ((None, RUNS + "\nprint(nothing, less)\n", RUNS + "\nprint(nothing)\n"), (0.0, 0.0, -5.0), 2),
        ((RUNS, RUNS + "\n# the same\n"), (-2.0, -1.0), 1),
        ((RUNS, RUNS), (-1.0, -1.0), 0),
        ((None, None), (-3.0, -1.0), 1),
        (("def main(", RUNS + "\nimport os; os.system('x')\n"), (0.0, -9.0), 1),
    ],
)
async def test_the_draft_with_the_least_errors_is_taken_then_the_likeliest_then_the_first(
    texts: tuple[str | None, ...], likelihoods: tuple[float, ...], best: int
) -> None:
    checking = Checking(PAPER, SPECS, NOBODY, frozenset())
    drafts = [draft(text) for text in texts]
    assert await checking.best(PLAN, BESIDE, drafts, likelihoods) is drafts[best]


class Sandbox:
    """Says that a file fails to be imported when it has a word in it; counts how often it was asked."""

    def __init__(self, word: bytes) -> None:
        self.word, self.asked = word, 0

    async def __call__(self, files: Mapping[str, bytes]) -> SmokeReport:
        self.asked += 1
        assert {"config.yaml", "requirements.txt", "data/__init__.py"} <= files.keys()
        bad = [path for path, data in files.items() if self.word in data]
        findings = tuple(
            Finding(code="P2C010", severity="error", path=path, line=6, message="it fails.", hint="Mend it.")
            for path in bad
        )
        trials = (Trial(path="main.py", kind="import", status="failed" if bad else "ok"),)
        return SmokeReport(
            sandbox="stand-in", python="3", policy=SmokePolicy(), trials=trials, findings=findings, seconds=0
        )


async def checked(main: str, sandbox: Sandbox, rounds: int, answer: str) -> tuple[ValidatedRepo, RepairReport, Any]:
    texts = {**GOOD, "main.py": main}
    repo = Repo(files=tuple(SourceFile(path=path, text=text) for path, text in texts.items()))
    part: Any = SimpleNamespace(
        asker=cooling.asker(Answering(lambda _: answer)), model=SimpleNamespace(granularity="unit")
    )
    checking = Checking(PAPER, SPECS, part, frozenset())
    plan, validated, report = await checking.repair(PLAN, repo, await checking.look(PLAN, repo), 0)
    return await checking.tried(plan, validated, report, sandbox, rounds)


async def test_what_fails_in_the_sandbox_is_a_finding_and_is_written_again() -> None:
    broken = RUNS.replace("    return", "    boom = 1\n    return")
    for rounds, left in ((0, ["P2C010"]), (1, [])):
        validated, report, smoke = await checked(broken, Sandbox(b"boom"), rounds, "    return load('x')\n")
        assert [f.code for f in validated.findings if f.code.startswith("P2C01")] == left
        assert bool(smoke.findings) == bool(left)
        assert report.rounds == rounds
        (main,) = (f for f in validated.files if f.path == "main.py")
        assert ("boom" in main.text) == bool(left)


async def test_an_answer_that_fails_again_or_is_worse_to_read_is_not_taken() -> None:
    broken = RUNS.replace("    return", "    boom = 1\n    return")
    for answer in ("    boom = 2\n    return load('x')\n", "    return nothing + less\n"):
        validated, _, _ = await checked(broken, Sandbox(b"boom"), 1, answer)
        (main,) = (f for f in validated.files if f.path == "main.py")
        assert main.text == broken


async def test_what_can_be_imported_is_tried_once() -> None:
    sandbox = Sandbox(b"boom")
    validated, _, smoke = await checked(RUNS, sandbox, 2, "")
    assert sandbox.asked == 1
    assert smoke.count("ok") == 1
    assert not [f for f in validated.findings if f.code.startswith("P2C01")]


def test_what_a_plan_gains_is_told_as_changes() -> None:
    loader, model, _ = (file.path for file in PLAN.files)
    free = PLAN.model_copy(
        update={"files": tuple(f.model_copy(update={"needs": ()}) if f.path != "main.py" else f for f in PLAN.files)}
    )
    turned = with_need(free, loader, model)
    assert turned is not None
    added = turned.config[0].model_copy(update={"key": "momentum", "value": 0.9})
    more = turned.model_copy(update={"config": (*turned.config, added)})
    need, setting = gained(free, more)
    assert (need.by, need.path, need.codes) == ("mechanical", loader, ("P2C204",))
    assert (setting.by, setting.path, setting.codes) == ("model", "config.yaml", ("P2C801",))
    assert "momentum: 0.9" in setting.what
    assert gained(PLAN, PLAN) == ()


def test_attributes_that_a_class_was_planned_to_have_belong_to_its_constructor() -> None:
    planned = {f"{f.path}:{c.name}": {a.name for a in c.attributes} for f in PLAN.files for c in f.classes}
    assert {key: set(names) for key, names in assigned(PLAN).items()} == planned


async def test_a_function_that_is_called_and_nobody_wrote_is_written() -> None:
    calling = RUNS.replace("    return", "    prepare(config)\n    return")
    for answer, errors, stubs in (("    print(config)\n", 0, 0), ("    pass\n", 1, 0)):
        repo = Repo(files=tuple(SourceFile(path=p, text=t) for p, t in {**GOOD, "main.py": calling}.items()))
        asked: list[Request] = []

        def says(request: Request, answer: str = answer, asked: list[Request] = asked) -> str:
            asked.append(request)
            return answer if request.label.startswith("helper") else "    return prepare(config)\n"

        model = SimpleNamespace(granularity="unit")
        part: Any = SimpleNamespace(asker=cooling.asker(Answering(says)), model=model)
        checking = Checking(PAPER, SPECS, part, frozenset())
        plan, validated, report = await checking.repair(PLAN, repo, await checking.look(PLAN, repo), 1)
        written = [f for f in plan.file("main.py").functions if f.name == "prepare"]
        assert [f.code for f in errors_of(validated.findings) if f.code == "P2C601"] == ["P2C601"] * errors
        assert len(written) == (not errors), "a stub in its place would make nothing better"
        assert len(validated.stubbed_names) == stubs
        helpers = {r.label.partition("#")[0] for r in asked if r.label.startswith("helper")}
        assert helpers == {"helper1.main.py:prepare"}
        assert any("`prepare` is added" in change.what for change in report.changes) == (not errors)


async def repaired_by(answers: Mapping[str, str], **changed: str) -> tuple[Plan, ValidatedRepo, RepairReport]:
    """Repair the good repository with some files changed; a request is answered by what its label begins with."""
    files = {**GOOD, "main.py": RUNS} | {f"{name}.py": text for name, text in changed.items()}
    repo = Repo(files=tuple(SourceFile(path=path, text=text) for path, text in files.items()))
    model = SimpleNamespace(granularity="unit")
    engine = Answering(lambda request: next(a for label, a in answers.items() if request.label.startswith(label)))
    part: Any = SimpleNamespace(asker=cooling.asker(engine), model=model)
    checking = Checking(PAPER, SPECS, part, frozenset())
    return await checking.repair(PLAN, repo, await checking.look(PLAN, repo), 1)


async def test_a_setting_that_only_the_repaired_code_reads_is_added_too() -> None:
    broken = RUNS.replace("    return", "    print(one, two)\n    return")
    answers = {"repair.config": '{"momentum": "0.9"}', "repair1": "    return load(config['momentum'])\n"}
    plan, validated, report = await repaired_by(answers, main=broken)
    assert [(v.key, v.value) for v in plan.config[len(PLAN.config) :]] == [("momentum", 0.9)]
    assert not {"P2C601", "P2C801"} & {f.code for f in errors_of(validated.findings)}
    assert "`momentum: 0.9` is added" in " ".join(change.what for change in report.changes)


@pytest.mark.parametrize(("value", "errors"), [('{"momentum": "0.9", "decay": "0.1"}', 0), ("none", 1)])
async def test_an_answer_that_reads_new_settings_counts_by_whether_there_are_values_for_them(
    value: str, errors: int
) -> None:
    broken = RUNS.replace("    return", "    print(one)\n    return")
    reading = "    print(config['decay'])\n    return load(config['momentum'])\n"
    _, validated, report = await repaired_by({"repair.config": value, "repair1": reading}, main=broken)
    found = [f.code for f in errors_of(validated.findings) if f.path == "main.py"]
    assert found == ["P2C601"] * errors, "no answer is taken that leaves more errors than there were"
    assert len(errors_of(report.after)) == len(errors_of(report.before)) - (not errors)
    assert len(errors_of(report.mended)) == len(errors_of(report.before))
    assert not errors or report.ended == "stuck"


async def test_a_helper_may_read_new_settings() -> None:
    answers = {
        "repair1": "    prepare()\n    return\n",
        "helper": "    print(config['momentum'], config['decay'])\n",
        "repair.config": '{"momentum": "0.9", "decay": "0.1"}',
    }
    plan, validated, _ = await repaired_by(answers, main=RUNS.replace("    return", "    prepare()\n    return"))
    assert {"momentum", "decay"} <= {value.key for value in plan.config}
    assert "prepare" in {f.name for f in plan.file("main.py").functions}
    assert not [f for f in errors_of(validated.findings) if f.path == "main.py"]


async def test_errors_that_are_left_beside_a_written_helper_are_not_called_clean() -> None:
    answers = {
        "repair1.main": "    return prepare(config)\n",
        "helper": "    print(config)\n",
        "repair1": "    return nil\n",
    }
    calling = RUNS.replace("    return", "    prepare(config)\n    return")
    model = GOOD["model.py"].replace("load(x)", "load(unknown)")
    _, validated, report = await repaired_by(answers, main=calling, model=model)
    assert {f.path for f in errors_of(validated.findings)} == {"model.py"}
    assert any("`prepare` is added" in change.what for change in report.changes)
    assert report.ended == "rounds"
