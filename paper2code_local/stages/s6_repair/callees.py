"""Functions and methods that code calls and nobody wrote: models like to call what they would still have to write.

In: a repository and what the gate found. Out: `Helper`s, with a signature that fits every call, and where each stands.
Must not know who writes their bodies.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from paper2code_local.artifacts.finding import Finding, errors_of
from paper2code_local.artifacts.repo import Repo, SourceFile
from paper2code_local.source import compile_error, outline, unit_at
from paper2code_local.stages.s6_repair.mechanical.names import HOLDER, around, parameters

MOST = 12
"""Helpers of one repository: code that calls more is not short of helpers."""
SHOWN = 100
"""Characters of a call that a docstring quotes."""
Call = tuple[ast.Call, ast.stmt]
"""A call, and the statement that it stands in."""


@dataclass(frozen=True)
class Helper:
    """A function or method to write."""

    path: str
    owner: str
    """The class; "" for a function."""
    name: str
    signature: str
    purpose: str
    code: str
    """Of the finding."""
    given: bool = False
    """Whether its calls, which do not say so, are to pass the settings on to it as its first argument."""

    @property
    def qualname(self) -> str:
        return f"{self.owner}.{self.name}" if self.owner else self.name


def helpers_of(repo: Repo, findings: tuple[Finding, ...], kept: frozenset[str]) -> tuple[Helper, ...]:
    """Return what is called and defined nowhere, where all that the code does with it is to call it.

    Files in `kept` are the user's. What is called like a class, or with `*` or `**`, is left alone.
    """
    texts = {f.path: f.text for f in repo.files if isinstance(f, SourceFile) and f.path not in kept}
    found: dict[tuple[str, str], Helper] = {}
    for finding in errors_of(findings):
        text = texts.get(finding.path, "")
        make = _WAYS.get(finding.code)
        if make is None or not finding.line or compile_error(text, finding.path):
            continue
        helper = make(finding, text)
        if (
            helper
            and helper.path in texts
            and all(other.name != helper.name for other in found.values() if not other.owner)
        ):
            found.setdefault((helper.path, helper.qualname), helper)
    return tuple(found.values())[:MOST]


def with_helper(repo: Repo, helper: Helper, stub: str) -> Repo:
    """Return the repository with `stub`, a function or method, where the helper belongs; it counts as a stub.

    Its calls pass the settings on, where it is given them.
    """
    files = [
        f.model_copy(update={"text": _inserted(f.text, helper, stub), "stubbed": (*f.stubbed, helper.qualname)})
        if isinstance(f, SourceFile) and f.path == helper.path
        else f
        for f in repo.files
    ]
    return Repo(files=tuple(files))


def _function(finding: Finding, text: str) -> Helper | None:
    (name,) = finding.about
    tree = ast.parse(text)
    calls = list(_calls(tree, lambda node: isinstance(node, ast.Name) and node.id == name))
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]
    helper = _helper(finding, text, tree, "", name, calls, finding.path) if len(uses) == len(calls) else None
    if helper is None or not all(_could_pass(tree, text, call) for call, _ in calls):
        return helper
    return replace(helper, given=True, signature=helper.signature.replace("(", f"({HOLDER}, ", 1).replace(", )", ")"))


def _could_pass(tree: ast.Module, text: str, call: ast.Call) -> bool:
    """Tell whether a call stands in a function that has the settings, and passes nothing of them on."""
    callers = around(tree, call.lineno)
    parts = [part for argument in (*call.args, *call.keywords) for part in ast.walk(argument)]
    passed = any(isinstance(part, ast.Name) and part.id == HOLDER for part in parts)
    alone = any(isinstance(argument, ast.GeneratorExp) for argument in call.args)  # no second argument may join it
    row = text.split("\n")[(call.func.end_lineno or 1) - 1].encode()
    inside = any(isinstance(node, ast.JoinedStr) and call in ast.walk(node) for node in ast.walk(tree))
    opens = b"(" in row[call.func.end_col_offset :] and not inside  # places in f-strings are told from Python 3.12 on
    return bool(callers) and HOLDER in parameters(callers[-1]) and not passed and not alone and opens


def _passing(text: str, name: str) -> str:
    """Return a file in which every call of the function passes the settings on."""
    rows = [row.encode() for row in text.split("\n")]
    calls = [call for call, _ in _calls(ast.parse(text), lambda node: isinstance(node, ast.Name) and node.id == name)]
    for call in sorted(calls, key=lambda each: (each.lineno, each.col_offset), reverse=True):
        row, after = call.func.lineno - 1, call.func.end_col_offset or 0
        start = rows[row].index(b"(", after) + 1
        more = b", " if call.args or call.keywords else b""
        rows[row] = rows[row][:start] + HOLDER.encode() + more + rows[row][start:]
    return "\n".join(row.decode() for row in rows)


def _method(finding: Finding, text: str) -> Helper | None:
    receiver = finding.about[0]
    unit = unit_at(text, finding.line)
    owner = unit.qualname.rpartition(".")[0] if unit else ""
    tree = ast.parse(text)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == owner]
    if receiver != "self" or not classes:
        return None

    return _called_on(finding, text, tree, classes[-1], owner, finding.path)


def _method_of_another(finding: Finding, text: str) -> Helper | None:
    """Return the method that an object of a class elsewhere is wanted to have: `loader.shuffle()`."""
    path, _, owner = finding.about[2].partition(":")
    steps = finding.about[0].split(".")
    if steps[-1] == owner or not all(step.isidentifier() for step in steps):
        return None  # of the class itself, or of more than names
    tree = ast.parse(text)
    return _called_on(finding, text, tree, tree, owner, path)


def _called_on(finding: Finding, text: str, tree: ast.Module, within: ast.AST, owner: str, path: str) -> Helper | None:
    """Return the method of `owner` that `within` calls on the finding's receiver, if that is all it does with it."""
    receiver, name = finding.about[:2]

    def meant(node: ast.expr) -> bool:
        return isinstance(node, ast.Attribute) and node.attr == name and ast.unparse(node.value) == receiver

    calls = list(_calls(within, meant))
    uses = [node for node in ast.walk(within) if isinstance(node, ast.expr) and meant(node)]
    return _helper(finding, text, tree, owner, name, calls, path) if len(uses) == len(calls) else None


