"""Imports that name the wrong place: the right one where there is exactly one, or none where nothing uses them.

In: the texts of a repository, a finding. Out: a `Fix`, or None. Must not know the gate.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from paper2code_local.artifacts.finding import Finding
from paper2code_local.source import outline, unused_imports
from paper2code_local.stages.s6_repair.mechanical.fix import Fix
from paper2code_local.stages.s6_repair.mechanical.statements import from_import, import_at, module_in, put_instead


def definers(texts: Mapping[str, str], name: str) -> list[str]:
    """Return the files that define `name` at their top: a class, a function or a variable."""
    found = []
    for path, text in texts.items():
        if path.endswith(".py") and name in text:
            seen = outline(text)
            own = {d.qualname for d in seen.definitions}
            if name in own or _assigned(text, name):
                found.append(path)
    return found


def elsewhere(texts: Mapping[str, str], finding: Finding) -> Fix | None:
    """Import a name from the only other file that defines it."""
    name, lacking = finding.about
    statement = import_at(texts[finding.path], finding.line)
    homes = [path for path in definers(texts, name) if path not in (lacking, finding.path)]
    if not isinstance(statement, ast.ImportFrom) or len(homes) != 1:
        return None
    module = _instead(module_in(statement), lacking, homes[0])
    moved = [alias for alias in statement.names if alias.name == name]
    if module is None or not moved:
        return None
    rest = [alias for alias in statement.names if alias.name != name]
    lines = [from_import(module_in(statement), rest)] if rest else []
    text = put_instead(texts[finding.path], statement, [*lines, from_import(module, moved)])
    what = f"`{name}` is imported from {homes[0]}, the one file that defines it, and no longer from {lacking}."
    return None if text is None else Fix(finding.path, text, what)


def other_path(texts: Mapping[str, str], finding: Finding) -> Fix | None:
    """Import from the only file that ends in the same module and has the names, whatever stands before it."""
    statement = import_at(texts[finding.path], finding.line)
    if not isinstance(statement, ast.ImportFrom) or not statement.module:
        return None
    last = statement.module.rpartition(".")[2]
    names = [alias.name for alias in statement.names if alias.name != "*"]
    homes = [
        path
        for path in texts
        if path != finding.path
        and path.endswith(".py")
        and _dotted(path).rpartition(".")[2] == last
        and all(path in definers({path: texts[path]}, name) for name in names)
    ]
    if len(homes) != 1:
        return None
    module = importable_as(texts, finding.path, homes[0], relative=finding.code != "P2C205")
    if module is None or module == module_in(statement):
        return None
    text = put_instead(texts[finding.path], statement, [from_import(module, statement.names)])
    what = f"`{module_in(statement)}` is written `{module}`, which is where {homes[0]} is."
    return None if text is None else Fix(finding.path, text, what)


def regular(_texts: Mapping[str, str], finding: Finding) -> Fix | None:
    """Make a folder that something else hides a regular package."""
    (folder,) = finding.about
    return Fix(f"{folder}/__init__.py", "", f"{folder}/ is a regular package: something else has its name.")


def unused(texts: Mapping[str, str], finding: Finding) -> Fix | None:
    """Remove an import that nothing uses, where it goes against the order."""
    return _without(texts, finding.path, import_at(texts[finding.path], finding.line))


def unused_in_circle(texts: Mapping[str, str], finding: Finding) -> Fix | None:
    """Remove an import that nothing uses, where it closes a circle: here, or in the file that is imported."""
    (target,) = finding.about
    back = PurePosixPath(finding.path).stem
    lines = (each.line for each in outline(texts.get(target, "")).imports if each.module.split(".")[-1] == back)
    statements = (import_at(texts[target], line) for line in lines)
    there = (_without(texts, target, statement) for statement in statements)
    return unused(texts, finding) or next((fix for fix in there if fix is not None), None)


def _without(texts: Mapping[str, str], path: str, statement: ast.Import | ast.ImportFrom | None) -> Fix | None:
    """Remove a statement when nothing uses what it imports. The names of an `__init__.py` are for others."""
    if statement is None or path.endswith("__init__.py"):
        return None
    if not _names_of(statement) <= set(unused_imports(texts[path])):
        return None
    without = put_instead(texts[path], statement, [])
    what = f"`{ast.unparse(statement)}`, which nothing used, is gone."
    return None if without is None else Fix(path, without, what)


def importable_as(texts: Mapping[str, str], importer: str, home: str, relative: bool = True) -> str | None:
    """Return the module by which `importer` should import `home`, in the way it imports others; None when unclear.

    Relative only where it imports others so, and `relative` allows it.
    """
    here, there = PurePosixPath(importer).parent, PurePosixPath(home).parent
    roots = [root for root in ("src/",) if home.startswith(root)]
    dotted = _dotted(home[len(roots[0]) :] if roots else home)
    near = {PurePosixPath(path).stem for path in texts if PurePosixPath(path).parent == here}
    seen = outline(texts[importer]).imports
    if relative and here == there and any(each.level == 1 for each in seen):
        return f".{PurePosixPath(home).stem}"
    if here == there and any(not each.level and each.module in near for each in seen):
        return PurePosixPath(home).stem
    tops = {_dotted(path).split(".")[0] for path in texts if path.endswith(".py")}
    absolute = any(not each.level and each.module.split(".")[0] in tops for each in seen)
    return dotted if absolute or str(here) == "." or f"{here}/__init__.py" in texts else None


def _instead(module: str, lacking: str, home: str) -> str | None:
    """Return the module that is `home` to an importer to whom `module` is `lacking`."""
    if module.startswith("."):
        same_folder = PurePosixPath(lacking).parent == PurePosixPath(home).parent
        return f"{module.rpartition('.')[0]}.{PurePosixPath(home).stem}" if same_folder else None
    ending = module.replace(".", "/")
    known = lacking.rstrip("/").removesuffix(".py").removesuffix("/__init__")
    if not known.endswith(ending):
        return None
    root = known[: len(known) - len(ending)]
    return _dotted(home[len(root) :]) if home.startswith(root) else None


def _dotted(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _names_of(statement: ast.Import | ast.ImportFrom) -> set[str]:
    """Return what a statement imports as ruff spells it: "a.b as c"."""
    module = module_in(statement) if isinstance(statement, ast.ImportFrom) else ""
    dot = "." if module.strip(".") else ""
    return {f"{module}{dot}{ast.unparse(alias)}" for alias in statement.names}


def _assigned(text: str, name: str) -> bool:
    return any(name in _targets(row) for row in text.split("\n") if row.startswith(name))


def _targets(row: str) -> Iterator[str]:
    left, sign, _ = row.partition("=")
    if sign:
        yield left.split(":")[0].strip()
