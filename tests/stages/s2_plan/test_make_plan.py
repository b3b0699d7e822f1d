"""A plan is whole or there is none, whatever an engine answers; each question reads as its snapshot says."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper2code_local.artifacts.paths import PATTERN
from paper2code_local.artifacts.plan import ENTRY, Plan
from paper2code_local.engine.protocol import Request
from paper2code_local.engine.scripted import ScriptedEngine
from paper2code_local.errors import AnswerError
from paper2code_local.prefix import plan_texts
from paper2code_local.stages.s2_plan import make_plan
from paper2code_local.stages.s2_plan.architecture import FileAnswer, usable_files
from paper2code_local.stages.s2_plan.interfaces import EXTERNAL_BASES
from paper2code_local.stages.s2_plan.signatures import known_type, usable_signature
from paper2code_local.stages.s3_analyse import analyse
from tests import cooling
from tests.engines import Answering, asker
from tests.snapshot import same_as_snapshot


def check(plan: Plan) -> None:
    """Assert what `Plan` itself does not: bases are known where they are used, external ones are importable."""
    classes = {f.path: {c.name for c in f.classes} for f in plan.files}
    for file in plan.files:
        assert file.names()
        near = {"", *EXTERNAL_BASES}.union(*(classes[need] for need in file.needs))
        assert {c.base for c in file.classes} <= near
        for planned in file.classes:
            assert planned.methods
    assert plan.files[-1].path == ENTRY
    assert set(plan.files[-1].needs) == {f.path for f in plan.files[:-1]}
    assert plan.config[0].key == "seed"
    for call in plan.calls:
        assert call.callee in plan.file(call.caller).needs


@pytest.mark.parametrize("faults", [0.0, 0.3, 0.6])
async def test_whatever_is_answered_a_plan_is_whole_or_there_is_none(faults: float) -> None:
    whole = 0
    for seed in range(15):
        reading = asker(ScriptedEngine(faults=faults), seed=seed).knowing(cooling.text().text)
        try:
            made = await make_plan(cooling.PAPER, cooling.text(), reading, 1.0)
        except AnswerError:
            continue
        check(made.plan)
        assert Plan.model_validate_json(made.plan.model_dump_json()) == made.plan
        specs = await analyse(made.plan, cooling.text(), reading, 1.0)
        assert [spec.path for spec in specs.specs] == [f.path for f in made.plan.files]
        whole += 1
    assert whole > (6 if faults < 0.5 else 0)


@pytest.mark.parametrize("scale", [0.5, 1.0, 4.0])
async def test_bounds_grow_and_shrink_with_the_model(scale: float) -> None:
    reading = asker(ScriptedEngine(), seed=6, attempts=9).knowing(cooling.text().text)
    check((await make_plan(cooling.PAPER, cooling.text(), reading, scale)).plan)


async def test_the_same_answers_in_another_order_of_time_make_the_same_plan() -> None:
    plans = []
    for delay in (0.0, 0.001):
        reading = asker(ScriptedEngine(faults=0.35, delay=delay), seed=6, attempts=9).knowing(cooling.text().text)
        plans.append(await make_plan(cooling.PAPER, cooling.text(), reading, 1.0))
    assert plans[0] == plans[1]


async def test_sensible_answers_become_the_plan_that_they_describe() -> None:
    plan = await cooling.planned(Answering(cooling.sensible))
    check(plan)
    assert [f.path for f in plan.files] == ["cooling/schedule.py", "train.py", "main.py"]
    assert plan.file("train.py").needs == ("cooling/schedule.py",)
    assert plan.file("train.py").functions[0].signature.endswith("-> torch.Tensor")
    assert plan.file("cooling/schedule.py").formulas == ("eq1",)
    assert [(r.source, r.target, r.kind) for r in plan.relations] == [("Trainer", "Schedule", "inheritance")]
    assert [(v.key, v.value, v.origin) for v in plan.config] == [
        ("seed", 0, "assumed"),
        ("steps", 32000, "traced"),
        ("start", 2.0, "traced"),
        ("rate", 0.001, "traced"),
        ("batch_size", 64, "assumed"),
    ]


async def test_every_prompt_begins_with_the_paper_and_later_ones_with_what_was_decided() -> None:
    engine = Answering(cooling.sensible)
    plan, _, _ = await cooling.analysed(engine)
    shared = f"{cooling.text().text}\n\n"
    overview, files, *_ = (f"{part}\n\n" for part in plan_texts(plan))
    for request in engine.asked:
        assert request.user.startswith(shared)
        if request.label not in ("plan.overview",):
            assert request.user.startswith(shared + overview), request.label
        if request.label.startswith(("plan.relations", "plan.calls", "plan.logic", "plan.config", "analyse.")):
            assert request.user.startswith(shared + overview + files), request.label
    assert len({request.system for request in engine.asked}) == 1


@pytest.mark.parametrize(
    "label",
    [
        *("plan.overview", "plan.files", "plan.needs.train.py", "plan.names"),
        "plan.interface.cooling/schedule.py",
        *("plan.interface.train.py", "plan.relations", "plan.calls", "plan.logic", "plan.logic.train.py"),
        *("plan.config", "analyse.cooling/schedule.py"),
    ],
)
async def test_the_question_reads_as_its_snapshot(label: str) -> None:
    engine = Answering(cooling.sensible)
    await cooling.analysed(engine)
    (request,) = (r for r in engine.asked if r.label == label)
    same_as_snapshot(label.replace("/", "_").removesuffix(".py"), request)


# -- what is mended ----------------------------------------------------------------------------------------------------


def saying(**instead: object) -> Answering:
    """Return the sensible engine with other answers: plan__files for plan.files."""
    other = {label.replace("__", "."): said for label, said in instead.items()}

    def say(request: Request) -> str:
        for label, said in other.items():
            if request.label.startswith(label):
                return said if isinstance(said, str) else json.dumps(said)
        return cooling.sensible(request)

    return Answering(say)


@pytest.mark.parametrize("lost", ["plan__overview", "plan__files", "plan__names", "plan__interface"])
async def test_without_overview_files_or_interfaces_there_is_no_plan(lost: str) -> None:
    with pytest.raises(AnswerError) as told:
        await cooling.planned(saying(**{lost: "no idea"}))
    assert told.value.exit_code == 6
    assert told.value.hint


@pytest.mark.parametrize("lost", ["plan__needs", "plan__relations", "plan__calls", "plan__logic", "plan__config"])
async def test_anything_else_that_is_lost_leaves_a_whole_plan_and_is_told(lost: str) -> None:
    engine = saying(**{lost: "no idea"})
    made = await make_plan(cooling.PAPER, cooling.text(), cooling.reading(engine), 1.0)
    check(made.plan)
    assert lost == "plan__relations" or made.findings


async def test_a_class_that_is_defined_twice_stays_where_it_was_first_and_no_base_dangles() -> None:
    names = {"a.py": ["Model"], "b.py": ["Model", "Other"], "c.py": ["Child"]}
    bases = {"Model": "none", "Other": "none", "Child": "Other"}

    def say(request: Request) -> str:
        if request.label.startswith("plan.files"):
            return json.dumps({"files": [{"path": path, "purpose": "A part."} for path in names]})
        if request.label.startswith("plan.needs"):
            return json.dumps({"a.py": False, **({"b.py": True} if "c.py" in request.label else {})})
        if request.label.startswith("plan.names"):
            return json.dumps(names)
        if request.label.startswith("plan.interface.b.py"):
            return "no idea"
        if request.label.startswith("plan.interface"):
            path = request.label.split("~")[0].removeprefix("plan.interface.")
            return json.dumps({name: cooling.SCHEDULE | {"base": bases[name]} for name in names[path]})
        if request.label.startswith(("plan.logic", "plan.relations", "plan.calls")):
            return "no idea"
        return cooling.sensible(request)

    made = await make_plan(cooling.PAPER, cooling.text(), cooling.reading(Answering(say)), 1.0)
    check(made.plan)
    assert [f.path for f in made.plan.files] == ["a.py", "c.py", "main.py"]
    assert made.plan.file("c.py").classes[0].base == ""
    assert any("does not define Model" in finding.message for finding in made.findings)


@pytest.mark.parametrize("name", ["True", "None", "main", "print", "DataLoader", "Schedule"])
async def test_a_name_that_is_taken_is_asked_again_and_then_left_out(name: str) -> None:
    engine = saying(plan__names={"cooling/schedule.py": ["Schedule"], "train.py": [name]})
    plan = await cooling.planned(engine)
    assert [f.path for f in plan.files] == ["cooling/schedule.py", "main.py"]
    assert any("train.py defines nothing of its own" in request.user for request in engine.asked)


async def test_an_attribute_named_by_a_word_of_python_is_left_out() -> None:
    attributes = [{"name": "lambda", "type": "float"}, {"name": "rate", "type": "Unheard"}]
    interface = {"Schedule": cooling.SCHEDULE | {"attributes": attributes}}
    engine = saying(**{"plan__interface__cooling/schedule__py": interface})
    plan = await cooling.planned(engine)
    assert [(a.name, a.type) for a in plan.files[0].classes[0].attributes] == [("rate", "Any")]


@pytest.mark.parametrize(
    ("base", "methods"),
    [
        ("none", ["__init__"]),
        ("nn.Module", ["__init__", "forward"]),
        ("torch.utils.data.Dataset", ["__init__", "__len__", "__getitem__"]),
    ],
)
async def test_a_class_with_a_constructor_alone_gets_what_its_base_calls(base: str, methods: list[str]) -> None:
    alone = cooling.SCHEDULE | {
        "base": base,
        "methods": [{"signature": "def __init__(self) -> None", "does": "Begin."}],
    }
    plan = await cooling.planned(saying(**{"plan__interface__cooling/schedule__py": {"Schedule": alone}}))
    assert [m.name for m in plan.files[0].classes[0].methods] == methods


paths = st.from_regex(PATTERN, fullmatch=True) | st.sampled_from(
    [
        "a.py",
        "a/b.py",
        "a/b/c.py",
        "b.py",
        "main.py",
        "main/x.py",
        "config.py",
        "data/config.py",
        "json.py",
        "x/main.py",
    ]
)


@given(st.lists(paths, max_size=6))
def test_the_files_that_are_kept_can_stand_side_by_side(listed: list[str]) -> None:
    answers = [FileAnswer(path=path, purpose="x") for path in listed if len(path) <= 40]
    kept, findings = usable_files(answers)
    folders = {str(parent) for path in (*kept, ENTRY) for parent in PurePosixPath(path).parents}
    assert not folders & {path.removesuffix(".py") for path in (*kept, ENTRY)}
    assert ENTRY not in kept
    left_out = [path for path in (a.path for a in answers) if path not in kept and path != ENTRY]
    assert len(findings) >= len(set(left_out))
    plan: dict[str, Any] = {"path": "a.py", "purpose": "", "needs": (), "classes": (), "functions": ()}
    files = [plan | {"path": path} for path in (*kept, ENTRY)]
    rest: dict[str, Any] = cooling.ANSWERS["plan.overview"]  # type: ignore[assignment]
    empty = dict.fromkeys(("relations", "calls", "packages", "shared_knowledge", "unclear", "config"), ())
    Plan.model_validate({"overview": rest, "files": files, "order_reason": "", **empty})


# -- signatures and types ----------------------------------------------------------------------------------------------

KNOWN = frozenset({"torch", "np", "Any", "Schedule"})


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("f(x: int) -> int", "def f(x: int) -> int"),
        ("f(self, x: int, x: float) -> int", "def f(self, x: int) -> int"),
        ("f(x: int = 3, y: float) -> None", "def f(x: int = 3, y: float = None) -> None"),
        ("f(x: Tensor) -> torch.Tensor", "def f(x: Any) -> torch.Tensor"),
        ("f(x: dict[str, Schedule]) -> list[Nothing]", "def f(x: dict[str, Schedule]) -> Any"),
        ("__init__(self, x: int) -> Schedule", "def __init__(self, x: int) -> None"),
        ("f(x: tuple[int, ...], y: list[a.]) -> int..", "def f(x: tuple[int, ...], y: Any) -> int"),
        ("f(x: torch.) -> int", "def f(x: Any) -> int"),
        ("f(x: int, self) -> int", "def f(x: int) -> int"),
        ("f(self, self_name: str, self_type: str = 'a') -> int", "def f(self, name: str, type: str = 'a') -> int"),
        (
            "f(self, name: int, self_name: str, self_lambda: int) -> int",
            "def f(self, name: int, self_lambda: int) -> int",
        ),
        ("class(x: int) -> int", None),
        ("f(lambda: int) -> int", None),
        ("f(x: int -> int", None),
        ("f() -> int: pass\nimport os", None),
    ],
)
def test_a_signature_is_made_usable_or_left_out(line: str, made: str | None) -> None:
    assert usable_signature(f"def {line}", KNOWN) == made


@given(st.text("abs(,): ->[]=.|\nself int*/", max_size=40))
def test_what_is_called_usable_compiles(line: str) -> None:
    signature = usable_signature(f"def {line}", KNOWN)
    if signature is not None:
        compile(f"{signature}: ...", "<test>", "exec", dont_inherit=True)


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ("int", "int"),
        ("None", "None"),
        ("torch.Tensor | None", "torch.Tensor | None"),
        ("Tensor", "Any"),
        ("list[", "Any"),
        ("", "Any"),
        ("3", "Any"),
    ],
)
def test_a_type_that_nothing_defines_is_any(written: str, made: str) -> None:
    assert known_type(written, KNOWN) == made
