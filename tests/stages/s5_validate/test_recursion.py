"""Functions that call themselves whenever they run."""

from __future__ import annotations

import pytest

from paper2code_local.artifacts.import_order import ImportOrder, OrderedFile
from paper2code_local.stages.s5_validate import validate

PLANNED = ImportOrder(files=(OrderedFile(path="m.py", needs=()),))

RIGHT = {
    "ends": "def f(n):\n    if not n:\n        return 1\n    return f(n - 1)\n",
    "ends in a loop": "def f(n):\n    while n:\n        return f(n - 1)\n    return n\n",
    "ends in an else": "def f(n):\n    for i in n:\n        if i:\n            break\n    return f(n)\n",
    "raises": "def f(n):\n    assert n\n    return f(n - 1)\n",
    "short circuit": "def f(n):\n    return n and f(n - 1)\n",
    "either or": "def f(n):\n    return f(n - 1) if n else 0\n",
    "elements": "def f(n):\n    return [f(i) for i in n]\n",
    "comparison": "def f(n):\n    return n < 1 < f(n)\n",
    "in a loop": "def f(n):\n    for i in n:\n        f(i)\n",
    "later": "def f(n):\n    return lambda: f(n)\n",
    "inner": "def f(n):\n    def g():\n        return f(n)\n    return g\n",
    "generator": "def f(n):\n    yield from f(n)\n",
    "coroutine": "async def f(n):\n    return f(n)\n",
    "expected": "def f(n):\n    try:\n        f(n)\n    except RecursionError:\n        pass\n",
    "suppressed": "import contextlib\ndef f(n):\n    with contextlib.suppress(RecursionError):\n        f(n)\n",
    "another of that name": "class C:\n    def f(self):\n        return f()\n\n\ndef f():\n    return 1\n",
    "overridden": "class C:\n    def f(self):\n        return self.f()\n\n\nclass D(C):\n"
    "    def f(self):\n        return 1\n",
    "assigned": "class C:\n    def __init__(self, f):\n        self.f = f\n\n"
    "    def f(self):\n        return self.f()\n",
    "decorated": "import lib\n@lib.swap\ndef f(n):\n    return f(n)\n",
    "two of them": "def f(n):\n    return f(n)\n\n\ndef f(n):\n    return 1\n",
    "parameter": "def f(f):\n    return f(1)\n",
    "import of that name": "def f(n):\n    from lib import f\n\n    return f(n)\n",
    "other object": "class C:\n    def f(self, other):\n        return other.f(self)\n",
    "base": "class B:\n    def f(self):\n        return 1\nclass C(B):\n    def f(self):\n        return super().f()\n",
}

WRONG = {
    "function": ("def f(n):\n    y = f(n)\n    return y\n", 2),
    "after other calls": ("def f(n):\n    print(n)\n    with open(n):\n        return [n, f(n)]\n", 4),
    "after a branch": ("def f(n):\n    if n:\n        n += 1\n    return f(n)\n", 4),
    "method": ("class C:\n    def f(self, n):\n        return self.f(n)\n", 3),
    "test of a loop": ("def f(n):\n    for i in f(n):\n        print(i)\n", 2),
    "first of a comprehension": ("def f(n):\n    return [i for i in f(n)]\n", 2),
    "inner function": ("def g():\n    def f(n):\n        return f(n)\n    return f\n", 3),
}


def endless(text: str, order: ImportOrder | None) -> list[tuple[int, str]]:
    return [(f.line, f.severity) for f in validate({"m.py": text.encode()}, order) if f.code == "P2C606"]


@pytest.mark.parametrize("case", RIGHT)
def test_a_call_that_may_not_be_made_is_none(case: str) -> None:
    compile(RIGHT[case], "m.py", "exec")
    assert endless(RIGHT[case], PLANNED) == []


@pytest.mark.parametrize("case", WRONG)
def test_a_call_that_is_always_made_is_one(case: str) -> None:
    text, line = WRONG[case]
    assert endless(text, PLANNED) == [(line, "error")]
    assert endless(text, None) == [(line, "warning")]
    compile(text, "m.py", "exec")
