"""What those who plant faults ask of a correct repository: what is defined once, who imports it, which call is sure.

In: the files of a repository. Out: facts, by syntax alone. Must not know the gate, nor which faults there are.
"""

from __future__ import annotations

import ast
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

Files = Mapping[str, bytes]
Needs = Mapping[str, tuple[str, ...]]
"""File → the files of the repository that it may import, every file after what it needs."""
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, eq=False)
class Parsed:
    """One file."""

    path: str
    text: str
    tree: ast.Module
    bound: Counter[str]
    """How often each name is bound anywhere in the file, parameters included."""
    loads: Counter[str]
    """How often each name is read outside of annotations, `try` and `with`."""
    safe: tuple[ast.AST, ...]
    """The nodes whose failing nothing expects."""
    starts: tuple[int, ...]
    """Byte at which each line begins."""

    def span(self, node: ast.stmt | ast.expr | ast.keyword) -> tuple[int, int]:
        """Return the first byte of a node and the byte after it."""
        return (
            self.starts[node.lineno - 1] + node.col_offset,
            self.starts[(node.end_lineno or 1) - 1] + (node.end_col_offset or 0),
        )

    def replaced(self, start: int, end: int, new: str) -> bytes:
        """Return the file with some bytes replaced."""
        data = self.text.encode()
        return data[:start] + new.encode() + data[end:]


@lru_cache(maxsize=4_000)
def parsed(path: str, data: bytes) -> Parsed | None:
    """Parse a file; None for what is no Python, what writes to its own namespace, and tests, which fail on purpose."""
    if re.search(r"(^|/)(tests?|testing)(/|_|\.py$)|conftest", path):
        return None
    try:
        text = data.decode().replace("\r\n", "\n")
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    if re.search(r"globals\(\)|exec\(|sys\.modules|__getattr__|import \*|setattr\(", text):
        return None
    starts = [0]
    for line in text.encode().split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    safe = tuple(_safe(tree))
    loads = Counter(n.id for n in safe if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))
    return Parsed(path, text, tree, Counter(_bound(tree)), loads, safe, tuple(starts))


def _safe(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the nodes that are not below a `try`, a `with`, an `if` at the top, or an annotation."""
    stack: list[ast.AST] = [s for s in tree.body if not isinstance(s, ast.If)]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Try | ast.With | ast.AsyncWith):
            continue
        yield node
        body = getattr(node, "body", None)
        ends = next((n for n, s in enumerate(body) if _ends(s)), None) if isinstance(body, list) else None
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns"):
                continue
            children = value if isinstance(value, list) else [value]
            if name == "body" and ends is not None:
                children = children[: ends + 1]
            stack.extend(child for child in children if isinstance(child, ast.AST))


def _ends(statement: ast.AST) -> bool:
    return isinstance(statement, ast.Return | ast.Raise | ast.Continue | ast.Break)


def _bound(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, Definition):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
        elif isinstance(node, ast.Global | ast.Nonlocal):
            yield from node.names * 2


class Repository:
    """What planters ask of a repository."""

    def __init__(self, files: Files, needs: Needs, chance: random.Random) -> None:
        self.files = files
        self.needs = needs
        self.chance = chance
        found = (parsed(path, data) for path, data in sorted(files.items()) if path.endswith(".py"))
        self.parsed = {p.path: p for p in found if p is not None}
        self.text = "\n".join(p.text for p in self.parsed.values())
        self.words = Counter(re.findall(r"\w+", b"\n".join(d for p, d in files.items()).decode("utf-8", "replace")))
        self.imported_by: dict[tuple[str, str], set[str]] = defaultdict(set)
        for p in self.parsed.values():
            for statement in p.tree.body:
                if isinstance(statement, ast.ImportFrom) and (target := self.target(p.path, statement)):
                    for alias in statement.names:
                        self.imported_by[target, alias.name].add(p.path)

    def target(self, path: str, statement: ast.ImportFrom) -> str | None:
        """Return the file that a from-import reads, when there is just that one."""
        parts = statement.module.split(".") if statement.module else []
        if statement.level:
            folder = path.split("/")[: -statement.level]
            parts = [*folder, *parts]
        for each in ("/".join(parts) + ".py", "/".join([*parts, "__init__.py"])):
            if each in self.files:
                return each
        return None

    def misspelled(self, name: str) -> str | None:
        """Return a name with one slip, that stands nowhere in the repository."""
        for _ in range(8):
            at = self.chance.randrange(len(name))
            slip = self.chance.choice(("drop", "double", "swap"))
            new = name[:at] + (name[at] * 2 if slip == "double" else "") + name[at + 1 :]
            if slip == "swap" and at + 1 < len(name):
                new = name[:at] + name[at + 1] + name[at] + name[at + 2 :]
            if new != name and new.isidentifier() and new not in self.words and new.strip("_"):
                return new
        return None

    def any_file(self) -> Parsed:
        """Return a file by chance."""
        return self.parsed[self.chance.choice(sorted(self.parsed))]

    def function(self, p: Parsed, call: ast.Call) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | None:
        """Return the undecorated function or class that a call by a plain name certainly means."""
        if not isinstance(call.func, ast.Name) or p.bound[call.func.id] != 1:
            return None
        name = call.func.id
        home = p
        for statement in p.tree.body:
            if isinstance(statement, ast.ImportFrom):
                alias = next((a for a in statement.names if (a.asname or a.name) == name), None)
                target = self.target(p.path, statement) if alias is not None else None
                if alias is not None and (target is None or target not in self.parsed):
                    return None
                if alias is not None and target is not None:
                    home, name = self.parsed[target], alias.name
        found = [s for s in home.tree.body if isinstance(s, Definition) and s.name == name]
        if len(found) != 1 or home.bound[name] != 1 or found[0].decorator_list or f".{name} =" in self.text:
            return None
        return found[0]

    def calls(self, p: Parsed) -> Iterator[tuple[ast.Call, ast.arguments, int]]:
        """Yield calls without stars, the parameters of what they certainly call, and how many of those are filled."""
        for call in p.safe:
            if not isinstance(call, ast.Call) or any(isinstance(a, ast.Starred) for a in call.args):
                continue
            if any(k.arg is None for k in call.keywords):
                continue
            found = self.function(p, call)
            if isinstance(found, ast.ClassDef):
                own = [s for s in found.body if isinstance(s, ast.FunctionDef) and s.name == "__init__"]
                new = any(isinstance(s, ast.FunctionDef) and s.name == "__new__" for s in found.body)
                if len(own) == 1 and not own[0].decorator_list and not found.keywords and not new:
                    yield call, own[0].args, 1
            elif found is not None:
                yield call, found.args, 0
