"""Modules that hide others of the same name: P2C206 and P2C207.

In: the modules of a repository, what its requirements bring. Out: findings. Must not know how requirements are
declared.

Python takes the first regular module or package of a name that is on its path; the repository comes before the standard
library and what is installed. A folder without `__init__.py` is taken only when there is nothing else of that name.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Mapping

from paper2code_local.artifacts.finding import Finding
from paper2code_local.stages.s5_validate.codes import finding
from paper2code_local.stages.s5_validate.modules import Module, Modules

_HARMLESS = frozenset({"test", "this", "antigravity", "idlelib", "turtledemo", "lib2to3"})


def hiding(modules: Modules, required: Mapping[str, str]) -> Iterator[Finding]:
    """Yield the findings; `required` maps the names that requirements can be imported by to the requirements."""
    for folder in ("", "src"):
        if folder and "src/__init__.py" in modules.files:
            continue
        for name in sorted(modules.children.get(folder, set())):
            module = modules.child(Module(None, folder), name)
            if module is None:
                continue
            whose = _whose(name, required)
            if module.file is not None and whose:
                message = f"{module.file} hides {whose}."
                yield finding("P2C206", module.file, 0, message, "Give the module another name.", about=(name,))
            elif module.folder is not None and module.file is None and whose and not folder:
                yield from _hidden(modules, name, whose)


def _whose(name: str, required: Mapping[str, str]) -> str:
    """Say what else has the name; "" when nothing has."""
    if name in sys.stdlib_module_names - _HARMLESS and importlib.util.find_spec(name) is not None:
        return f"the standard library's `{name}`"
    return f"`{name}` of the requirement `{required[name]}`" if name in required else ""


def _hidden(modules: Modules, folder: str, whose: str) -> Iterator[Finding]:
    """Yield a finding for the first import that wants a module of a folder that something else hides."""
    for path, outline in modules.outlines.items():
        for imported in outline.imports:
            place = imported.module.replace(".", "/")
            here = f"{place}.py" in modules.files or f"{place}/__init__.py" in modules.files
            certain = imported.at_import_time and not imported.guarded and not imported.for_types
            if imported.level or not certain or not here or not place.startswith(f"{folder}/"):
                continue
            message = f"`{imported.module}` is looked for in {whose}: {folder}/ has no __init__.py."
            yield finding("P2C207", path, imported.line, message, f"Add {folder}/__init__.py.", about=(folder,))
            return
