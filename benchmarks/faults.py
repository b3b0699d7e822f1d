"""Faults to plant in correct repositories, each proved by syntax to be one before it is planted.

In: a repository. Out: changed files, and where which family of findings is due. Must not know the gate: what is a
fault is decided here with `ast` alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from planting import Definition, Needs, Parsed, Repository


@dataclass(frozen=True)
class Fault:
    """One planted fault."""

    families: str
    """First digits of the codes that name it: "6" for P2C6xx; any of them will do."""
    files: Mapping[str, bytes]
    """What is changed; the rest stays."""
    where: frozenset[str]
    """A finding in any of these files counts."""
    what: str
    needs: Needs | None = None
    """The import order to check against, where that is what is changed."""


def _choose(repository: Repository, options: list[Fault]) -> Fault | None:
    return repository.chance.choice(options) if options else None


def _definitions(r: Repository) -> list[tuple[Parsed, Definition, frozenset[str]]]:
    """Return definitions of modules with the files that use them by name: by import, or at home outside of them."""
    found = []
    p = r.any_file()
    for s in p.tree.body:
        if isinstance(s, Definition) and p.bound[s.name] == 1 and "__getattr__" not in p.text:
            users = {path for path in r.imported_by.get((p.path, s.name), ()) if path != p.path}
            inside = sum(isinstance(n, ast.Name) and n.id == s.name for n in ast.walk(s))
            if p.loads[s.name] > inside:
                users.add(p.path)
            if users:
                found.append((p, s, frozenset(users)))
    return found


def delete_definition(r: Repository) -> Fault | None:
    """Delete a function or class that is used."""
    options = []
    for p, s, users in _definitions(r):
        start = p.starts[min([s.lineno, *(d.lineno for d in s.decorator_list)]) - 1]
        options.append(Fault("26", {p.path: p.replaced(start, p.span(s)[1], "")}, users, f"deleted {s.name}"))
    return _choose(r, options)


def rename_definition(r: Repository) -> Fault | None:
    """Rename a function or class that is used, and not where it is used."""
    options = []
    for p, s, users in _definitions(r):
        start = p.span(s)[0]
        found = re.compile(rb"(?:class|def)\s+(\w+)").search(p.text.encode(), start)
        new = r.misspelled(s.name)
        if found is not None and new is not None:
            changed = p.replaced(found.start(1), found.end(1), new)
            options.append(Fault("26", {p.path: changed}, users, f"renamed {s.name} to {new}"))
    return _choose(r, options)


def drop_import(r: Repository) -> Fault | None:
    """Drop an import that is used."""
    p = r.any_file()
    options = []
    for s in p.tree.body:
        if not isinstance(s, ast.Import | ast.ImportFrom) or len(s.names) != 1 or p.path.endswith("__init__.py"):
            continue
        name = (s.names[0].asname or s.names[0].name).partition(".")[0]
        if p.bound[name] == 1 and p.loads[name]:
            options.append(Fault("6", {p.path: p.replaced(*p.span(s), "pass")}, frozenset({p.path}), f"dropped {name}"))
    return _choose(r, options)


def drop_argument(r: Repository) -> Fault | None:
    """Drop the last of the positional arguments of a call that are all required."""
    p = r.any_file()
    options = []
    for call, parameters, filled in r.calls(p):
        names = [a.arg for a in (*parameters.posonlyargs, *parameters.args)]
        required = len(names) - len(parameters.defaults)
        last = len(call.args) + filled - 1
        if not call.args or last >= required or names[last] in {k.arg for k in call.keywords}:
            continue
        start = p.span(call.args[-2])[1] if len(call.args) > 1 else p.span(call.args[-1])[0]
        end = p.span(call.args[-1])[1]
        if len(call.args) == 1 and call.keywords:
            continue
        options.append(_call_fault(p, call, p.replaced(start, end, ""), "dropped an argument"))
    return _choose(r, _compiling(options))


def add_argument(r: Repository) -> Fault | None:
    """Add an argument that nothing takes."""
    p = r.any_file()
    options = []
    for call, parameters, filled in r.calls(p):
        names = [*parameters.posonlyargs, *parameters.args]
        at = p.span(call)[1] - 1
        comma = ", " if call.args or call.keywords else ""
        if p.text.encode()[:at].rstrip().endswith(b","):
            comma = ""
        if parameters.vararg is None and not call.keywords and len(call.args) + filled == len(names):
            options.append(_call_fault(p, call, p.replaced(at, at, f"{comma}None"), "added an argument"))
        elif parameters.kwarg is None:
            options.append(_call_fault(p, call, p.replaced(at, at, f"{comma}surplus_value=1"), "added a keyword"))
    return _choose(r, _compiling(options))


def misspell_keyword(r: Repository) -> Fault | None:
    """Misspell a keyword of a call."""
    p = r.any_file()
    options = []
    for call, parameters, _ in r.calls(p):
        for keyword in call.keywords if parameters.kwarg is None else ():
            new = r.misspelled(keyword.arg or "")
            if new is not None and keyword.arg is not None:
                start = p.span(keyword)[0]
                changed = p.replaced(start, start + len(keyword.arg.encode()), new)
                options.append(_call_fault(p, call, changed, f"misspelled {keyword.arg}"))
    return _choose(r, _compiling(options))


def _call_fault(p: Parsed, call: ast.Call, changed: bytes, what: str) -> Fault:
    return Fault("7", {p.path: changed}, frozenset({p.path}), f"{what} in line {call.lineno}")


def _compiling(options: list[Fault]) -> list[Fault]:
    """Keep what still compiles: parentheses and generators make text edits go wrong."""
    return [fault for fault in options if all(_compiles(data) for data in fault.files.values())]


def _compiles(data: bytes) -> bool:
    try:
        compile(data, "m.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _self_reads(p: Parsed, called: bool) -> Iterator[ast.Attribute]:
    """Yield reads of `self.x` where the same class assigns `self.x`, or calls of a method that it defines."""
    safe = set(map(id, p.safe))
    for cls in (n for n in p.tree.body if isinstance(n, ast.ClassDef)):
        nodes = [n for n in ast.walk(cls) if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)]
        own = [n for n in nodes if isinstance(n.value, ast.Name) and n.value.id == "self"]
        assigned = {n.attr for n in own if isinstance(n.ctx, ast.Store)}
        methods = {s.name for s in cls.body if isinstance(s, ast.FunctionDef)}
        functions = {id(n.func) for n in ast.walk(cls) if isinstance(n, ast.Call)}
        for node in own:
            if isinstance(node.ctx, ast.Load) and id(node) in safe:
                is_method = node.attr in methods and id(node) in functions
                if is_method if called else node.attr in assigned - methods:
                    yield node


def _misspell(r: Repository, called: bool) -> Fault | None:
    p = r.any_file()
    options = []
    for node in _self_reads(p, called):
        new = r.misspelled(node.attr)
        if new is not None:
            end = p.span(node)[1]
            changed = p.replaced(end - len(node.attr.encode()), end, new)
            options.append(Fault("6", {p.path: changed}, frozenset({p.path}), f"self.{node.attr} became self.{new}"))
    return _choose(r, _compiling(options))


def misspell_attribute(r: Repository) -> Fault | None:
    """Misspell an attribute of `self` where it is read."""
    return _misspell(r, called=False)


def misspell_method(r: Repository) -> Fault | None:
    """Misspell a method of `self` where it is called."""
    return _misspell(r, called=True)


def swap_order(r: Repository) -> Fault | None:
    """Put a file before one that it imports, in the order of the logic design."""
    pairs = [(path, need) for path, needs in r.needs.items() for need in needs]
    if not pairs:
        return None
    path, need = r.chance.choice(pairs)
    order = list(r.needs)
    order.remove(path)
    order.insert(order.index(need), path)
    place = {each: number for number, each in enumerate(order)}
    needs = {each: tuple(n for n in r.needs[each] if place[n] < place[each]) for each in order}
    return Fault("2", {}, frozenset({path}), f"{path} before {need}", needs)


def cut_file(r: Repository) -> Fault | None:
    """Cut a file at a place where it then does not compile."""
    p = r.any_file()
    data = p.text.encode()
    for _ in range(20):
        at = r.chance.randrange(len(data) + 1)
        if at > 20 and not _compiles(data[:at]):
            return Fault("1", {p.path: data[:at]}, frozenset({p.path}), f"cut at byte {at}")
    return None


def break_syntax(r: Repository) -> Fault | None:
    """Delete one bracket or colon, so that the file does not compile."""
    p = r.any_file()
    data = p.text.encode()
    places = [m.start() for m in re.finditer(rb"[()\[\]{}:]", data)]
    for _ in range(20 if places else 0):
        at = r.chance.choice(places)
        if not _compiles(changed := data[:at] + data[at + 1 :]):
            return Fault("1", {p.path: changed}, frozenset({p.path}), f"deleted byte {at}")
    return None


PLANTERS: Mapping[str, tuple[str, Callable[[Repository], Fault | None]]] = {
    "cut a file": ("cut", cut_file),
    "delete a bracket or colon": ("syntax", break_syntax),
    "delete a definition": ("imports", delete_definition),
    "rename a definition": ("imports", rename_definition),
    "swap two files in the order": ("imports", swap_order),
    "drop an import": ("symbols", drop_import),
    "misspell self.attribute": ("symbols", misspell_attribute),
    "misspell self.method()": ("symbols", misspell_method),
    "drop an argument": ("signatures", drop_argument),
    "add an argument": ("signatures", add_argument),
    "misspell a keyword": ("signatures", misspell_keyword),
}
"""What is planted → the family it is counted under, and who plants it (None: there was no place for it)."""
