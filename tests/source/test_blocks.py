from __future__ import annotations

import ast

import pytest

from paper2code_local.source import Block, blocks


def called(text: str) -> dict[str, tuple[bool, bool]]:
    """Return each called name with whether it may not run, and whether errors are expected there."""
    return {
        seen.node.func.id: (seen.conditional, seen.guarded)
        for block in blocks(text)
        for seen in block.seen
        if isinstance(seen.node, ast.Call) and isinstance(seen.node.func, ast.Name)
    }


@pytest.mark.parametrize(
    ("text", "conditional"),
    [
        ("a()\n", False),
        ("if x:\n    a()\n", True),
        ("if x:\n    pass\nelse:\n    a()\n", True),
        ("if __name__ == '__main__':\n    a()\n", False),
        ("for x in y:\n    a()\n", False),
        ("def f():\n    if x:\n        return 1\n    a()\n", True),
        ("def f():\n    if x:\n        y = 1\n    a()\n", False),
        ("def f():\n    if x:\n        return 1\n    with y:\n        a()\n", True),
        ("z = a() if x else 1\n", True),
        ("z = x or a()\n", True),
        ("z = a() or x\n", False),
        ("try:\n    pass\nexcept ValueError:\n    a()\n", True),
        ("match x:\n    case 1:\n        a()\n", True),
        ("with open_it() as f:\n    a()\n", False),
    ],
)
def test_what_may_not_run(text: str, conditional: bool) -> None:
    assert called(text)["a"] == (conditional, False)


@pytest.mark.parametrize(
    ("handler", "guarded"),
    [("KeyError", True), ("(ValueError, KeyError)", True), ("Exception", True), ("", True), ("ValueError", False)],
)
def test_where_a_missing_key_is_expected(handler: str, guarded: bool) -> None:
    assert called(f"try:\n    a()\nexcept {handler}:\n    pass\n")["a"] == (False, guarded)


def test_a_method_knows_its_class_and_a_function_in_it_does_not() -> None:
    text = "class A:\n    def f(self, x, *y, z=1):\n        def g(self): return self\n        return g\n"
    found: dict[str, Block] = {block.name: block for block in blocks(text)}
    assert (found["f"].cls, found["g"].cls) == ("A", None)
    assert (found["f"].positional(), found["g"].outer) == (["self", "x"], found["f"])
    assert found["f"].bound == {"self", "x", "y", "z", "g"}


def test_assignments_of_every_kind_are_seen() -> None:
    text = "a = 1\nb: int = 2\nc += 3\nwith d as e: pass\nif (f := 4): pass\n"
    whole = blocks(text)[0]
    assert {ast.unparse(target) for target, _, _ in whole.assigned} == {"a", "b", "c", "e", "f"}


@pytest.mark.parametrize("text", ["def f(", "x" + "+x" * 3000, "if a: pass\n" + "elif a: pass\n" * 3000])
def test_any_text_is_survived(text: str) -> None:
    blocks(text)
