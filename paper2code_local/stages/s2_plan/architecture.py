"""The architecture: which files there are, what each needs, and the interface of each."""

from __future__ import annotations

import ast
import asyncio
import builtins
import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import Field

from paper2code_local.artifacts import answers, paths
from paper2code_local.artifacts.answers import Answer, choice, fields, mended, several, text, unique
from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.plan import ENTRY, Attribute, ClassPlan, FilePlan, FunctionPlan
from paper2code_local.asking import Asker, Question, Unanswered, prompt
from paper2code_local.errors import AnswerError

MOST_FILES = 5
"""Beside main.py, at an answer scale of 1."""
EXTERNAL_BASES = ("none", "nn.Module", "torch.utils.data.Dataset")
KNOWN_ROOTS = frozenset(
    {"torch", "nn", "np", "Any", "Callable", "Iterable", "Iterator", "Sequence", "Path", "DataLoader"}
)
"""Roots of type names that our opening lines can import."""
NOT_MODULES = re.compile(r"config|requirements|readme|setup|test|main|init")
"""Beginnings of the names of files that we write ourselves, or that are no part of the method."""
_DOTS = re.compile(r"(?P<ellipsis>(?<=[\[ ])\.\.\.(?=[\],]))|\.\.+|\.(?=[\],\s)])")
"""Dots that stand for an ellipsis, and those that only a grammar which allows dots in names has let through."""
MAIN = FunctionPlan(
    signature="def main(config: dict[str, Any]) -> None",
    purpose="Run the whole experiment: prepare the data, fit, evaluate, and print the results.",
)


@dataclass(frozen=True)
class Architecture:
    """Files with their interfaces, in the order of writing."""

    files: tuple[FilePlan, ...]
    findings: tuple[Finding, ...]


class FileAnswer(Answer):
    path: Annotated[
        str, Field(pattern=paths.PATTERN, max_length=40, examples=["model.py", "data/loader.py", "train.py"])
    ]
    purpose: text(140)  # type: ignore[valid-type]


class FunctionAnswer(Answer):
    kind: Literal["function"]
    signature: Annotated[
        str,
        Field(
            pattern=answers.FUNCTION,
            max_length=120,
            examples=[
                "def score(x: torch.Tensor) -> torch.Tensor",
                "def load(n: int = 3) -> list[float]",
                "def fit(k: Any) -> float",
            ],
        ),
    ]
    does: text(140)  # type: ignore[valid-type]


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


def files_question(scale: float) -> Question[Answer]:
    """Ask for the list of files."""
    most = max(2, int(MOST_FILES * scale))
    kind = fields("FilesAnswer", files=several(FileAnswer, most, 1))

    def refuse(answer: Any) -> str | None:
        kept, _ = usable_files(answer.files)
        return None if len(kept) >= 2 else "name at least two different files besides main.py, each only once"

    return Question("plan.files", prompt(__package__, "files.md", most=most), kind, int(600 * scale), refuse)


def needs_type(earlier: Sequence[str]) -> type[Answer]:
    """Return the answer type of a file's needs: yes or no for each file before it, so that none is passed over."""
    asked = {f"needs_{i}": Annotated[bool, Field(alias=path)] for i, path in enumerate(earlier)}
    answer: type[Answer] = fields("NeedsAnswer", **asked)
    return answer


def interface_type(bases: Sequence[str], scale: float) -> type[Answer]:
    """Return the answer type of an interface whose classes derive from one of `bases`."""
    planned = fields(
        "ClassAnswer",
        kind=Literal["class"],
        name=Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]{1,30}$", examples=["Model", "Sampler", "Head"])],
        base=choice(bases),
        does=text(140),
        attributes=several(AttributeAnswer, 4 * scale),
        methods=several(MethodAnswer, 4 * scale, 1),
    )
    definition = planned | FunctionAnswer  # not a tagged union: grammars know anyOf, not oneOf
    answer: type[Answer] = fields("InterfaceAnswer", definitions=several(definition, 4, 1))
    return answer


def usable_files(listed: Sequence[FileAnswer]) -> tuple[dict[str, str], list[Finding]]:
    """Return path → purpose without what cannot be a file of ours, and what was left out."""
    kept: dict[str, str] = {}
    findings = []
    for file in listed:
        module = file.path.removesuffix(".py")
        others = [other.removesuffix(".py") for other in (*kept, ENTRY)]
        clash = any(o.startswith(f"{module}/") or module.startswith(f"{o}/") for o in others)
        problem = "is named twice" if file.path in kept else paths.unusable(file.path)
        problem = problem or ("is a file and a folder" if clash else None)
        problem = problem or ("is written separately" if NOT_MODULES.match(PurePosixPath(file.path).stem) else None)
        if file.path == ENTRY:
            continue
        if problem:
            findings.append(mended(file.path, f"{file.path} {problem}; it was left out of the plan"))
        else:
            kept[file.path] = file.purpose
    return kept, findings


