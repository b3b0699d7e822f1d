"""Import statements, found by line and written anew.

In: Python text that compiles. Out: new text. Must not know why.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence


def import_at(text: str, line: int) -> ast.ImportFrom | ast.Import | None:
    """Return the import statement that begins at the 1-based line; None when there is none, or the text is no code."""
    tree = _parsed(text)
    nodes = ast.walk(tree) if tree is not None else ()
    return next((n for n in nodes if isinstance(n, ast.Import | ast.ImportFrom) and n.lineno == line), None)


def put_instead(text: str, statement: ast.stmt, lines: Sequence[str]) -> str | None:
    """Return `text` with a statement replaced by `lines`, at its indentation; None where it shares its lines.

    Without lines, a block that would be empty keeps a `pass`.
    """
    rows = text.split("\n")
    first, last = statement.lineno - 1, (statement.end_lineno or statement.lineno) - 1
    indent = rows[first][: statement.col_offset]
    rest = rows[last].encode()[statement.end_col_offset :].decode().split("#")[0].strip()
    if indent.strip() or rest:
        return None
    written = [indent + line for line in lines] or ([f"{indent}pass"] if indent else [])
    return "\n".join([*rows[:first], *written, *rows[last + 1 :]])


def with_import(text: str, line: str) -> str | None:
    """Return `text` with an import added after those at its head; None when it is there, or the text is no code."""
    tree = _parsed(text)
    if tree is None or line in (row.strip() for row in text.split("\n")):
        return None
    after = 0
    for place, node in enumerate(tree.body):
        documents = place == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not documents and not isinstance(node, ast.Import | ast.ImportFrom):
            break
        after = node.end_lineno or node.lineno
    rows = text.split("\n")
    apart = [""] if after and not rows[after - 1].lstrip().startswith(("import ", "from ")) else []
    then = [""] if after < len(rows) and rows[after].strip() and not apart else []
    if not after:  # comments at the head stay there: an encoding, a licence
        after = next((n for n, row in enumerate(rows) if not row.startswith("#")), len(rows))
    return "\n".join([*rows[:after], *apart, line, *then, *rows[after:]])


def from_import(module: str, names: Sequence[ast.alias]) -> str:
    """Return `from module import names`; `module` has its leading dots."""
    return f"from {module} import {', '.join(ast.unparse(name) for name in names)}"


def module_in(statement: ast.ImportFrom) -> str:
    """Return the module of a statement as it is written, dots included."""
    return "." * statement.level + (statement.module or "")


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
