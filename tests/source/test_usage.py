from __future__ import annotations

import builtins
import json
import symtable
from pathlib import Path

import pytest

from paper2code_local.source import Usage, usage
from paper2code_local.source.problem import syntax_tree

FOLDER = Path(json.__file__).parent.parent
MODULES = ["argparse.py", "ast.py", "dataclasses.py", "enum.py", "functools.py", "inspect.py", "json/encoder.py"]
MODULES += ["logging/__init__.py", "pathlib.py", "typing.py"]


def _read(text: str) -> Usage:
    tree = syntax_tree(text)
    assert tree is not None
    return usage(tree, text)[0]


def _implicit(table: symtable.SymbolTable) -> set[str]:
    """Return the names that a module reads as globals, as Python's own compiler has them."""
    found = {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
    for child in table.get_children():
        found |= _implicit(child)
    return found


@pytest.mark.parametrize("name", MODULES)
def test_agrees_with_the_compiler_on_what_is_bound_nowhere(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    table = symtable.symtable(text, name, "exec")
    bound = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    known = set(dir(builtins)) | {"__file__", "__class__"}
    assert {n for _, n, _ in _read(text).names()} - known <= _implicit(table) - bound
    assert {n for n in _implicit(table) - bound if n not in known} <= {n for _, n, _ in _read(text).names()}


def test_what_methods_assign_to_self_belongs_to_the_class_and_the_rest_to_nobody() -> None:
    found = _read("class A:\n    def f(self, other):\n        self.x = other.y = 1\nA().z = 2\n")
    assert set(found.classes[0].stores) == {"x"}
    assert found.stored == {"y", "z"}


@pytest.mark.parametrize(
    ("text", "rebinds"),
    [
        ("globals()['x'] = 1\n", True),
        ("f(globals())\n", True),
        ("print(globals()['x'], globals().get('x'), 'x' in globals())\n", False),
        ("def f(): return locals()\n", False),
        ("exec('x = 1')\n", True),
    ],
)
def test_only_writing_to_the_own_namespace_counts(text: str, rebinds: bool) -> None:
    assert _read(text).rebinds is rebinds


def test_chains_are_read_as_far_as_they_go() -> None:
    found = _read("import a\na.b(c).d[0].e\n")
    assert {chain for _, chain, _ in found.reads} == {("a", "b"), ("a", "b", "()", "d")}
    assert [call.chain for call in found.calls] == [("a", "b")]


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 90 + ")" * 90 + "\n",
        "x = 1" + " + 1" * 5_000 + "\n",
        "x" + ".y" * 2_000 + "\n",
        "if x:\n    y = 1\n" + "elif x:\n    y = 1\n" * 900,
        "x" + ".f()" * 900 + "\n",
        "def f(x:\n",
        "\0",
    ],
)
def test_deep_or_broken_text_is_read_or_refused_but_never_too_much(text: str) -> None:
    tree = syntax_tree(text)
    if tree is not None:
        usage(tree, text)


def test_any_test_of_an_if_can_be_read() -> None:
    """Syntax trees hold nothing and strings beside nodes."""
    found = _read("if f({**a}, *b, c=d, **e)[:1] and (lambda *, x: x) and not {None: g}:\n    pass\n")
    assert {"a", "b", "d", "e", "f", "g"} <= {name for _, name, _ in found.names()}
