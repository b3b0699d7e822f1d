"""Whether every local import names a file and a definition in it (P2C201, P2C202, P2C204, P2C205, P2C206).

In: the modules of a repository and, for what was generated, the logic design. Out: findings. Must not know how names
are resolved, nor anything of packages that are not in the repository.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterator, Mapping

from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.import_order import ImportOrder
from paper2code_local.source import Import
from paper2code_local.stages.s5_validate.codes import finding
from paper2code_local.stages.s5_validate.modules import Module, Modules

_SHOWN = 12


class ImportCheck:
    """Checks the imports of one repository, file by file."""

    def __init__(self, modules: Modules, order: ImportOrder | None) -> None:
        self._modules = modules
        self._needs: Mapping[str, frozenset[str]] = {}
        self._place: Mapping[str, int] = {}
        if order is not None:
            self._needs = {file.path: frozenset(file.needs) for file in order.files}
            self._place = {file.path: place for place, file in enumerate(order.files)}
        self._defined_in: dict[str, list[str]] = defaultdict(list)
        for path, outline in modules.outlines.items():
            for definition in outline.definitions:
                if definition.kind in ("class", "function") and "." not in definition.qualname:
                    self._defined_in[definition.qualname].append(path)

    def check(self, path: str) -> Iterator[Finding]:
        """Yield the findings on the imports of one file."""
        for imported in self._modules.outlines[path].imports:
            if not imported.guarded:
                yield from self._missing(path, imported)
            if not imported.for_types and path in self._needs:
                yield from self._out_of_order(path, imported)

    def _missing(self, path: str, imported: Import) -> Iterator[Finding]:
        resolved = self._modules.resolve(imported, path)
        if resolved.outside:
            message = f"`{_statement(imported)}` leaves the package that {path} is in."
            hint = "Import by the full name from the top of the repository, without leading dots."
            yield finding("P2C205", path, imported.line, message, hint, about=(_module(imported),))
        elif resolved.missing:
            message = f"`{_statement(imported)}`: there is no such module in this repository."
            hint = self._instead_of_module(imported, resolved.near)
            yield finding("P2C201", path, imported.line, message, hint, about=(_module(imported),))
        elif resolved.certain:
            for name, _ in imported.names:
                if not any(self._modules.provides(module, name) for module in resolved.modules):
                    yield self._undefined(path, imported, name, resolved.modules[0])

    def _undefined(self, path: str, imported: Import, name: str, module: Module) -> Finding:
        where = module.file or f"{module.folder}/"
        message = f"`from {'.' * imported.level}{imported.module} import {name}`: {where} defines no `{name}`."
        elsewhere = [file for file in self._defined_in.get(name, []) if file not in (where, path)]
        names = (self._modules.names_of(module.file) if module.file else None) or frozenset()
        close = difflib.get_close_matches(name, sorted(names), n=3)
        if elsewhere:
            hint = f"`{name}` is defined in {elsewhere[0]}: import it from there."
        elif close:
            hint = f"Did you mean {_listed(close)}? Otherwise define `{name}` in {where}."
        elif public := sorted(n for n in names if not n.startswith("_")):
            hint = f"Define `{name}` in {where}, or use what it has: {_listed(public)}."
        else:
            hint = f"Define `{name}` in {where}."
        return finding("P2C202", path, imported.line, message, hint, about=(name, where))

    def _instead_of_module(self, imported: Import, near: Module) -> str:
        wanted = imported.module.rpartition(".")[2]
        if near.folder is None:
            return f"{near.file} is a module and not a package: import from it, or create the missing file."
        there = sorted(self._modules.children.get(near.folder, set()) - {"__init__"})
        close = difflib.get_close_matches(wanted, there, n=3)
        if close:
            return f"Did you mean {_listed(close)}?"
        place = f"{near.folder}/" if near.folder else "the top folder"
        return f"Create the file, or import what {place} has: {_listed(there)}." if there else "Create the file."

    def _out_of_order(self, path: str, imported: Import) -> Iterator[Finding]:
        for target in imported_files(self._modules, imported, path):
            if target == path or target not in self._place or target in self._needs[path]:
                continue
            if self._place[target] > self._place[path]:
                message = f"{path} imports {target}, which the logic design puts later."
            else:
                message = f"{path} imports {target}, which is not among the files that it needs."
            allowed = _listed(sorted(self._needs[path])) if self._needs[path] else "no file of this repository"
            hint = f"Do without it: this file may import {allowed}."
            yield finding("P2C204", path, imported.line, message, hint, about=(target,))


def imported_files(modules: Modules, imported: Import, importer: str) -> list[str]:
    """Return the files of the repository that an import certainly names: the module, and submodules among its names."""
    resolved = modules.resolve(imported, importer)
    if not resolved.certain:
        return []
    module = resolved.modules[0]
    below = [modules.child(module, name) for name, _ in imported.names]
    files = [each.file for each in below if each is not None and each.file is not None]
    only_submodules = bool(imported.names) and len(files) == len(imported.names)
    if module.file is not None and not only_submodules:
        files.insert(0, module.file)
    return list(dict.fromkeys(files))


def _module(imported: Import) -> str:
    return "." * imported.level + imported.module


def _statement(imported: Import) -> str:
    if not imported.is_from:
        return f"import {imported.module}"
    names = "*" if imported.star else ", ".join(name for name, _ in imported.names[:_SHOWN])
    return f"from {_module(imported)} import {names}"


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    return shown + (", …" if len(names) > _SHOWN else "")
