"""The functions of a file with what each of them does, and whether it certainly does it.

In: source text that compiles. Out: blocks of syntax nodes. Must not know other files, nor what the nodes mean.
One walk without recursion, linear in the text.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from paper2code_local.source.chains import chain_of, ends_block

_EXPECTED = frozenset({"KeyError", "AttributeError", "TypeError", "LookupError", "Exception", "BaseException"})


class Seen(NamedTuple):
    """A node, and how it is reached."""

    node: ast.AST
    conditional: bool
    """It may not run when its block does."""
    guarded: bool
    """A missing key or attribute is expected there."""
    parent: ast.AST | None


@dataclass(eq=False, slots=True)
class Block:
    """A function, or what a file does outside of functions."""

    name: str
    """ "" for the file itself."""
    line: int
    cls: str | None
    """The class that a method is in."""
    parameters: ast.arguments | None
    decorators: tuple[ast.expr, ...]
    outer: Block | None
    seen: list[Seen] = field(default_factory=list)
    assigned: list[tuple[ast.expr, ast.expr, bool]] = field(default_factory=list)
    """(target, value, conditional) of assignments and of `with … as`."""
    bound: set[str] = field(default_factory=set)
    """Names that it binds, parameters included."""
    returned: list[ast.expr] = field(default_factory=list)
    words: set[str] = field(default_factory=set)
    """Every name and attribute in it."""

    def positional(self) -> list[str]:
        """Return the parameters that can be given by position."""
        given = self.parameters
        return [a.arg for a in (*given.posonlyargs, *given.args)] if given is not None else []


class _Task(NamedTuple):
    nodes: Sequence[ast.AST]
    block: Block
    cls: str | None
    conditional: bool
    guarded: bool
    parent: ast.AST | None


def blocks(text: str) -> tuple[Block, ...]:
    """Return the blocks of a file, the file itself first; nothing when it does not parse."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    whole = Block("", 0, None, None, (), None)
    found = [whole]
    tasks = [_Task(tree.body, whole, None, False, False, None)]
    while tasks:
        task = tasks.pop()
        conditional = task.conditional
        for node in task.nodes:
            _take(node, task._replace(conditional=conditional), tasks, found)
            conditional = conditional or _may_leave(node)
    return tuple(found)


def _take(node: ast.AST, task: _Task, tasks: list[_Task], found: list[Block]) -> None:
    block = task.block

    def push(nodes: Sequence[ast.AST | None], **changes: bool) -> None:
        given = [n for n in nodes if n is not None]
        tasks.append(task._replace(nodes=given, parent=node)._replace(**changes))  # type: ignore[arg-type]

    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            block.bound.add(node.name)
            cls = task.cls if block.name == "" or block.cls != task.cls else None
            inner = Block(node.name, node.lineno, cls, node.args, tuple(node.decorator_list), block)
            every = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg)
            inner.bound.update(a.arg for a in every if a is not None)
            found.append(inner)
            tasks.append(_Task(node.body, inner, cls, False, False, node))
            push([*node.args.defaults, *node.args.kw_defaults, *node.decorator_list])
        case ast.ClassDef():
            block.bound.add(node.name)
            tasks.append(_Task(node.body, block, node.name, task.conditional, task.guarded, node))
        case ast.If():
            script = "__name__" in {n.id for n in ast.walk(node.test) if isinstance(n, ast.Name)}
            push([node.test])
            for branch in (node.body, node.orelse):
                push(branch, conditional=task.conditional or not script)
        case ast.Try() | ast.TryStar():
            push(node.body, guarded=task.guarded or any(_expects(h) for h in node.handlers))
            push(node.handlers, conditional=True)
            push([*node.orelse, *node.finalbody])
        case ast.match_case() | ast.ExceptHandler():
            push(list(ast.iter_child_nodes(node)), conditional=True)
        case ast.IfExp():
            push([node.test])
            push([node.body, node.orelse], conditional=True)
        case ast.BoolOp():
            push(node.values[:1])
            push(node.values[1:], conditional=True)
        case _:
            _note(node, task)
            push(list(ast.iter_child_nodes(node)))


def _note(node: ast.AST, task: _Task) -> None:
    """Take note of what is not made of blocks."""
    block = task.block
    match node:
        case ast.Assign():
            block.assigned.extend((target, node.value, task.conditional) for target in node.targets)
        case ast.AnnAssign() | ast.NamedExpr() if node.value is not None:
            block.assigned.append((node.target, node.value, task.conditional))
        case ast.AugAssign():
            block.assigned.append((node.target, node, task.conditional))  # type: ignore[arg-type]
        case ast.withitem() if node.optional_vars is not None:
            block.assigned.append((node.optional_vars, node.context_expr, task.conditional))
        case ast.Return() if node.value is not None:
            block.returned.append(node.value)
        case ast.Import() | ast.ImportFrom():
            block.bound.update((a.asname or a.name).partition(".")[0] for a in node.names)
        case ast.Name():
            block.words.add(node.id)
            if isinstance(node.ctx, ast.Store):
                block.bound.add(node.id)
        case ast.Attribute():
            block.words.add(node.attr)
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.Compare | ast.AugAssign):
        block.seen.append(Seen(node, task.conditional, task.guarded, task.parent))


def _may_leave(node: ast.AST) -> bool:
    """Tell whether what follows in the same body may not run."""
    if isinstance(node, ast.If):
        return any(ends_block(s) for s in (*node.body[-1:], *node.orelse[-1:]))
    return isinstance(node, ast.stmt) and ends_block(node)


def _expects(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or (chain_of(kind) or ("Exception",))[-1] in _EXPECTED for kind in kinds)
