"""A plan holds together or is refused in words; whatever it holds compiles where we write it into a file."""

from __future__ import annotations

import keyword
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from paper2code_local.artifacts.plan import Attribute, ClassPlan, FunctionPlan, Plan, definitions
from tests.stages.s7_write.small_repository import PLAN


def changed(**update: Any) -> dict[str, Any]:
    return PLAN.model_dump(mode="json") | update


def files(**of_model: Any) -> list[dict[str, Any]]:
    """Return the files of the small plan, with changes to model.py."""
    return [f | (of_model if f["path"] == "model.py" else {}) for f in PLAN.model_dump(mode="json")["files"]]


def test_a_plan_survives_its_file() -> None:
    assert Plan.model_validate_json(PLAN.model_dump_json()) == PLAN
    assert PLAN.file("model.py").names() == ("Smoother", "HalfSmoother")
    assert definitions(PLAN.file("model.py")) == ("Smoother.forward",)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (changed(files=files()[:-1]), "must be main.py"),
        (changed(files=[]), "must be main.py"),
        (changed(files=files(needs=["main.py"])), "not planned before it"),
        (changed(files=files(needs=["model.py"])), "not planned before it"),
        (changed(files=files(path="data/loader.py")), "planned twice"),
        (changed(files=[files()[0] | {"path": "main/x.py"}, files()[2] | {"needs": []}]), "a folder of the same name"),
        (changed(files=files(path="../model.py")), "inside the repository"),
        (changed(files=files(functions=[{"signature": "def Smoother() -> None", "purpose": ""}])), "Smoother twice"),
        (changed(relations=[{"source": "Smoother", "target": "Nobody", "kind": "dependency"}]), "unknown class"),
        (changed(calls=[{"caller": "main.py", "callee": "model.py", "definition": "lost"}]), "unplanned"),
        (changed(config=[PLAN.config[0].model_dump()] * 2), "there twice"),
        (changed(surprise=1), "Extra inputs"),
    ],
)
def test_what_only_the_whole_can_show_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Plan.model_validate(wrong)


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "def f(",
        "f()",
        "def f(): pass; x",
        "def f(a, a)",
        "def f(None)",
        "def f() -> None\n",
        "x = 1",
        "def " * 90_000,
    ],
)
def test_a_broken_signature_is_a_validation_error(signature: str) -> None:
    with pytest.raises(ValidationError, match="signature"):
        FunctionPlan(signature=signature, purpose="")


@pytest.mark.parametrize(
    "signature", ["def f() -> None", "async def f(x: int = 3)", "def f(self, *a: int, **k: Any) -> 'X'"]
)
def test_a_signature_compiles_and_has_a_name(signature: str) -> None:
    assert FunctionPlan(signature=signature, purpose="").name == "f"


@given(st.text(max_size=12) | st.sampled_from(keyword.kwlist))
def test_whatever_is_accepted_can_be_written_into_a_file(text: str) -> None:
    """Names, types and bases may come from a person's editor."""
    accepted = []
    for kind, fields in ((Attribute, {"name": text, "type": "int"}), (Attribute, {"name": "x", "type": text})):
        try:
            accepted.append(kind.model_validate(fields))
        except ValidationError:
            continue
    made: dict[str, Any] = {"name": "A", "base": text, "purpose": "", "attributes": (), "methods": ()}
    try:
        base = ClassPlan.model_validate(made).base
    except ValidationError:
        base = ""
    lines = [f"class A({base}):", *(f"    {a.name}: {a.type}" for a in accepted), "    x = 1"]
    compile("\n".join(lines), "<test>", "exec", dont_inherit=True)
