"""Faults beside the code: a setting or requirement that is gone, a planned function that was never written.

In: a repository. Out: changed files, and where which family of findings is due. Must not know the gate: what is a
fault is decided here by syntax alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from faults import Fault
from planting import Definition, Parsed, Repository

from paper2code_local.artifacts.import_order import Promise

_SETTINGS = re.compile(r"(?:confi?g?s?/)?[^/]+\.ya?ml")
_HOLDERS = re.compile(r"config|cfg|conf|params|hparams|opt|settings", re.IGNORECASE)
_ASIDE = re.compile(r"(^|/)(tests?|docs?|examples?|benchmarks?|scripts?|setup\.py|conftest\.py)")


def remove_setting(r: Repository) -> Fault | None:
    """Remove a key of a settings file, with all below it, that is read of something called like settings."""
    read = {key: path for p in r.parsed.values() for key, path in _keys_read(p)}
    options = []
    for path, data in r.files.items():
        if not _SETTINGS.fullmatch(path) or b"yaml" not in b"".join(r.files[p] for p in r.parsed):
            continue
        lines = data.decode("utf-8", "replace").split("\n")
        for number, line in enumerate(lines):
            match = re.match(r"( *)([A-Za-z_]\w*):(\s|$)", line)
            once = match and sum(bool(re.match(rf" *{match[2]}:", each)) for each in lines) == 1
            if match and once and match[2] in read:
                inside = match[1] + " "
                end = number + 1
                while end < len(lines) and (lines[end].startswith((inside, match[1] + "-")) or not lines[end].strip()):
                    end += 1
                rest = "\n".join(lines[:number] + lines[end:]).encode()
                options.append(Fault("8", {path: rest}, frozenset(r.parsed), f"removed {match[2]} of {path}"))
    return r.chance.choice(options) if options else None


def _keys_read(p: Parsed) -> Iterator[tuple[str, str]]:
    for node in p.safe:
        if not isinstance(node, ast.Subscript) or not isinstance(node.ctx, ast.Load):
            continue
        keys, base = [], node
        while isinstance(base, ast.Subscript) and isinstance(base.slice, ast.Constant):
            keys.append(base.slice.value)
            base = base.value  # type: ignore[assignment]
        name = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
        if _HOLDERS.search(name) and all(isinstance(key, str) for key in keys):
            yield from ((str(key), p.path) for key in keys)


def remove_requirement(r: Repository) -> Fault | None:
    """Remove a requirement that is named like what a file imports at its top."""
    imported = {
        (alias.name if isinstance(s, ast.Import) else s.module or "").partition(".")[0]
        for p in r.parsed.values()
        if not _ASIDE.search(p.path)
        for s in p.tree.body
        if isinstance(s, ast.Import) or (isinstance(s, ast.ImportFrom) and not s.level)
        for alias in s.names
    }
    options = []
    for path, data in r.files.items():
        if not re.fullmatch(r"requirements[^/]*\.txt|pyproject\.toml", path):
            continue
        lines = data.decode("utf-8", "replace").split("\n")
        for number, line in enumerate(lines):
            wanted = r"\s*" if path.endswith(".txt") else r"\s*[\"']"
            match = re.match(wanted + r"([A-Za-z][\w.-]*)", line)
            name = match[1].replace("-", "_").lower() if match else ""
            if name in imported and sum(name in each.replace("-", "_").lower() for each in lines) == 1:
                rest = "\n".join(lines[:number] + lines[number + 1 :]).encode()
                options.append(Fault("9", {path: rest}, frozenset(r.files), f"removed {name} of {path}"))
    return r.chance.choice(options) if options else None


def forget_definition(r: Repository) -> Fault | None:
    """Leave a planned function or class out, whether it is used or not."""
    p = r.any_file()
    options = []
    for s in p.tree.body:
        if isinstance(s, Definition) and p.bound[s.name] == 1 and r.needs is not None:
            start = p.starts[min([s.lineno, *(d.lineno for d in s.decorator_list)]) - 1]
            changed = p.replaced(start, p.span(s)[1], "")
            options.append(Fault("3", {p.path: changed}, frozenset({p.path}), f"forgot {s.name}", r.needs))
    return r.chance.choice(options) if options else None


def change_signature(r: Repository) -> Fault | None:
    """Give the first parameter of a planned function another name, in the function too."""
    p = r.any_file()
    options = []
    for s in p.tree.body:
        plain = isinstance(s, ast.FunctionDef) and not s.decorator_list and s.args.args and p.bound[s.name] == 1
        if isinstance(s, ast.FunctionDef) and plain and r.needs is not None:
            old = s.args.args[0].arg
            start, end = p.span(s)
            text = re.sub(rf"(?<![\w.\"']){old}(?!\w)", f"{old}_", p.text.encode()[start:end].decode())
            changed = p.replaced(start, end, text)
            options.append(Fault("3", {p.path: changed}, frozenset({p.path}), f"changed {s.name}", r.needs))
    return r.chance.choice(options) if options else None


def promises_of(p: Parsed) -> tuple[Promise, ...]:
    """Return what a file defines, as if it had been planned."""
    found = []
    for s in p.tree.body:
        if isinstance(s, ast.ClassDef) and p.bound[s.name] == 1:
            found.append(Promise(name=s.name, signature=""))
        elif isinstance(s, ast.FunctionDef) and p.bound[s.name] == 1:
            found.append(Promise(name=s.name, signature=f"def {s.name}({ast.unparse(s.args)})"))
    return tuple(found)
