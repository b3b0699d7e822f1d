"""A function that calls itself whenever it is called.

In: the syntax tree of a function. Out: the call that it always reaches. Must not know other functions. Nothing here
recurses.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from paper2code_local.source.chains import chain_of, ends_block, raises
from paper2code_local.source.scopes import Chain

_LEAVES = ast.Return | ast.Raise | ast.Yield | ast.YieldFrom | ast.Await | ast.Break | ast.Continue | ast.Assert


def endless(function: ast.FunctionDef) -> tuple[Chain, int] | None:
    """Return how a function calls itself before anything in it can have ended, and the line; None when it may not.

    That is by its name, or as a method of its first parameter. What it calls before may still raise.
    """
    first = [each.arg for each in (*function.args.posonlyargs, *function.args.args)][:1]
    nodes = list(ast.walk(function))
    bound = {name for node in nodes for name in _binds(node)} - set(first)
    stored = {n.id for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    ways: set[Chain] = {(owner, function.name) for owner in first if owner not in bound | stored}
    ways |= {(function.name,)} if function.name not in {*bound, *stored, *first} else set()
    found = any(isinstance(n, ast.Call) and chain_of(n.func) in ways for n in nodes)
    if not found or any(isinstance(n, ast.Yield | ast.YieldFrom) for n in nodes):
        return None
    for call in _always(function.body):
        chain = chain_of(call.func)
        if chain is not None and chain in ways:
            return chain, call.lineno
    return None


def _binds(node: ast.AST) -> Iterator[str]:
    """Yield what a node binds that is no assignment."""
    match node:
        case ast.arg(arg=name) | ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            yield name
        case ast.alias(name=name, asname=alias):
            yield alias or name.partition(".")[0]


def _always(body: Sequence[ast.stmt]) -> Iterator[ast.Call]:
    """Yield the calls that are made whenever the statements run, up to the first that may leave them."""
    stack: list[ast.stmt] = list(reversed(body))
    while stack:
        statement = stack.pop()
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                continue
            case ast.With():
                for item in statement.items:
                    yield from _calls(item.context_expr)
                if any(raises(item.context_expr) for item in statement.items):
                    return
                stack.extend(reversed(statement.body))
                continue
            case ast.If() | ast.While():
                yield from _calls(statement.test)
            case ast.For():
                yield from _calls(statement.iter)
            case ast.Try() | ast.TryStar() | ast.Match() | ast.AsyncFor() | ast.AsyncWith():
                return
            case _:
                yield from _calls(statement)
                if ends_block(statement) or isinstance(statement, ast.Assert):
                    return
                continue
        inside = [part for part in ast.walk(statement) if isinstance(part, ast.stmt | ast.expr)]
        if any(isinstance(part, _LEAVES) or (isinstance(part, ast.stmt) and ends_block(part)) for part in inside):
            return


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls in an expression or plain statement that are made whenever it runs."""
    stack = [node]
    while stack:
        part = stack.pop()
        match part:
            case ast.Lambda():
                continue
            case ast.BoolOp():
                stack.append(part.values[0])
            case ast.IfExp():
                stack.append(part.test)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                stack.append(part.generators[0].iter)
            case ast.Compare():
                stack += [part.left, part.comparators[0]]
            case _:
                if isinstance(part, ast.Call):
                    yield part
                stack.extend(ast.iter_child_nodes(part))
