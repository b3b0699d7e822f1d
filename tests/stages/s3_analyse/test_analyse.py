"""One specification per planned file, in the order of the plan, whatever is lost."""

from __future__ import annotations

import json

import pytest

from paper2code_local.artifacts.plan import definitions
from paper2code_local.engine.protocol import Request
from paper2code_local.stages.s3_analyse import analyse, tidy_shapes
from tests import cooling
from tests.engines import Answering, asker


async def test_an_answer_becomes_the_specification_that_it_describes() -> None:
    plan, specs, _ = await cooling.analysed(Answering(cooling.sensible))
    assert list(specs) == [f.path for f in plan.files]
    schedule = specs["cooling/schedule.py"]
    assert [(d.name, d.shapes) for d in schedule.definitions] == [
        ("Schedule.__init__", ""),
        ("Schedule.at", "step: (), result: ()"),
    ]
    assert [(s.text, s.source) for s in schedule.steps] == [("Multiply a by k.", "eq1"), ("Return the power.", "")]
    assert specs["train.py"].steps[0].source == "s1"
    assert schedule.config_keys == ("start", "rate")


async def test_all_files_are_asked_about_together_and_every_reference_is_one_that_exists() -> None:
    plan = await cooling.planned(Answering(cooling.sensible))
    engine = Answering(cooling.sensible)
    await analyse(plan, cooling.text(), cooling.reading(engine), 1.0)
    assert engine.labels() == [f"analyse.{f.path}" for f in plan.files]
    for request, file in zip(engine.asked, plan.files, strict=True):
        schema = json.dumps(request.answer_schema)
        for name in (*definitions(file), "1 Method", "2 Experiments", "eq1", *(v.key for v in plan.config)):
            assert json.dumps(name) in schema


async def test_a_lost_answer_leaves_the_plan_alone_and_is_told() -> None:
    plan = await cooling.planned(Answering(cooling.sensible))

    def say(request: Request) -> str:
        return "" if request.label.startswith("analyse.train.py") else cooling.sensible(request)

    made = await analyse(plan, cooling.text(), asker(Answering(say)), 1.0)
    assert [spec.path for spec in made.specs] == [f.path for f in plan.files]
    assert made.specs[1].steps == ()
    (finding,) = made.findings
    assert (finding.code, finding.severity, finding.path) == ("P2C501", "warning", "train.py")


async def test_a_file_that_defines_nothing_is_not_asked_about() -> None:
    plan = await cooling.planned(Answering(cooling.sensible))
    bare = plan.files[0].model_copy(update={"classes": (), "functions": ()})
    engine = Answering(cooling.sensible)
    made = await analyse(
        plan.model_copy(update={"files": (bare, *plan.files[1:]), "config": ()}), cooling.text(), asker(engine), 1.0
    )
    assert [spec.path for spec in made.specs] == [f.path for f in plan.files]
    assert f"analyse.{bare.path}" not in engine.labels()
    assert all("config_keys" not in json.dumps(request.answer_schema) for request in engine.asked)


@pytest.mark.parametrize("said", ["-", "none", "N/A", " - , - ", "None.", "(B), (B), (B), (B), (B), (B), (B)"])
def test_shapes_that_say_nothing_are_left_out(said: str) -> None:
    assert tidy_shapes(said) == ""


@pytest.mark.parametrize("said", ["x: (B, C)", "(N,)", "(B, C), (B, C)"])
def test_shapes_that_say_something_stay(said: str) -> None:
    assert tidy_shapes(f" {said} ") == said
