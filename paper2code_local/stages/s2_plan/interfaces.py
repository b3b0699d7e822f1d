"""The interface of one file: what is decided is its names; what is asked is their signatures, attributes and bases.

In: the names of all files. Out: a `FilePlan`. Whole interfaces of other files are not shown: small models copy them.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from paper2code_local.artifacts import answers
from paper2code_local.artifacts.answers import Answer, choice, fields, several, text
from paper2code_local.artifacts.plan import Attribute, ClassPlan, FilePlan, FunctionPlan
from paper2code_local.asking import Asker, Question, Unanswered, prompt
from paper2code_local.stages.s2_plan.signatures import KNOWN_ROOTS, known_type, plain_name, usable_signature

EXTERNAL_BASES = ("none", "nn.Module", "torch.utils.data.Dataset")
EXPECTED = {
    "nn.Module": (("def forward(self, *inputs: torch.Tensor) -> torch.Tensor", "Compute the output from the inputs."),),
    "torch.utils.data.Dataset": (
        ("def __len__(self) -> int", "Return the number of examples."),
        ("def __getitem__(self, index: int) -> tuple[torch.Tensor, ...]", "Return one example with its label."),
    ),
}
"""What a base calls of the classes that derive from it: a class that is planned with a constructor alone gets these."""


@dataclass(frozen=True)
class Draft:
    """A file before its interface is known."""

    path: str
    purpose: str
    needs: tuple[str, ...]
    names: tuple[str, ...]
    """Classes begin with a capital letter, functions do not."""


class MethodAnswer(Answer):
    signature: Annotated[
        str,
        Field(
            pattern=answers.METHOD,
            max_length=120,
            examples=["def __init__(self, dim: int) -> None", "def forward(self, x: float) -> float"],
        ),
    ]
    does: text(140)  # type: ignore[valid-type]


class AttributeAnswer(Answer):
    name: Annotated[str, Field(pattern=rf"^{answers.IDENTIFIER}$", examples=["dim", "weight", "steps"])]
    type: Annotated[str, Field(pattern=rf"^{answers.TYPE}$", max_length=40, examples=["int", "torch.Tensor"])]


def is_class(name: str) -> bool:
    """Tell a class from a function by its name."""
    return name[0].isupper()


def interface_type(names: Sequence[str], bases: Sequence[str], scale: float) -> type[Answer]:
    """Return the answer type of the interface of a file that defines `names`; classes derive from one of `bases`."""
    planned = fields(
        "ClassAnswer",
        base=choice(bases),
        does=text(140),
        attributes=several(AttributeAnswer, 4 * scale),
        methods=several(MethodAnswer, 4 * scale, 1),
    )
    asked = {f"defines_{i}": Annotated[_kind(name, planned), Field(alias=name)] for i, name in enumerate(names)}
    answer: type[Answer] = fields("InterfaceAnswer", **asked)
    return answer


def _kind(name: str, planned: Any) -> Any:
    if is_class(name):
        return planned
    examples = [f"def {name}(x: torch.Tensor) -> torch.Tensor", f"def {name}(k: Any, n: int = 3) -> list[float]"]
    signature = Annotated[str, Field(pattern=answers.function(name), examples=examples)]
    return fields(f"FunctionAnswer_{name}", signature=signature, does=text(140))


async def interface_of(draft: Draft, drafts: Mapping[str, Draft], asker: Asker, scale: float) -> FilePlan | Unanswered:
    """Ask for the interface of a file; `drafts` are all files by path, in order."""
    imported = [name for need in draft.needs for name in drafts[need].names]
    classes = [name for name in imported if is_class(name)]
    asked = prompt(__package__, "interface.md", drafts=drafts.values(), draft=draft, imported=imported)
    kind = interface_type(draft.names, (*EXTERNAL_BASES, *classes), scale)
    answer = await asker.ask(Question(f"plan.interface.{draft.path}", asked, kind, int(2400 * scale)))
    if isinstance(answer, Unanswered):
        return answer
    said = answer.model_dump(by_alias=True)
    known = KNOWN_ROOTS | set(classes) | {name for name in draft.names if is_class(name)}
    return FilePlan(
        path=draft.path,
        purpose=draft.purpose,
        needs=draft.needs,
        classes=tuple(class_plan(name, said[name], classes, known) for name in draft.names if is_class(name)),
        functions=functions([said[name] for name in draft.names if not is_class(name)], known),
    )


def class_plan(name: str, said: Mapping[str, Any], local: Sequence[str], known: frozenset[str]) -> ClassPlan:
    """Assemble a class from its answer; one that derives from nothing of ours has a constructor."""
    methods = functions(said["methods"], known)
    if not methods or ("__init__" not in {m.name for m in methods} and said["base"] not in local):
        signature = "def __init__(self, config: dict[str, Any]) -> None"
        methods = (FunctionPlan(signature=signature, purpose="Set up from the config."), *methods)
    if {m.name for m in methods} == {"__init__"}:
        lacking = EXPECTED.get(said["base"], ())
        methods += tuple(FunctionPlan(signature=signature, purpose=purpose) for signature, purpose in lacking)
    types = {plain_name(a["name"]): known_type(a["type"], known) for a in said["attributes"]}
    attributes = tuple(
        Attribute(name=each, type=written)
        for each, written in types.items()
        if not keyword.iskeyword(each) and each != "self"
    )
    base = "" if said["base"] == "none" else said["base"]
    return ClassPlan(name=name, base=base, purpose=said["does"], attributes=attributes, methods=methods)


def functions(listed: Sequence[Mapping[str, Any]], known: frozenset[str]) -> tuple[FunctionPlan, ...]:
    """Return the functions whose signatures can be used, without repeats."""
    plans: dict[str, FunctionPlan] = {}
    for said in listed:
        if signature := usable_signature(said["signature"], known):
            plan = FunctionPlan(signature=signature, purpose=said["does"])
            plans.setdefault(plan.name, plan)
    return tuple(plans.values())
