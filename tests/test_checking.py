"""The gate over generated code: which draft is best, and what the plan gains."""

from __future__ import annotations

from typing import Any

import pytest

from paper2code_local.artifacts.repo import SourceFile, Unwritten
from paper2code_local.checking import Checking, assigned, gained
from paper2code_local.stages.s2_plan import with_need
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
