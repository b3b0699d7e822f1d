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
    """Attributes, items, calls, comparisons, and names that are handed on as they are."""
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


def blocks(text: str) -> tuple[Block, ...]:
    """Return the blocks of a file, the file itself first; nothing when it does not parse."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    whole = Block("", 0, None, None, (), None)
    found = [whole]
    tasks = [_Task(tree.body, whole, None, False, False)]
    while tasks:
        task = tasks.pop()
        for node in task.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = _function(node, task)
                found.append(inner)
                tasks.append(_Task(node.body, inner, inner.cls, False, False))
            elif isinstance(node, ast.ClassDef):
                task.block.bound.add(node.name)
                tasks.append(task._replace(nodes=node.body, cls=node.name))
                _expressions([*node.bases, *node.keywords, *node.decorator_list], task, node)
            else:
                _statement(node, task, tasks)
                if not task.conditional and _may_leave(node):
                    task = task._replace(conditional=True)
    return tuple(found)


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, task: _Task) -> Block:
    task.block.bound.add(node.name)
    given = node.args
    is_method = task.block.name == "" or task.block.cls != task.cls
    cls = task.cls if is_method else None
    inner = Block(node.name, node.lineno, cls, given, tuple(node.decorator_list), task.block)
    every = (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg)
    inner.bound.update(a.arg for a in every if a is not None)
    outside = (*given.defaults, *given.kw_defaults, *node.decorator_list)
    _expressions([each for each in outside if each is not None], task, node)
    return inner


def _statement(node: ast.AST, task: _Task, tasks: list[_Task]) -> None:
    """Take note of a statement, and put off the statements in it."""
    block = task.block
    expressions: list[ast.AST] = []
    for name, value in ast.iter_fields(node):
        if isinstance(value, list):
            if value and isinstance(value[0], ast.stmt | ast.ExceptHandler | ast.match_case):
                tasks.append(_below(node, name, value, task))
            else:
                expressions.extend(each for each in value if isinstance(each, ast.AST))
        elif isinstance(value, ast.AST):
            expressions.append(value)
    match node:
        case ast.Assign():
            block.assigned.extend((target, node.value, task.conditional) for target in node.targets)
        case ast.AnnAssign() if node.value is not None:
            block.assigned.append((node.target, node.value, task.conditional))
        case ast.AugAssign():
            changed = ast.BinOp(node.target, node.op, node.value)
            block.assigned.append((node.target, changed, task.conditional))
            block.seen.append(Seen(node, task.conditional, task.guarded, None))
        case ast.With() | ast.AsyncWith():
            for item in node.items:
                if item.optional_vars is not None:
                    block.assigned.append((item.optional_vars, item.context_expr, task.conditional))
        case ast.Return() if node.value is not None:
            block.returned.append(node.value)
        case ast.Import() | ast.ImportFrom():
            block.bound.update((a.asname or a.name).partition(".")[0] for a in node.names)
            return
    _expressions(expressions, task, node)


def _below(node: ast.AST, name: str, body: list[ast.AST], task: _Task) -> _Task:
    """Return what is left to do for a body of a statement."""
    conditional, guarded = task.conditional, task.guarded
    if isinstance(node, ast.If):
        conditional = conditional or "__name__" not in {n.id for n in ast.walk(node.test) if isinstance(n, ast.Name)}
    elif isinstance(node, ast.ExceptHandler | ast.match_case | ast.Match) or name == "handlers":
        conditional = True
    elif isinstance(node, ast.Try | ast.TryStar) and name == "body":
        guarded = guarded or any(_expects(handler) for handler in node.handlers)
    return task._replace(nodes=body, conditional=conditional, guarded=guarded)


def _expressions(nodes: Sequence[ast.AST], task: _Task, parent: ast.AST) -> None:
    """Take note of all expressions in some nodes."""
    block, guarded = task.block, task.guarded
    seen, words, bound = block.seen, block.words, block.bound
    stack = [(node, task.conditional, parent) for node in nodes]
    while stack:
        node, conditional, parent = stack.pop()
        kind = type(node)
        if kind is ast.Constant or not node._fields:
            continue
        if kind in _SEEN and (kind is not ast.Name or type(parent) not in _QUIET):
            seen.append(Seen(node, conditional, guarded, parent))
        if isinstance(node, ast.Name):
            words.add(node.id)
            if type(node.ctx) is ast.Store:
                bound.add(node.id)
        elif isinstance(node, ast.Attribute):
            words.add(node.attr)
            stack.append((node.value, conditional, node))
        elif isinstance(node, ast.IfExp):
            stack += [(node.test, conditional, node), (node.body, True, node), (node.orelse, True, node)]
        elif isinstance(node, ast.BoolOp):
            stack += [(value, conditional or place > 0, node) for place, value in enumerate(node.values)]
        else:
            if isinstance(node, ast.NamedExpr):
                block.assigned.append((node.target, node.value, conditional))
            for name in node._fields:
                value = getattr(node, name)
                if isinstance(value, list):
                    stack += [(each, conditional, node) for each in value if isinstance(each, ast.AST)]
                elif isinstance(value, ast.AST):
                    stack.append((value, conditional, node))


_SEEN = frozenset({ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.Compare})
_QUIET = frozenset(
    {ast.Attribute, ast.Call, ast.keyword, ast.Subscript, ast.Return, ast.Expr, ast.Compare, ast.BinOp, ast.UnaryOp}
    | {ast.FormattedValue, ast.If, ast.IfExp, ast.BoolOp, ast.While, ast.Assert, ast.Await, ast.AugAssign, ast.withitem}
)
"""Where a name stands only to go on to what is around it, or to be looked at."""


def _may_leave(node: ast.AST) -> bool:
    """Tell whether what follows in the same body may not run."""
    if isinstance(node, ast.If):
        return any(ends_block(s) for s in (*node.body[-1:], *node.orelse[-1:]))
    return isinstance(node, ast.stmt) and ends_block(node)


def _expects(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or (chain_of(kind) or ("Exception",))[-1] in _EXPECTED for kind in kinds)
