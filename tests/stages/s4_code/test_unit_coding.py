"""Small models: bodies are asked for one by one; what is put together compiles and imports only what is planned."""

from __future__ import annotations

import ast
import asyncio
from dataclasses import replace

import pytest

from paper2code_local.artifacts.plan import Plan
from paper2code_local.artifacts.repair import Fault
from paper2code_local.artifacts.repo import SourceFile, Unwritten
from paper2code_local.artifacts.spec import FileSpec
from paper2code_local.asking import Refusal
from paper2code_local.engine.protocol import Request
from paper2code_local.source import outline, undefined_names
from paper2code_local.stages.s4_code import code_file, interface, recode_file, skeleton_file
from paper2code_local.stages.s4_code.opening import Interface, Unit
from paper2code_local.stages.s4_code.units import BodyCheck
from tests import cooling
from tests.engines import Answering, Said, in_turn
from tests.snapshot import same_as_snapshot

SCHEDULE = "cooling/schedule.py"


async def coded(engine: Answering, granularity: str = "unit") -> tuple[Plan, dict[str, SourceFile | Unwritten]]:
    """Plan, analyse and code the small paper in order."""
    plan, specs, informed = await cooling.analysed(engine)
    files: dict[str, SourceFile | Unwritten] = {}
    for file in plan.files:
        needed = tuple(f for need in file.needs if isinstance(f := files[need], SourceFile))
        files[file.path] = await code_file(file, plan, specs, needed, informed, granularity)  # type: ignore[arg-type]
    return plan, files


@pytest.fixture(scope="module")
def sensible() -> tuple[Answering, Plan, dict[str, SourceFile | Unwritten]]:
    """The small paper, planned, analysed and coded without a fault."""
    engine = Answering(cooling.sensible)
    return engine, *asyncio.run(coded(engine))


Sensible = tuple[Answering, Plan, dict[str, SourceFile | Unwritten]]


async def test_bodies_become_files_that_compile_and_import_only_what_is_planned(sensible: Sensible) -> None:
    _, plan, files = sensible
    for path, file in files.items():
        assert isinstance(file, SourceFile), file
        assert file.stubbed == ()
        compile(file.text, path, "exec", dont_inherit=True)
        assert undefined_names(file.text) == ()
        assert [d.qualname for d in outline(file.text).definitions if d.kind in ("function", "method")] == [
            *(f"{c.name}.{m.name}" for c in plan.file(path).classes for m in c.methods),
            *(f.name for f in plan.file(path).functions),
        ]
    main = files["main.py"]
    assert isinstance(main, SourceFile)
    local = [
        (i.module, [n for n, _ in i.names])
        for i in outline(main.text).imports
        if i.module in ("cooling.schedule", "train")
    ]
    assert local == [("cooling.schedule", ["Schedule"]), ("train", ["train"])]
    assert main.text.rstrip().endswith("main(yaml.safe_load(stream))")


async def test_what_the_analysis_found_stands_in_the_docstrings(sensible: Sensible) -> None:
    _, _, files = sensible
    train = files["train.py"]
    assert isinstance(train, SourceFile)
    function = next(n for n in ast.parse(train.text).body if isinstance(n, ast.FunctionDef))
    assert ast.get_docstring(function) == "Return cooled logits.\n\nShapes: logits: (B, C), result: (B, C)"


async def test_the_prompt_of_a_coder_shows_the_analysis(sensible: Sensible) -> None:
    engine, _, _ = sensible
    by_label = {request.label: request for request in engine.asked}
    same_as_snapshot("code.train", by_label["code.train.py:train"])
    prompt = by_label["code.train.py:train"].user
    for told in (
        "Divide by the temperature of the last step.",  # a step of the specification
        "[s1]",  # and where it comes from
        "an empty batch",
        "logits: (B, C), result: (B, C)",
        "It reads from the configuration: steps",
        'config["steps"] = 32000',
        "return self.start * math.exp(-self.rate * step)",  # the code of what it needs
    ):
        assert told in prompt


