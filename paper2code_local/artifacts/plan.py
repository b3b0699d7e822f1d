"""The plan of a repository: overview, architecture, logic design and configuration.

Assembled from many small answers and checked once more as a whole: a `Plan` cannot hold a cycle, a dangling reference,
a duplicate path or a path outside the repository.
"""

from __future__ import annotations

import ast
import keyword
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from paper2code_local.artifacts.frozen import Frozen
from paper2code_local.artifacts.paths import RepoPath

ENTRY = "main.py"
"""The entry point: always planned, always last."""
CONFIG = "config.yaml"
"""The settings of the experiment."""
RelationKind = Literal["inheritance", "composition", "aggregation", "association", "dependency"]


def _compiled(text: str, kind: str, source: str) -> ast.Module:
    """Return the tree of `source`; ValueError, which pydantic understands, when the compiler refuses it."""
    try:
        compile(source, "<plan>", "exec", dont_inherit=True)
        return ast.parse(source)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"{text!r} is not {kind}") from error


def _signature(text: str) -> str:
    kind = "one function signature"
    match _compiled(text, kind, f"{text}: ...").body:
        case [ast.FunctionDef(body=[ast.Expr()]) | ast.AsyncFunctionDef(body=[ast.Expr()])] if "\n" not in text:
            return text
    raise ValueError(f"{text!r} is not {kind}")


def _type(text: str) -> str:
    match _compiled(text, "a type", f"x: {text}").body:
        case [ast.AnnAssign(value=None)] if "\n" not in text:
            return text
    raise ValueError(f"{text!r} is not a type")


def _name(text: str) -> str:
    if not text.isidentifier() or keyword.iskeyword(text):
        raise ValueError(f"{text!r} is not a name in Python")
    return text


def _base(text: str) -> str:
    if text:
        for part in text.split("."):
            _name(part)
    return text


Signature = Annotated[str, AfterValidator(_signature)]
"""One line, "def forward(self, x: torch.Tensor) -> torch.Tensor", which compiles."""
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"), AfterValidator(_name)]
Type = Annotated[str, AfterValidator(_type)]
"""An annotation, "dict[str, torch.Tensor]", which compiles."""
Base = Annotated[str, AfterValidator(_base)]


class Overview(Frozen):
    """What the paper asks to be built, in the model's words."""

    task: str
    method: tuple[str, ...]
    data: str
    training: str
    evaluation: str


class FunctionPlan(Frozen):
    """A function or a method."""

    signature: Signature
    purpose: str

    @property
    def name(self) -> str:
        return self.signature.removeprefix("async ").removeprefix("def ").split("(", 1)[0]


class Attribute(Frozen):
    """An attribute that instances of a class have."""

    name: Name
    type: Type


class ClassPlan(Frozen):
    """A class with the methods that it must have."""

    name: Name
    base: Base
    """"" for none, a local class, or a dotted external one such as "nn.Module"."""
    purpose: str
    attributes: tuple[Attribute, ...]
    methods: tuple[FunctionPlan, ...]


class FilePlan(Frozen):
    """One Python file: its interface (architecture) and its place (logic design)."""

    path: RepoPath
    purpose: str
    needs: tuple[RepoPath, ...]
    """Planned files that it may import: all of them earlier in the order."""
    classes: tuple[ClassPlan, ...]
    functions: tuple[FunctionPlan, ...]
    implements: str = ""
    """Which part of the method stands here."""
    sections: tuple[str, ...] = ()
    """Ids of the paper's sections that it rests on."""
    formulas: tuple[str, ...] = ()
    """Ids of the paper's formulas that it rests on."""

    def names(self) -> tuple[str, ...]:
        """Return the names that other files may import."""
        return (*(c.name for c in self.classes), *(f.name for f in self.functions))


class Relation(Frozen):
    """An edge of the class diagram."""

    source: str
    target: str
    kind: RelationKind


class Call(Frozen):
    """A step of the sequence diagram: a file calls a definition of another file, in time order."""

    caller: RepoPath
    callee: RepoPath
    definition: str
    """ "train" or "Model.forward": planned in `callee`."""


class ConfigValue(Frozen):
    """One key of config.yaml and where its value comes from."""

    key: Name
    value: bool | int | float | str
    section: str
    """Id of the section that it is said to come from; "" for an assumption of ours."""
    origin: Literal["traced", "untraced", "assumed"]
    """Found in that section's text, not found there, or assumed."""


class Plan(Frozen):
    """Everything that is decided before code is written. `files` is the order of writing."""

    overview: Overview
    files: tuple[FilePlan, ...]
    relations: tuple[Relation, ...]
    calls: tuple[Call, ...]
    order_reason: str
    """Why the files come in this order."""
    packages: tuple[str, ...]
    """Third-party packages that the paper's method needs."""
    shared_knowledge: tuple[str, ...]
    unclear: tuple[str, ...]
    config: tuple[ConfigValue, ...]

    def file(self, path: str) -> FilePlan:
        """Return the planned file at `path`; KeyError when there is none."""
        return {f.path: f for f in self.files}[path]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse what only the whole can show."""
        if not self.files or self.files[-1].path != ENTRY:
            raise ValueError(f"the last file of the order must be {ENTRY}")
        known: dict[str, FilePlan] = {}
        for file in self.files:
            if file.path in known:
                raise ValueError(f"{file.path} is planned twice")
            for need in file.needs:
                if need not in known:
                    raise ValueError(f"{file.path} needs {need}, which is not planned before it")
            if repeated := _first_repeated(file.names()):
                raise ValueError(f"{file.path} defines {repeated} twice")
            for planned in file.classes:
                if repeated := _first_repeated(tuple(m.name for m in planned.methods)):
                    raise ValueError(f"{file.path}: {planned.name}.{repeated} is planned twice")
            known[file.path] = file
        for path in known:
            if f"{path.removesuffix('.py')}/" in {other[: len(path) - 2] for other in known}:
                raise ValueError(f"{path} and a folder of the same name")
        classes = {c.name for f in self.files for c in f.classes}
        for relation in self.relations:
            if not {relation.source, relation.target} <= classes:
                raise ValueError(f"the relation {relation.source} → {relation.target} names an unknown class")
        for call in self.calls:
            if (
                call.caller not in known
                or call.callee not in known
                or call.definition not in definitions(known[call.callee])
            ):
                raise ValueError(f"the call {call.caller} → {call.callee}: {call.definition} names something unplanned")
        if repeated := _first_repeated(tuple(v.key for v in self.config)):
            raise ValueError(f"the config key {repeated} is there twice")
        return self


def definitions(file: FilePlan) -> tuple[str, ...]:
    """Return the qualified names of everything callable that a file plans."""
    methods = (f"{c.name}.{m.name}" for c in file.classes for m in c.methods)
    return (*(f.name for f in file.functions), *methods)


def _first_repeated(names: tuple[str, ...]) -> str | None:
    return next((name for i, name in enumerate(names) if name in names[:i]), None)
