"""The files of a repository as Python modules: which file an import means.

In: every path of a repository, and the outlines of its Python files. Out: for each import the modules it may mean, or
that it certainly means none. Must not know what is reported about it.

Sound first: whatever reading cannot decide (compiled modules, names made at run time, folders that may be hidden by an
installed package) is `UNKNOWN`, and nobody reports it.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from paper2code_local.source import Import, Outline

_NATIVE = frozenset({"so", "pyd", "pyx", "dylib"})
_GENERATING = frozenset({"pyi", "pxd", "c", "cc", "cpp", "cxx", "cu", "rs", "f", "f90", "pyf", "proto", "pyc"}) | {
    "in",
    "tmpl",
    "tpl",
    "template",
    "mako",
    "j2",
    "jinja",
    "jinja2",
}
_NATIVE_BUILD = frozenset({"Cargo.toml", "CMakeLists.txt", "meson.build"})
_MADE_BY_BUILD = re.compile(r"_{0,2}version(_info)?_{0,2}|_{0,2}config__|\w+_pb2(_grpc)?")
MODULE_ATTRIBUTES = frozenset(
    [
        "__name__",
        "__doc__",
        "__file__",
        "__path__",
        "__package__",
        "__loader__",
        "__spec__",
        "__dict__",
        "__builtins__",
        "__cached__",
    ]
)
_PACKAGING = ("setup.py", "setup.cfg", "pyproject.toml")
SHARED_NAMESPACES = frozenset(
    {"google", "azure", "ruamel", "zope", "backports", "jaraco", "sphinxcontrib", "opentelemetry", "hydra_plugins"}
)
"""Packages without `__init__.py` that many distributions have a part of."""
_STAR_DEPTH = 40


@dataclass(frozen=True, slots=True)
class Module:
    """A module is a file, a package a file and a folder, a namespace package a folder only."""

    file: str | None
    folder: str | None


UNKNOWN = Module(None, None)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What an import means."""

    modules: tuple[Module, ...] = ()
    """The modules that it may mean, the likeliest first."""
    missing: bool = False
    """It means a module of this repository, and there is none."""
    outside: bool = False
    """It is relative and leaves the package that its file is in."""
    near: Module = UNKNOWN
    """When missing: the package that was searched last."""

    @property
    def certain(self) -> bool:
        """Tell whether what is not in `modules` is nowhere."""
        return bool(self.modules) and UNKNOWN not in self.modules