_WAYS: Mapping[str, Callable[[Finding, str], Helper | None]] = {
    "P2C601": _function,
    "P2C603": _method,
    "P2C604": _method_of_another,
}


def _calls(tree: ast.AST, meant: Callable[[ast.expr], bool]) -> Iterator[Call]:
    """Return the calls of what is meant, each with its statement."""
    for statement in ast.walk(tree):
        if not isinstance(statement, ast.stmt):
            continue
        inside: list[ast.AST] = [n for n in ast.iter_child_nodes(statement) if not isinstance(n, ast.stmt)]
        while inside:
            node = inside.pop()
            if isinstance(node, ast.Call) and meant(node.func):
                yield node, statement
            inside += [n for n in ast.iter_child_nodes(node) if not isinstance(n, ast.stmt)]


def _helper(
    finding: Finding, text: str, tree: ast.Module, owner: str, name: str, calls: list[Call], path: str
) -> Helper | None:
    awaited = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Await)}
    if any(id(call) in awaited for call, _ in calls):
        return None
    signature = signature_of(name, [call for call, _ in calls], method=bool(owner))
    if signature is None or not re.match(r"_*[a-z]", name):
        return None
    line = " ".join((ast.get_source_segment(text, calls[0][1]) or "").split("\n")[0].split())[:SHOWN]
    caller = unit_at(text, calls[0][0].lineno)
    purpose = f"Do what {caller.qualname if caller else 'the module'} calls it for: {line}"
    return Helper(path, owner, name, signature, purpose, finding.code)


def signature_of(name: str, calls: Sequence[ast.Call], *, method: bool) -> str | None:
    """Return a signature that takes all of the calls; None where none is certain to."""
    if not calls or any(isinstance(a, ast.Starred) for c in calls for a in c.args):
        return None
    if any(k.arg is None for c in calls for k in c.keywords):
        return None
    parameters: list[str] = ["self"] if method else []
    for position, value in enumerate(max(calls, key=lambda call: len(call.args)).args):
        wanted = _called(value)
        free = wanted not in parameters and wanted != name
        numbered = (f"value{n}" for n in range(position + 1, position + 99))
        parameters.append(wanted if wanted and free else next(n for n in numbered if n not in parameters))
    positional = parameters[method:]
    for call in calls:
        if {k.arg for k in call.keywords} & set(positional[: len(call.args)]):
            return None  # the same parameter by place and by name
    parameters += dict.fromkeys(k.arg for c in calls for k in c.keywords if k.arg and k.arg not in parameters)
    given = [{*positional[: len(c.args)], *(k.arg for k in c.keywords)} for c in calls]
    said, optional = [], False
    for parameter in parameters:
        optional = optional or (parameter != "self" and any(parameter not in each for each in given))
        said.append(f"{parameter}=None" if optional else parameter)
    return f"def {name}({', '.join(said)})"


def _called(value: ast.expr) -> str:
    """Return what a parameter is called that gets this value; "" for nothing that fits."""
    match value:
        case ast.Name(id=word) | ast.Attribute(attr=word) | ast.Subscript(slice=ast.Constant(value=str(word))):
            fits = word.isidentifier() and word.isascii() and not keyword.iskeyword(word)
            return word if fits and word != "self" else ""
        case _:
            return ""


def _inserted(text: str, helper: Helper, stub: str) -> str:
    """Return the file with a method at the end of its class, a function before the statement that first calls it."""
    lines = (_passing(text, helper.name) if helper.given else text).split("\n")
    if helper.owner:
        end = max(d.end for d in outline(text).definitions if d.qualname == helper.owner)
        return "\n".join([*lines[:end], "", *stub.rstrip().split("\n"), *lines[end:]])
    calling = next(
        statement
        for statement in ast.parse(text).body
        if any(isinstance(node, ast.Name) and node.id == helper.name for node in ast.walk(statement))
    )
    start = min([calling.lineno, *(d.lineno for d in getattr(calling, "decorator_list", ()))]) - 1
    return "\n".join([*lines[:start], *stub.rstrip().split("\n"), "", "", *lines[start:]])