async def test_files_with_the_same_needs_share_their_code_in_the_prefix(sensible: Sensible) -> None:
    engine, plan, files = sensible
    schedule = files[SCHEDULE]
    assert isinstance(schedule, SourceFile)
    assert plan.file("main.py").needs[0] == plan.file("train.py").needs[0] == SCHEDULE
    prompts = [
        next(r.user for r in engine.asked if r.label.startswith(f"code.{path}:")) for path in ("main.py", "train.py")
    ]
    heads = {prompt.partition(schedule.text.strip())[0] for prompt in prompts}
    assert len(heads) == 1, "the same text up to the code"
    assert not set(prompts) & heads, "which is there"


async def test_constructors_go_first_and_the_other_bodies_see_them(sensible: Sensible) -> None:
    engine, _, _ = sensible
    labels = [label for label in engine.labels() if label.startswith(f"code.{SCHEDULE}")]
    assert labels == [f"code.{SCHEDULE}:Schedule.__init__", f"code.{SCHEDULE}:Schedule.at"]
    at = next(r for r in engine.asked if r.label == labels[1])
    assert 'self.rate = config["rate"]' in at.user
    assert "not written yet" not in at.user


async def test_a_body_begins_after_its_signature_and_ends_before_the_next_definition(sensible: Sensible) -> None:
    engine, _, _ = sensible
    at = next(r for r in engine.asked if r.label == f"code.{SCHEDULE}:Schedule.at")
    assert at.prefill.startswith(
        '```python\nclass Schedule:\n    def at(self, step: int) -> float:\n        """Return t_0'
    )
    assert {"\n```", "\ndef ", "\n    def "} <= set(at.stop)


# -- what is refused ---------------------------------------------------------------------------------------------------


def decided(plan: Plan, specs: dict[str, FileSpec], path: str, name: str) -> tuple[Interface, Unit]:
    found = interface(path, plan, specs)
    return found, next(u for u in found.units() if u.qualname == name)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "empty"),
        ("    ...\n", "empty"),
        ("    pass\n", "pass"),
        ("    # TODO: implement\n    return None\n", "placeholder"),
        ("    raise NotImplementedError\n", "placeholder"),
        ("Here is the function that you asked for.\n", "does not compile"),
        ("    return (logits\n", "does not compile"),
        ("    from cooling.schedule import Schedule\n    return Schedule\n", "imports cooling.schedule"),
        ("    from . import x\n    return x\n", "imports"),
        ("    import left_pad\n    return left_pad\n", "imports left_pad"),
        ("    return cool(logits)\n", "cool, which nothing defines"),
    ],
)
async def test_a_body_that_does_nothing_real_is_refused(body: str, reason: str) -> None:
    plan, specs, _ = await cooling.analysed(Answering(cooling.sensible))
    check = BodyCheck(*decided(plan, specs, "train.py", "train"), 1)
    refused = check.refuse(body)
    assert refused is not None
    assert reason in refused.reason


@pytest.mark.parametrize(
    "body",
    [
        "    return logits / 2\n",
        "    import math\n    return math.pi * logits\n",
        "    return F.softmax(logits, dim=-1) * np.pi\n",
        "    total = 0\n    for x in logits:\n        total += x\n\n    return total\n",
        "    return train(schedule, logits)\n",
        "    return isinstance(schedule, Schedule)\n",
        '    text = """\nnot indented\n"""\n    return text\n',
    ],
)
async def test_a_real_body_is_taken(body: str) -> None:
    plan, specs, _ = await cooling.analysed(Answering(cooling.sensible))
    check = BodyCheck(*decided(plan, specs, "train.py", "train"), 1)
    assert check.refuse(body) is None
    assert check.trimmed(body) == body.rstrip()


async def test_a_name_that_nothing_defines_is_refused_once_and_then_left_to_the_gate() -> None:
    plan, specs, _ = await cooling.analysed(Answering(cooling.sensible))
    check = BodyCheck(*decided(plan, specs, "train.py", "train"), 1)
    assert check.refuse("    return cool(logits)\n") == Refusal("it uses cool, which nothing defines")
    assert check.refuse("    return cool(logits)\n") is None
    assert check.refuse("    pass\n"), "but an empty body is never taken"


async def test_a_name_that_comes_again_or_can_only_be_a_parameter_is_forbidden_from_then_on() -> None:
    plan, specs, _ = await cooling.analysed(Answering(cooling.sensible))
    check = BodyCheck(*decided(plan, specs, "train.py", "train"), 2)
    first = check.refuse("    return cool(logits) + config['x']\n")
    second = check.refuse("    return cool(logits) + heat(logits)\n")
    assert first is not None
    assert second is not None
    assert (first.avoid, second.avoid) == (("config",), ("cool",))