async def architecture_of(asker: Asker, scale: float) -> Architecture:
    """Ask for files, needs and interfaces. Raises AnswerError when no file list or no interface can be had."""
    listed: Any = await asker.ask(files_question(scale))
    if isinstance(listed, Unanswered):
        raise AnswerError(
            "files", f"no usable list of files: {listed.reason}", "Try a larger model, or another --seed."
        )
    purposes, findings = usable_files(listed.files)
    needs = await _needs(asker, purposes)
    drafts = _Interfaces(asker, purposes, needs, scale)
    designed = await drafts.all()
    findings += drafts.findings
    kept = {file.path for file in designed}
    if not kept:
        raise AnswerError("interfaces", "no file has a usable interface", "Try a larger model, or another --seed.")
    files = [f.model_copy(update={"needs": tuple(n for n in f.needs if n in kept)}) for f in designed]
    main = FilePlan(
        path=ENTRY,
        purpose="Entry point: runs the experiment with config.yaml.",
        needs=tuple(f.path for f in files),
        classes=(),
        functions=(MAIN,),
    )
    return Architecture((*files, main), tuple(findings))


async def _needs(asker: Asker, purposes: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """Ask, for all files together, which earlier files each imports; a file whose answer is lost needs none."""
    listing = list(purposes)

    async def of(position: int) -> tuple[str, ...]:
        path, earlier = listing[position], listing[:position]
        if not earlier:
            return ()
        asked = prompt(__package__, "needs.md", files=purposes.items(), path=path, earlier=earlier)
        answer = await asker.ask(Question(f"plan.needs.{path}", asked, needs_type(earlier), 40 + 40 * len(earlier)))
        said = {} if isinstance(answer, Unanswered) else answer.model_dump(by_alias=True)
        return tuple(need for need in earlier if said.get(need))

    found = await asyncio.gather(*(of(i) for i in range(len(listing))))
    return dict(zip(listing, found, strict=True))


class _Interfaces:
    """Designs every file's interface as soon as those of the files that it needs are known."""

    def __init__(self, asker: Asker, purposes: dict[str, str], needs: dict[str, tuple[str, ...]], scale: float) -> None:
        self._asker, self._purposes, self._needs, self._scale = asker, purposes, needs, scale
        self._tasks: dict[str, asyncio.Task[FilePlan | None]] = {}
        self.findings: list[Finding] = []

    async def all(self) -> tuple[FilePlan, ...]:
        async with asyncio.TaskGroup() as group:
            for path in self._purposes:
                self._tasks[path] = group.create_task(self._design(path))
        listing = list(self._purposes)
        self.findings.sort(key=lambda finding: listing.index(finding.path))  # not in the order of completion
        designed = [file for task in self._tasks.values() if (file := task.result())]
        return self._without_repeats(designed)

    async def _design(self, path: str) -> FilePlan | None:
        needed = [file for need in self._needs[path] if (file := await self._tasks[need])]
        local = [c.name for file in needed for c in file.classes]
        asked = prompt(
            __package__,
            "interface.md",
            files=self._purposes.items(),
            path=path,
            purpose=self._purposes[path],
            known=[line for file in needed for line in imports(file)],
        )
        kind = interface_type((*EXTERNAL_BASES, *unique(local)), self._scale)
        question: Question[Any] = Question(
            f"plan.interface.{path}", asked, kind, int(2400 * self._scale), lambda a: _refused(a, local)
        )
        answer = await self._asker.ask(question)
        if isinstance(answer, Unanswered):
            message = f"no usable interface was given for {path} ({answer.reason}); the file was left out"
            self.findings.append(mended(path, message))
            return None
        return file_plan(path, self._purposes[path], self._needs[path], answer, local)

    def _without_repeats(self, files: list[FilePlan]) -> tuple[FilePlan, ...]:
        """Keep a name where it is planned first: two files may not define the same thing."""
        taken: set[str] = set()
        kept: list[FilePlan] = []
        for file in files:
            again = taken & set(file.names())
            if again:
                self.findings.append(
                    mended(file.path, f"{file.path} plans {', '.join(sorted(again))} again; left out there")
                )
                classes = tuple(c for c in file.classes if c.name not in again)
                functions = tuple(f for f in file.functions if f.name not in again)
                file = file.model_copy(update={"classes": classes, "functions": functions})
            taken |= set(file.names())
            if file.names():
                kept.append(self._with_known_bases(file, kept))
        return tuple(kept)

    def _with_known_bases(self, file: FilePlan, earlier: Sequence[FilePlan]) -> FilePlan:
        """Drop a base that was left out where it was planned."""
        known = {"", *EXTERNAL_BASES, *(c.name for f in earlier if f.path in file.needs for c in f.classes)}
        lost = [c for c in file.classes if c.base not in known]
        self.findings += [mended(file.path, f"{c.name} derived from {c.base}, which was left out") for c in lost]
        classes = tuple(c.model_copy(update={"base": ""}) if c in lost else c for c in file.classes)
        return file.model_copy(update={"classes": classes})


def imports(file: FilePlan) -> list[str]:
    """Return one import line for each name of a file. Shown whole interfaces, small models copy them as their own."""
    purposes = {c.name: c.purpose for c in file.classes} | {f.name: f.purpose for f in file.functions}
    return [f"from {paths.module_of(file.path)} import {name}  # {purpose}" for name, purpose in purposes.items()]


def _refused(answer: Any, local: Sequence[str]) -> str | None:
    if all(d.kind == "class" and d.name in local for d in answer.definitions):
        taken = ", ".join(d.name for d in answer.definitions)
        return f"{taken}: a file that this one imports defines that already; define what is still missing"
    if words := [d.name for d in answer.definitions if d.kind == "class" and keyword.iskeyword(d.name)]:
        return f"{words[0]} is a word of Python itself; name the class otherwise"
    return None


def file_plan(path: str, purpose: str, needs: tuple[str, ...], answer: Any, local: Sequence[str]) -> FilePlan:
    """Assemble a file's plan from an answer: types that nothing defines become Any, repeats are dropped."""
    drafts = [d for d in answer.definitions if d.kind == "class" and d.name not in local]
    own = [c.name for c in drafts]
    known = KNOWN_ROOTS | set(local) | set(own)
    classes: dict[str, ClassPlan] = {}
    for planned in drafts:
        methods = _functions(planned.methods, known)
        if not methods or ("__init__" not in {m.name for m in methods} and planned.base not in local):
            made = FunctionPlan(
                signature="def __init__(self, config: dict[str, Any]) -> None", purpose="Set up from the config."
            )
            methods = (made, *methods)
        attributes = {
            a.name: Attribute(name=a.name, type=known_type(a.type, known))
            for a in planned.attributes
            if not keyword.iskeyword(a.name)
        }
        classes.setdefault(
            planned.name,
            ClassPlan(
                name=planned.name,
                base="" if planned.base == "none" else planned.base,
                purpose=planned.does,
                attributes=tuple(attributes.values()),
                methods=methods,
            ),
        )
    functions = tuple(
        f
        for f in _functions([d for d in answer.definitions if d.kind == "function"], known)
        if f.name not in classes and f.name != "main"
    )
    return FilePlan(path=path, purpose=purpose, needs=needs, classes=tuple(classes.values()), functions=functions)


def _functions(listed: Sequence[Any], known: set[str] | frozenset[str]) -> tuple[FunctionPlan, ...]:
    plans: dict[str, FunctionPlan] = {}
    for item in listed:
        if signature := usable_signature(item.signature, known):
            plan = FunctionPlan(signature=signature, purpose=item.does)
            plans.setdefault(plan.name, plan)
    return tuple(plans.values())


def usable_signature(line: str, known: set[str] | frozenset[str]) -> str | None:
    """Return `line` as a signature that compiles and whose types are known, or None when nothing can be made of it.

    Repeated parameters are dropped; a parameter without a default after one that has one gets None.
    """
    line = _DOTS.sub(lambda dots: dots["ellipsis"] or "", line)
    if "()" not in line:
        line = line.replace("(", "(*, ", 1)  # keyword-only parameters may have their defaults in any order
    try:
        tree = ast.parse(f"{line}: ...").body[0]
    except (SyntaxError, ValueError):
        return None
    if not isinstance(tree, ast.FunctionDef):
        return None
    parameters: dict[str, str] = {}
    defaulted = False
    for position, (argument, default) in enumerate(zip(tree.args.kwonlyargs, tree.args.kw_defaults, strict=True)):
        if argument.arg in parameters or (argument.arg == "self" and (position or argument.annotation)):
            continue
        written = argument.arg
        if argument.annotation is not None:
            written += f": {known_type(ast.unparse(argument.annotation), known)}"
        defaulted = defaulted or default is not None
        if defaulted:
            written += f" = {ast.unparse(default)}" if default is not None else " = None"
        parameters[argument.arg] = written
    returns = known_type(ast.unparse(tree.returns), known) if tree.returns else "None"
    if tree.name == "__init__":
        returns = "None"
    signature = f"def {tree.name}({', '.join(parameters.values())}) -> {returns}"
    try:
        compile(f"{signature}: ...", "<signature>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):  # a keyword as a name
        return None
    return signature


def known_type(written: str, known: set[str] | frozenset[str]) -> str:
    """Return the annotation `written`, or Any when a name in it is defined nowhere."""
    try:
        tree = ast.parse(written, mode="eval")
    except SyntaxError:
        return "Any"
    roots = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return (
        written
        if (roots or written == "None") and all(root in known or hasattr(builtins, root) for root in roots)
        else "Any"
    )
