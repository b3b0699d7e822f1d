"""Two Mermaid diagrams, drawn from the plan so that they always parse.

In: a `Plan`. Out: the text of a classDiagram and of a sequenceDiagram. Everything that comes from a model passes a list
of allowed characters, and no name of ours is a word of Mermaid's. Must not know Markdown.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from paper2code_local.artifacts.plan import ENTRY, ClassPlan, FunctionPlan, Plan, RelationKind

ARROWS: Mapping[RelationKind, str] = {
    "inheritance": "<|--",
    "composition": "*--",
    "aggregation": "o--",
    "association": "-->",
    "dependency": "..>",
}
"""https://mermaid.js.org/syntax/classDiagram.html; an inheritance is drawn from the base, all else from the source."""
_TYPE_MAX = 80
_PARAMETERS_MAX = 8


def class_diagram(plan: Plan) -> str:
    """Draw every class with attributes, methods and relations; a file's own functions stand in a box of the file."""
    ids = _ids(plan)
    lines = ["classDiagram"]
    for file in plan.files:
        for planned in file.classes:
            lines += _box(ids[file.path, planned.name], planned.name, _class_members(planned, plan))
        if file.functions or file.path == ENTRY:
            members = ("<<module>>", *(f"+{_function(f)}" for f in file.functions))
            lines += _box(ids[file.path, ""], file.path, members)
    named = {name: identifier for (_, name), identifier in reversed(ids.items())}
    return "\n".join([*lines, *(f"    {named[a]} {arrow} {named[b]}" for a, arrow, b in _edges(plan))]) + "\n"


def sequence_diagram(plan: Plan) -> str:
    """Draw the calls between files in time order; without any, the entry point stands alone."""
    paths = list(dict.fromkeys(path for call in plan.calls for path in (call.caller, call.callee))) or [ENTRY]
    ids = {path: f"p{i}" for i, path in enumerate(paths, 1)}
    lines = ["sequenceDiagram", *(f"    participant {ids[path]} as {path}" for path in paths)]
    for call in plan.calls:
        names = _listed(name for name, _ in _parameters(_definition(plan, call.callee, call.definition)))
        lines.append(f"    {ids[call.caller]}->>{ids[call.callee]}: {_words(call.definition)}({names})")
    return "\n".join(lines) + "\n"


def _ids(plan: Plan) -> dict[tuple[str, str], str]:
    """Return (path, class name, or "" for the file itself) → an id of its own that is no word of Mermaid's.

    Those words begin with a small letter, as `class` or `end`, and none holds "_py".
    """
    ids: dict[tuple[str, str], str] = {}
    for file in plan.files:
        for name in (*(c.name for c in file.classes), ""):
            wanted = name if name[:1].isupper() else f"{name}_" if name else re.sub(r"[/.]", "_", file.path)
            while wanted in ids.values():
                wanted += "_"
            ids[file.path, name] = wanted
    return ids


def _box(identifier: str, label: str, members: tuple[str, ...]) -> list[str]:
    named = identifier if identifier == label else f'{identifier}["{label}"]'
    if not members:
        return [f"    class {named}"]
    return [f"    class {named} {{", *(f"        {member}" for member in members), "    }"]


def _edges(plan: Plan) -> Iterator[tuple[str, str, str]]:
    """Yield (class, arrow, class), each once; a local base is an inheritance whether the relations say so or not."""
    classes = [c for f in plan.files for c in f.classes]
    local = {c.name for c in classes}
    bases: list[tuple[str, str, RelationKind]] = [(c.name, c.base, "inheritance") for c in classes if c.base in local]
    for source, target, kind in dict.fromkeys([*bases, *((r.source, r.target, r.kind) for r in plan.relations)]):
        yield (target, ARROWS[kind], source) if kind == "inheritance" else (source, ARROWS[kind], target)


def _class_members(planned: ClassPlan, plan: Plan) -> tuple[str, ...]:
    local = {c.name for f in plan.files for c in f.classes}
    base = _words(planned.base) if planned.base not in local else ""
    attributes = (_visibility(a.name) + f"{_typed(a.type)} {a.name}".lstrip() for a in planned.attributes)
    methods = (f"{_visibility(m.name)}{_function(m)}" for m in planned.methods)
    return (*([f"<<{base}>>"] if base else []), *attributes, *methods)


def _visibility(name: str) -> str:
    return "-" if name.startswith("_") and not name.startswith("__") else "+"


def _function(planned: FunctionPlan) -> str:
    node = _parsed(planned)
    parameters = _listed(f"{name}: {kind}" if kind else name for name, kind in _parameters(planned))
    return f"{_words(node.name)}({parameters}) {_typed(_text(node.returns))}".rstrip()


def _definition(plan: Plan, path: str, qualname: str) -> FunctionPlan:
    """Return what a call names: a function, or a class's method; `Plan` has made sure that it is there."""
    file = plan.file(path)
    named = {f.name: f for f in file.functions}
    named |= {f"{c.name}.{m.name}": m for c in file.classes for m in c.methods}
    return named[qualname]


def _parsed(planned: FunctionPlan) -> ast.FunctionDef | ast.AsyncFunctionDef:
    node = ast.parse(f"{planned.signature}: ...").body[0]
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)  # a Signature is one
    return node


def _parameters(planned: FunctionPlan) -> Iterator[tuple[str, str]]:
    """Yield (name, type) of each parameter except `self` and `cls`; stars stand before the name."""
    found = _parsed(planned).args
    starred = ((star, arg) for star, arg in (("*", found.vararg), ("**", found.kwarg)) if arg)
    for star, arg in (*(("", a) for a in (*found.posonlyargs, *found.args, *found.kwonlyargs)), *starred):
        if arg.arg not in ("self", "cls"):
            yield star + _words(arg.arg), _typed(_text(arg.annotation))


def _listed(parts: Iterator[str]) -> str:
    names = list(parts)
    return ", ".join([*names[:_PARAMETERS_MAX], *(["..."] if len(names) > _PARAMETERS_MAX else [])])


def _text(annotation: ast.expr | None) -> str:
    return ast.unparse(annotation) if annotation else ""


def _typed(text: str) -> str:
    """Return a type as Mermaid writes it: "dict[str, list[int]]" becomes "dict~str, list~int~~"."""
    shown = ""
    is_generic: list[bool] = []
    for char in _words(text[:_TYPE_MAX].replace("|", " or "), "[]"):
        if char == "[":  # after a name it begins a generic; elsewhere, as in Callable[[int], str], it only groups
            is_generic.append(shown[-1:].isalnum() or shown.endswith("_"))
        if char in "[]":
            shown += "~" if is_generic and (is_generic[-1] if char == "[" else is_generic.pop()) else ""
        else:
            shown += char
    return shown.strip() + "~" * sum(is_generic)


def _words(text: str, also: str = "") -> str:
    """Return `text` reduced to what can stand anywhere in a line: names, dots, commas, and the characters of `also`."""
    ascii_only = re.sub(r"[^\x00-\x7f]", "_", text)
    return " ".join(re.sub(rf"[^A-Za-z0-9_.,{re.escape(also)}]+", " ", ascii_only).split())
