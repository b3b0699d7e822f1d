"""Files that import each other while they are being imported (P2C203).

In: the modules of a repository and, for what was generated, the logic design. Out: findings. Must not know how names
are resolved.

A circle alone is legal Python. What breaks is `from m import name` while `m` has not come to `name` yet; so each circle
is imported in thought, statement by statement, from each file that the rest of the repository enters it by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.import_order import ImportOrder
from paper2code_local.source import Import
from paper2code_local.stages.s5_validate.codes import finding
from paper2code_local.stages.s5_validate.imports import imported_files
from paper2code_local.stages.s5_validate.modules import MODULE_ATTRIBUTES, UNKNOWN, Module, Modules

_SIMULATED = 150
"""Largest circle that is imported in thought, in files: it bounds time and depth; larger ones are taken to work."""


UNDECIDED = "?"


@dataclass(frozen=True, slots=True)
class Edge:
    """One import of a file by another while both are being imported."""

    target: str
    imported: Import


@dataclass(frozen=True, slots=True)
class Failure:
    """The import in `file` that fails, because `target` has not bound `name` yet."""

    file: str
    imported: Import
    name: str
    target: str


def circular_imports(modules: Modules, order: ImportOrder | None) -> Iterator[Finding]:
    """Yield at most one finding for each circle of imports."""
    edges = {path: list(_edges(modules, path)) for path in modules.outlines}
    components = _components({path: [edge.target for edge in out] for path, out in edges.items()})
    for component in components:
        circle = frozenset(component)
        inner = [(path, edge) for path in component for edge in edges[path] if edge.target in circle]
        if inner and order is not None:
            yield _against_order(inner, order)
        elif inner and len(circle) <= _SIMULATED:
            yield from _in_thought(modules, circle, edges, components)


def _edges(modules: Modules, path: str) -> Iterator[Edge]:
    """Yield what a file imports, the packages around it first; the packages around `path` itself already run."""
    around = {path, *modules.package_files(path)}
    for imported in modules.outlines[path].imports:
        if not imported.at_import_time:
            continue
        for target in imported_files(modules, imported, path):
            yield from (Edge(package, imported) for package in modules.package_files(target) if package not in around)
            if target != path or imported.is_from:
                yield Edge(target, imported)


def _against_order(inner: list[tuple[str, Edge]], order: ImportOrder) -> Finding:
    """Report a circle at an import that goes against the order."""
    place = {file.path: number for number, file in enumerate(order.files)}
    backward = [(p, e) for p, e in inner if place.get(e.target, -1) >= place.get(p, -1)]
    path, edge = (backward or inner)[0]
    files = ", ".join(sorted({p for p, _ in inner}))
    message = f"{path} imports {edge.target} in a circle of imports among: {files}."
    hint = "Remove this import, or move what both need to a third file."
    return finding("P2C203", path, edge.imported.line, message, hint, about=(edge.target,))


def _in_thought(
    modules: Modules, circle: frozenset[str], edges: Mapping[str, list[Edge]], components: list[list[str]]
) -> Iterator[Finding]:
    """Import a circle from each file that it can be entered by, and report the first import that fails."""
    first = _first_reached(circle, edges, components)
    imported = {edge.target for path, out in edges.items() for edge in out if edge.target != path}
    used = {_entry(modules, path, first) for path in edges if path not in imported} - {None, UNDECIDED}
    possible = {_entry(modules, path, first) for path in circle} - {None}
    entries = used | (circle if UNDECIDED in possible else possible)
    failures = {entry: _Import(modules, circle).failure(entry) for entry in sorted(filter(None, entries))}
    if not all(failures.values()):  # then where it is undecided, it may well be a file that works
        failures = {entry: failure for entry, failure in failures.items() if entry in used | possible}
    failed = [failure for failure in failures.values() if failure is not None]
    if not failed:
        return
    certain = [failure for entry, failure in failures.items() if failure is not None and entry in used]
    if len(failed) == len(failures):
        certain = failed
    guarded = any(edge.imported.guarded for path in circle for edge in edges[path] if edge.target in circle)
    always = bool(certain) and not guarded
    failure = (certain or failed)[0]
    depends = "" if always else " (it depends on which file is imported first)"
    yield finding(
        "P2C203",
        failure.file,
        failure.imported.line,
        f"{failure.file} imports `{failure.name}` from {failure.target} while that is still being imported and has no "
        f"`{failure.name}` yet{depends}.",
        "Move what both files need to a third one, or import it inside the function that uses it.",
        "error" if always else "warning",
        (failure.target,),
    )


def _entry(modules: Modules, path: str, first: Mapping[str, str | None]) -> str | None:
    """Return the file of the circle that is imported first when `path` is, the packages around it before it."""
    reached = (first[each] for each in (*modules.package_files(path), path) if each in first)
    return next((entry for entry in reached if entry is not None), None)


def _first_reached(
    circle: frozenset[str], edges: Mapping[str, list[Edge]], components: list[list[str]]
) -> dict[str, str | None]:
    """Return for each file the file of the circle that importing it comes to first; None when it comes to none.

    UNDECIDED where it may come to the circle through another circle, or through an import that may not run.
    """
    first: dict[str, str | None] = {path: path for path in circle}
    for component in components:  # what is imported comes before what imports it
        for path in component:
            if path not in circle:
                reached = ((edge.imported.guarded, first.get(edge.target)) for edge in edges[path])
                guarded, entry = next((step for step in reached if step[1] is not None), (False, None))
                first[path] = UNDECIDED if guarded else entry
        if len(component) > 1 and component[0] not in circle and any(first[path] for path in component):
            first.update(dict.fromkeys(component, UNDECIDED))
    return first


@dataclass
class _Import:
    """One import of one file of a circle, in thought; files outside of the circle do not lead back and are left out."""

    modules: Modules
    circle: frozenset[str]
    at: dict[str, Import | None] = field(default_factory=dict)
    """The statement that each started file stands at; None when it is done."""

    def failure(self, file: str) -> Failure | None:
        """Import a file, after the packages around it, and return the first import that fails."""
        for each in (*self.modules.package_files(file), file):
            if each in self.circle and each not in self.at:
                failed = self._run(each)
                if failed is not None:
                    return failed
        return None

    def _run(self, file: str) -> Failure | None:
        for imported in self.modules.outlines[file].imports:
            if imported.at_import_time:
                self.at[file] = imported
                failed = self._execute(file, imported)
                if failed is not None:
                    return failed
        self.at[file] = None
        return None

    def _execute(self, file: str, imported: Import) -> Failure | None:
        resolved = self.modules.resolve(imported, file)
        if not resolved.certain:
            return None
        module = resolved.modules[0]
        failed = self.failure(module.file) if module.file is not None else None
        for name, _ in imported.names:
            if failed is not None:
                return failed
            if self._is_bound(module, name):
                continue
            below = self.modules.child(module, name)
            if below is None and module.file is not None:
                return Failure(file, imported, name, module.file)
            failed = self.failure(below.file) if below is not None and below.file is not None else None
        return failed

    def _is_bound(self, module: Module, name: str) -> bool:
        """Tell whether a module may have a name by now."""
        if name in MODULE_ATTRIBUTES:
            return True
        if module == UNKNOWN or module.file is None:
            return False
        if module.file not in self.circle or module.file not in self.at:
            return self.modules.names_of(module.file) is None or name in (self.modules.names_of(module.file) or ())
        now = self.at[module.file]
        names = self.modules.names_of(module.file)
        if now is None or names is None or name not in names:
            return self.modules.child(module, name) is None
        outline = self.modules.outlines[module.file]
        if any(each.star and each.line < now.line for each in outline.imports):
            return True
        bound_at = outline.exported.get(name, now.line + 1)
        return bound_at < now.line or (bound_at == now.line and name not in now.bound())


def _components(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Return the strongly connected components, what is imported before what imports it (Tarjan 1972)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    open_nodes: list[str] = []
    is_open: set[str] = set()
    components: list[list[str]] = []
    for start in graph:
        if start in number:
            continue
        work = [(start, iter(graph[start]))]
        number[start] = low[start] = len(number)
        open_nodes.append(start)
        is_open.add(start)
        while work:
            node, targets = work[-1]
            target = next((t for t in targets if t in graph and (t not in number or t in is_open)), None)
            if target is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    components.append([])
                    while node in is_open:
                        components[-1].append(open_nodes.pop())
                        is_open.discard(components[-1][-1])
            elif target in number:
                low[node] = min(low[node], number[target])
            else:
                number[target] = low[target] = len(number)
                open_nodes.append(target)
                is_open.add(target)
                work.append((target, iter(graph[target])))
    return components