async def test_an_entry_point_that_runs_nothing_of_the_repository_is_refused_once() -> None:
    plan, specs, _ = await cooling.analysed(Answering(cooling.sensible))
    name = plan.file("main.py").needs[0]
    borrowed = plan.file(name).names()[0]
    check = BodyCheck(*decided(plan, specs, "main.py", "main"), 1)
    assert check.refuse(f"    print({borrowed}, config['seed'])\n") is None
    outlined = "    # Prepare the data\n    # Train\n    print(config['seed'])\n"
    assert check.refuse(outlined) == Refusal("it uses nothing of the other files: call what they define")
    assert check.refuse(outlined) is None, "better than none"
    interface, unit = decided(plan, specs, "main.py", "main")
    helper = BodyCheck(interface, replace(unit, qualname="seeded"), 1)
    assert helper.refuse(outlined) is None, "nor of what main.py defines beside it"
    other = BodyCheck(*decided(plan, specs, "train.py", "train"), 1)
    assert other.refuse("    print(logits)\n    return logits\n") is None, "only of the entry point is it expected"


async def test_a_body_with_doubtful_names_is_better_than_none() -> None:
    circles = "    return logits\n" + "    logits = logits + logits  # and once more\n" * 20
    answers = {"train": in_turn("    return cool(logits)\n", circles)}
    said = Answering(lambda r: answers[r.label.split(":")[-1].split("~")[0]](r) if ":train" in r.label else "")
    plan, specs, informed = await cooling.analysed(Answering(cooling.sensible))
    asker = cooling.asker(said).knowing(informed.shared)
    written = await code_file(plan.file("train.py"), plan, specs, (), asker, "unit")
    assert isinstance(written, SourceFile)
    assert "return cool(logits)" in written.text
    assert "train" not in written.stubbed


async def test_of_a_body_that_goes_in_circles_the_beginning_is_kept_and_says_where_it_ends() -> None:
    circles = "    total = logits.sum()\n" + "    total = total + logits  # and once more, then again\n" * 20
    engine = instead(train=circles)
    _, files = await coded(engine)
    written = files["train.py"]
    assert isinstance(written, SourceFile)
    body = written.text[written.text.index("def train") :]
    assert body.count("and once more") == 1
    assert 'raise NotImplementedError("P2C401: the model gave no usable body")' in body
    assert "train" in written.stubbed


@pytest.mark.parametrize("leftover", ["", "\n\n", "    pass\n" * 50, "words " * 90, "    x = (\n" * 60])
async def test_nothing_is_kept_of_circles_without_code(leftover: str) -> None:
    plan, specs, _ = await cooling.analysed(Answering(cooling.sensible))
    assert BodyCheck(*decided(plan, specs, "train.py", "train"), 1).beginning(leftover) == ""


async def test_an_example_of_use_after_the_function_is_cut_off() -> None:
    plan, specs, _ = await cooling.analysed(Answering(cooling.sensible))
    check = BodyCheck(*decided(plan, specs, "train.py", "train"), 1)
    written = "    return logits\n\n# Example usage:\nx = train(1, 2)\nprint(x)\n"
    assert check.trimmed(written) == "    return logits"
    assert check.refuse(written) is None
    method = BodyCheck(*decided(plan, specs, SCHEDULE, "Schedule.at"), 1)
    assert method.trimmed("        return 1.0\n\nschedule = Schedule({})\n") == "        return 1.0"


def instead(**said: Said) -> Answering:
    """Return the sensible engine that answers some units otherwise: train for code.train.py:train."""

    def say(request: Request) -> Said:
        name = request.label.split("~")[0].rpartition(":")[2]
        return (
            said[name] if request.label.startswith(("code", "repair")) and name in said else cooling.sensible(request)
        )

    return Answering(say)


async def test_a_body_that_cannot_be_had_is_a_stub_that_says_so() -> None:
    _, files = await coded(instead(__init__="", **{"Schedule.at": "    pass"}))
    schedule = files[SCHEDULE]
    assert isinstance(schedule, SourceFile)
    assert schedule.stubbed == ("Schedule.at",)
    assert 'raise NotImplementedError("P2C401: the model gave no usable body")' in schedule.text
    assert isinstance(files["train.py"], SourceFile), "the files that need it go on"