class Modules:
    """Resolves the imports of one repository."""

    def __init__(self, files: Mapping[str, bytes], outlines: Mapping[str, Outline], ours: Collection[str] = ()) -> None:
        """Take every file, the outlines of what could be read, and top folders known to be no installed package."""
        self.outlines = outlines
        self._shares_namespaces = not ours and any(b"namespace" in files.get(path, b"") for path in _PACKAGING)
        self.files = frozenset(path for path in files if path.endswith(".py"))
        self.children: dict[str, set[str]] = defaultdict(set)
        self._native: set[str] = set()
        self._generating: set[str] = set()
        self._builds_native = False
        for path in files:
            self._place(path)
        self._homes: dict[str, list[str]] = defaultdict(list)
        for folder in sorted(self.children):
            for name in self.children[folder]:
                self._homes[name].append(folder)
        self._names: dict[str, frozenset[str] | None] = {}
        self._resolved: dict[tuple[str, int, str, bool, bool], Resolved] = {}
        """By what is imported, and all that matters of the file that imports it."""
        self._namespaces_in_use = frozenset(ours) | frozenset(
            folder
            for outline in outlines.values()
            for imported in outline.imports
            for folder in self._reached_through(imported)
        )

    def resolve(self, imported: Import, importer: str) -> Resolved:
        """Find what an import in the file `importer` means; neither found nor missing: it is not of this repository."""
        outline = self.outlines.get(importer)
        anywhere = outline is not None and outline.changes_path
        folder, _, name = importer.rpartition("/")
        key = (imported.module, imported.level, folder, anywhere, name == f"{imported.module.partition('.')[0]}.py")
        if key not in self._resolved:
            self._resolved[key] = self._resolve(imported, importer)
        return self._resolved[key]

    def _resolve(self, imported: Import, importer: str) -> Resolved:
        if imported.level:
            return self._relative(imported, importer)
        parts = imported.module.split(".")
        roots = self._roots(parts[0], importer)
        found = dict.fromkeys(m for root in roots if (m := self._find(Module(None, root), parts)) is not None)
        tops = [self.child(Module(None, root), parts[0]) for root in self._certain_roots(importer)]
        own = [top for top in tops if top is not None and self._is_ours(top)]
        folder, _, name = importer.rpartition("/")
        # A file below the top that imports its own name means an installed package.
        is_itself = folder not in ("", "src") and name == f"{parts[0]}.py" and own[:1] == [Module(importer, None)]
        sure = bool(own) and parts[0] not in sys.stdlib_module_names and not is_itself
        if found:
            # An installed package of that name may be meant: then what this one lacks proves nothing.
            return Resolved(tuple(found) if sure else (*found, UNKNOWN))
        if not sure:
            return Resolved()
        near = self._deepest(own[0], parts[1:])
        return Resolved(missing=True, near=near) if not self._is_shared(near) else Resolved()

    def child(self, parent: Module, name: str) -> Module | None:
        """Return the submodule `name` of a package; None when there certainly is none."""
        if parent == UNKNOWN:
            return UNKNOWN
        if parent.folder is None:
            return UNKNOWN if self._is_dynamic(parent) else None
        stem = f"{parent.folder}/{name}" if parent.folder else name
        if stem in self._native or f"{stem}/__init__" in self._native | self._generating:
            return UNKNOWN
        if f"{stem}/__init__.py" in self.files:
            return Module(f"{stem}/__init__.py", stem)
        if f"{stem}.py" in self.files:
            return Module(f"{stem}.py", None)
        if stem in self._generating:
            return UNKNOWN
        if stem in self.children:
            return Module(None, stem)
        made_elsewhere = _MADE_BY_BUILD.fullmatch(name) or (self._builds_native and name.startswith("_"))
        return UNKNOWN if made_elsewhere or self._is_dynamic(parent) else None

    def provides(self, module: Module, name: str) -> bool:
        """Tell whether `from module import name` may work; False is certain."""
        if module == UNKNOWN or name in MODULE_ATTRIBUTES or self.child(module, name) is not None:
            return True
        if module.file is None:
            return self._is_shared(module)
        names = self.names_of(module.file)
        return names is None or name in names

    def names_of(self, file: str, depth: int = 0) -> frozenset[str] | None:
        """Return every name that a file's module has, through star imports too; None when reading cannot tell."""
        if file not in self._names:
            self._names[file] = None  # what a circle of star imports sees
            self._names[file] = self._collect_names(file, depth)
        return self._names[file]

    def star_names(self, module: Module, depth: int = 0) -> frozenset[str] | None:
        """Return what `from module import *` binds; None when reading cannot tell."""
        submodules = self.children.get(module.folder, set()) if module.folder is not None else set()
        if module.file is None:
            return frozenset(submodules)
        names = self.names_of(module.file, depth)
        if names is None:
            return None
        listed = self.outlines[module.file].all_names
        if listed is not None:
            return frozenset(listed)
        return frozenset(name for name in names if not name.startswith("_")) | submodules

    def package_files(self, file: str) -> list[str]:
        """Return the `__init__.py` of the packages around a file, outermost first: they run before it."""
        folder = file.rpartition("/")[0]
        if file.endswith("/__init__.py"):
            folder = folder.rpartition("/")[0]
        found: list[str] = []
        while folder and f"{folder}/__init__.py" in self.files:
            found.insert(0, f"{folder}/__init__.py")
            folder = folder.rpartition("/")[0]
        return found

    def _place(self, path: str) -> None:
        folder, _, name = path.rpartition("/")
        stem, *suffixes = name.split(".")
        key = f"{folder}/{stem}" if folder else stem
        if suffixes and suffixes[-1] in _NATIVE:
            self._native.add(key)
        elif suffixes and suffixes[-1] in _GENERATING:
            self._generating.add(key)
        if name in _NATIVE_BUILD or (suffixes and suffixes[-1] in ("pyx", "cu", "rs", "cpp", "c")):
            self._builds_native = True
        if suffixes[-1:] == ["py"]:
            self.children[folder].add(stem)
        while folder:
            parent, _, name = folder.rpartition("/")
            if folder in self.children and name in self.children[parent]:
                break
            self.children[folder].update()
            self.children[parent].add(name)
            folder = parent

    def _relative(self, imported: Import, importer: str) -> Resolved:
        folder = importer.rpartition("/")[0]
        for _ in range(imported.level - 1):
            if not folder:
                return Resolved(outside="__init__.py" not in self.files)
            folder = folder.rpartition("/")[0]
        if not folder and "__init__.py" not in self.files:
            return Resolved(outside=True)
        init = f"{folder}/__init__.py" if folder else "__init__.py"
        package = Module(init if init in self.files else None, folder)
        parts = imported.module.split(".") if imported.module else []
        found = self._find(package, parts)
        if found is not None:
            return Resolved((found,))
        return Resolved(missing=True, near=self._deepest(package, parts))

    def _find(self, start: Module, parts: list[str]) -> Module | None:
        module: Module | None = start
        for part in parts:
            module = self.child(module, part) if module is not None else None
        return module

    def _deepest(self, start: Module, parts: list[str]) -> Module:
        for part in parts:
            below = self.child(start, part)
            if below is None:
                break
            start = below
        return start

    def _certain_roots(self, importer: str) -> tuple[str, ...]:
        """Return the folders that are certainly searched: the one around the file or its package, the root, `src`.

        The first not where it is itself part of a package, without having an `__init__.py`: then nobody runs its files
        by path.
        """
        folder = importer.rpartition("/")[0]
        while folder and f"{folder}/__init__.py" in self.files:
            folder = folder.rpartition("/")[0]
        above = folder.rpartition("/")[0]
        while above and f"{above}/__init__.py" not in self.files:
            above = above.rpartition("/")[0]
        if above or any(folder == used or folder.startswith(f"{used}/") for used in self._namespaces_in_use):
            return ("", "src")
        return tuple(dict.fromkeys((folder, "", "src")))

    def _roots(self, top: str, importer: str) -> list[str]:
        """Return the folders that may be searched for `top`: all above the file; any, where sys.path is changed."""
        outline = self.outlines.get(importer)
        if outline is not None and outline.changes_path:
            return self._homes.get(top, [])
        roots = dict.fromkeys(self._certain_roots(importer))
        folder = importer.rpartition("/")[0]
        while folder:
            roots[folder] = None
            folder = folder.rpartition("/")[0]
        return list(roots)

    def _is_ours(self, top: Module) -> bool:
        return top.file is not None or top.folder in self._namespaces_in_use

    def _reached_through(self, imported: Import) -> Iterator[str]:
        """Yield the top folders without `__init__.py` through which an import does reach a file."""
        if imported.level or not imported.module:
            return
        first, *rest = imported.module.split(".")
        for root in ("", "src"):
            top = self.child(Module(None, root), first)
            if top is None or top.file is not None or top.folder is None:
                continue
            module = self._find(top, rest)
            below = [module] + [self.child(module, name) for name, _ in imported.names if module is not None]
            if any(each is not None and each.file is not None for each in below):
                yield top.folder

    def _is_dynamic(self, module: Module) -> bool:
        outline = self.outlines.get(module.file) if module.file is not None else None
        return module.file is not None and (outline is None or outline.dynamic)

    def _is_shared(self, package: Module) -> bool:
        """Tell whether other distributions may have a part of the package, which then has no `__init__.py`."""
        if package.file is not None or package.folder is None:
            return False
        top = package.folder.removeprefix("src/").partition("/")[0]
        return self._shares_namespaces or top in SHARED_NAMESPACES

    def _collect_names(self, file: str, depth: int) -> frozenset[str] | None:
        outline = self.outlines.get(file)
        if outline is None or outline.dynamic or outline.has_getattr or not outline.exact or depth > _STAR_DEPTH:
            return None
        names = set(outline.exported)
        for imported in outline.imports:
            if imported.star:
                resolved = self.resolve(imported, file)
                if not resolved.certain:
                    return None
                for module in resolved.modules:
                    starred = self.star_names(module, depth + 1)
                    if starred is None:
                        return None
                    names |= starred
        return frozenset(names)
