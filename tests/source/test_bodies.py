from __future__ import annotations

import pytest

from paper2code_local.source import body_problem, outline


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("def f(): pass", "pass"),
        ("def f():\n    '''Doc.'''\n    pass\n", "pass"),
        ("def f(): ...", "empty"),
        ("def f():\n    'Only a docstring.'\n", "empty"),
        ("def f():\n", "empty"),
        ("", "empty"),
        ("def f():\n    raise NotImplementedError\n", "placeholder"),
        ("def f():\n    'Doc.'\n    raise NotImplementedError('x')\n", "placeholder"),
        ("def f():\n    # TODO: write\n    pass\n", "placeholder"),
        ("def f():\n    # Implement the loss here\n    return None\n", "placeholder"),
        ("    @staticmethod\n    async def f(self):\n        pass\n", "pass"),
        ("def f():\n    return None\n", None),
        ("def f():\n    # TODO: faster\n    return 1\n", None),
        ("def f(x):\n    if x:\n        raise NotImplementedError\n    return 2\n", None),
        ("def f(x):\n    x.todo = 1\n", None),
    ],
)
def test_says_why_a_body_does_nothing(text: str, problem: str | None) -> None:
    assert body_problem(text) == problem


def test_the_outline_says_the_same() -> None:
    found = outline("class A:\n    x = 1\n    def f(self): pass\n    def g(self): return 1\n").definitions
    assert {d.qualname: d.hollow for d in found} == {"A": None, "A.x": None, "A.f": "pass", "A.g": None}