async def test_a_file_without_a_single_body_is_unwritten_and_the_next_goes_on() -> None:
    engine = instead(**{"train": "", "Trainer.__init__": "", "Trainer.at": ""})
    _, files = await coded(engine)
    assert isinstance(files["train.py"], Unwritten)
    assert "empty" in files["train.py"].reason
    assert isinstance(files["main.py"], SourceFile)


async def test_a_stub_is_asked_for_again_without_being_shown(sensible: Sensible) -> None:
    plan, specs, informed = await cooling.analysed(Answering(cooling.sensible))
    _, _, files = sensible
    train, schedule = files["train.py"], files[SCHEDULE]
    assert isinstance(train, SourceFile)
    assert isinstance(schedule, SourceFile)
    stub = 'raise NotImplementedError("P2C401: the model gave no usable body")'
    stubbed = SourceFile(
        path="train.py", text=train.text.replace("return logits / schedule.at(len(logits))", stub), stubbed=("train",)
    )
    assert stub in stubbed.text
    engine = instead(train="    return logits * 2\n")
    again = await recode_file(
        stubbed,
        plan,
        specs,
        (schedule,),
        cooling.asker(engine).knowing(informed.shared),
        "unit",
        Fault(path="train.py", unit="train", findings=(), complaint=""),
        "repair1",
    )
    assert isinstance(again, SourceFile)
    assert again.stubbed == ()
    assert "return logits * 2" in again.text
    assert "NotImplementedError" not in engine.asked[0].user


async def test_only_the_units_at_fault_are_asked_again_and_every_other_byte_stays(sensible: Sensible) -> None:
    engine = instead(train="    return logits * 2  # repaired\n")
    plan, specs, informed = await cooling.analysed(Answering(cooling.sensible))
    _, _, files = sensible
    before, schedule = files["train.py"], files[SCHEDULE]
    assert isinstance(before, SourceFile)
    assert isinstance(schedule, SourceFile)
    informed = cooling.asker(engine).knowing(informed.shared)
    complaint = "- P2C202, line 3: wrong"
    fault = Fault(path="train.py", unit="train", findings=(), complaint=complaint, avoid=("cool",))
    again = await recode_file(before, plan, specs, (schedule,), informed, "unit", fault, "repair1")
    assert isinstance(again, SourceFile)
    assert engine.labels() == ["repair1.train.py:train"]
    assert complaint in engine.asked[0].user
    assert engine.asked[0].avoid == ("cool",)
    assert again.text == before.text.replace(
        "return logits / schedule.at(len(logits))", "return logits * 2  # repaired"
    )


async def test_the_code_of_needs_gives_way_to_skeletons_when_it_does_not_fit() -> None:
    long = (
        "        total = 0.0\n"
        + "".join(f"        total += {i} * step\n" for i in range(400))
        + "        return total\n"
    )
    plan, specs, informed = await cooling.analysed(Answering(cooling.sensible))
    _, files = await coded(instead(**{"Schedule.at": long}))
    needed = (files[SCHEDULE],)
    assert isinstance(needed[0], SourceFile)
    for context, seen in ((30_000, "total += 399 * step"), (3_000, "def at(self, step: int) -> float:")):
        engine = Answering(cooling.sensible)
        small = cooling.asker(engine, context=context).knowing(informed.shared)
        await code_file(plan.file("train.py"), plan, specs, needed, small, "unit")  # type: ignore[arg-type]
        assert seen in engine.asked[-1].user
        assert ("total += 399" in engine.asked[-1].user) == (context == 30_000)


async def test_a_skeleton_of_any_file_compiles_and_names_its_reason() -> None:
    plan, specs, _ = await cooling.analysed(Answering(cooling.sensible))
    for file in plan.files:
        made = skeleton_file(file.path, plan, specs, 'P2C101: "é\n\\ {x}')
        compile(made.text, file.path, "exec", dont_inherit=True)
        assert made.text.count("P2C101: ") == len(made.stubbed) > 0
        assert undefined_names(made.text) == ()
        assert set(made.stubbed) == {u.qualname for u in interface(file.path, plan, specs).units()}
