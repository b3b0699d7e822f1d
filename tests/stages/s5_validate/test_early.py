"""What is read before it is bound: by example, and against what Python itself says when the code is run."""

from __future__ import annotations

import sys
import traceback
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paper2code_local.stages.s5_validate import validate

HEAD = "import torch.nn as nn\n"
RIGHT = {
    "the round before": "def f():\n    for i in range(3):\n        if i:\n            print(last)\n        last = i\n",
    "the round before, in a while": "def f(n):\n    while n and (n < 3 or x):\n        x = n = n - 1\n",
    "either branch": "def f(c):\n    if c:\n        x = 1\n    return x\n",
    "half of a try": "def f():\n    try:\n        x = open('f')\n    finally:\n        x.close()\n",
    "expected": "def f():\n    try:\n        x\n    except NameError:\n        x = 1\n",
    "expected by a test": "import pytest\ndef f():\n    with pytest.raises(NameError):\n        x\n    x = 1\n",
    "global": "x = None\ndef f():\n    global x\n    if x is None:\n        x = 1\n",
    "global set by a call": "def f():\n    global x\n    x = 1\nf()\nprint(x)\nx = 2\n",
    "nonlocal": "def f():\n    def g():\n        nonlocal x\n        x = 1\n    g()\n    print(x)\n    x = 2\n",
    "read later": "def f():\n    def g():\n        return x\n    x = 1\n    return g()\n",
    "lambda": "def f():\n    g = lambda: x\n    x = 1\n    return g()\n",
    "elements of a comprehension": "def f():\n    return [x for x in range(3) if x]\n",
    "walrus": "def f(rows):\n    if any((hit := row) for row in rows):\n        return hit\n",
    "parameter": "def f(x, *y, z=1, **k):\n    x, y, z, k = x, y, z, k\n",
    "recursion": "def f(n):\n    return f(n - 1) if n else 0\n",
    "class body": "class A:\n    a = 1\n    b = a\n    a = b\n",
    "class body and outer name": "a = 1\nclass A:\n    b = a\n    a = 2\n",
    "method of the class itself": "class A:\n    def f(self):\n        return A\n",
    "builtin": "open = open\nprint(max)\nmax = min\n",
    "name of the module": "print(__name__)\n__name__ = 'x'\n",
    "annotation": "def f(x: T): return x\nT = int\n"
    if sys.version_info >= (3, 14)
    else "T = int\ndef f(x: T): return x\n",
    "pattern": "def f(v):\n    match v:\n        case [a, *b]: return a, b\n        case {'k': c, **d}: return c, d\n",
    "exception": "def f():\n    try:\n        pass\n    except ValueError as e:\n        raise e\n",
    "import": "def f():\n    import os.path\n    return os.sep\n",
    "after return": "def f():\n    return 1\n    print(x)\n    x = 1\n",
    "version": "import sys\ndef f():\n    if sys.version_info < (3,):\n        print(x)\n    x = 1\n",
    "compiled": "import triton\n@triton.jit\ndef f():\n    print(x)\n    x = 1\n",
    "asked for": "if 'x' in globals():\n    print(x)\nx = 1\n",
    "star": "from lib import *\nprint(x)\nx = 1\n",
    "set by a method": "class C:\n    def __init__(self):\n        self.reset()\n        print(self.x)\n"
    "        self.x = 2\n    def reset(self):\n        self.x = 1\n",
    "set by a function": "def fill(c):\n    c.x = 1\nclass C:\n    def __init__(self):\n        fill(self)\n"
    "        print(self.x)\n        self.x = 2\n",
    "set by a closure": "class C:\n    def __init__(self):\n        def fill(): self.x = 1\n        fill()\n"
    "        print(self.x)\n        self.x = 2\n",
    "of the class": "class C:\n    x = 0\n    def __init__(self):\n        self.x = self.x + 1\n",
    "property": "class C:\n    def __init__(self):\n        self.y = self.x\n    @property\n"
    "    def x(self): return 1\n",
    "set by the base": "class B:\n    def __init__(self): self.x = 1\nclass C(B):\n    def __init__(self):\n"
    "        super().__init__()\n        self.x = self.x + 1\n",
    "set for the base": "class B:\n    def __init__(self):\n        self.y = self.x\n        self.x = 0\n"
    "class C(B):\n    def __init__(self):\n        self.x = 1\n        super().__init__()\n",
    "set by an unknown base": "from lib import B\nclass C(B):\n    def __init__(self):\n        super().__init__()\n"
    "        self.x = self.x + 1\n",
    "of a torch module": HEAD + "class C(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.training = not self.training\n",
    "buffer": HEAD + "class C(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.register_buffer('x', None)\n        print(self.x)\n        self.x = 1\n",
    "in a loop": "class C:\n    def __init__(self):\n        for i in range(2):\n            if i: print(self.x)\n"
    "            self.x = i\n",
    "expected in a constructor": "class C:\n    def __init__(self):\n        try:\n            self.y = self.x\n"
    "        except AttributeError:\n            self.x = self.y = 1\n",
    "asked of itself": "class C:\n    def __init__(self):\n        print(hasattr(self, 'x') and self.x)\n"
    "        self.x = 1\n",
    "slash": "class C:\n    def __init__(self, /, other):\n        print(other.x)\n        other.x = self.x = 1\n",
}
"""Nothing is said of any of these."""

WRONG = {
    "comprehension over itself": ("def f(values):\n    rows = [row for row in rows]\n    return rows\n", 2),
    "module that a variable hides": ("import data\ndef f():\n    data = data.load()\n    return data\n", 3),
    "added to": ("def f(rows):\n    for row in rows:\n        pass\n    n += 1\n", 4),
    "before the loop": ("def f(rows):\n    print(n)\n    for n in rows:\n        pass\n", 2),
    "in another loop": ("def f(rows):\n    for r in rows:\n        print(n)\n    for r in rows:\n        n = r\n", 3),
    "both branches": ("def f(c):\n    if c:\n        print(x)\n    else:\n        print(c)\n    x = 1\n", 3),
    "only declared": ("def f():\n    x: int\n    print(x)\n    x = 1\n", 3),
    "in its own with": ("def f(path):\n    with open(handle) as handle:\n        pass\n", 2),
    "call before the definition": ("main()\ndef main():\n    pass\n", 1),
    "base below": ("class A(B):\n    pass\nclass B:\n    pass\n", 1),
    "in a class body": ("class A:\n    size = SIZE\nSIZE = 3\n", 2),
    "default": ("def f(n=SIZE):\n    return n\nSIZE = 3\n", 1),
    "constructor": ("class C:\n    def __init__(self):\n        self.y = self.x\n        self.x = 1\n", 3),
    "constructor, added to": ("class C:\n    def __init__(self):\n        self.x += 1\n        self.x = 1\n", 3),
    "constructor and another method": (
        "class C:\n    def __init__(self):\n        self.y = self.x\n    def set(self):\n        self.x = 1\n",
        3,
    ),
    "constructor of a torch module": (
        HEAD + "class C(nn.Module):\n    def __init__(self, lr):\n        super().__init__()\n"
        "        self.rate = self.optimizer.lr\n        self.optimizer = lr\n",
        5,
    ),
}
"""Text, and the line of the only finding."""


def early(text: str) -> list[int]:
    assert {f.severity for f in validate({"m.py": text.encode()}) if f.code == "P2C605"} <= {"error"}
    return [f.line for f in validate({"m.py": text.encode()}) if f.code == "P2C605"]


@pytest.mark.parametrize("case", RIGHT)
def test_what_may_be_bound_has_no_finding(case: str) -> None:
    compile(RIGHT[case], "m.py", "exec")
    assert early(RIGHT[case]) == []


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_bound_has_one(case: str) -> None:
    text, line = WRONG[case]
    assert early(text) == [line]


# -- random functions, run ---------------------------------------------------------------------------------------------

NAMES = st.sampled_from("abc")
SIMPLE = st.one_of(
    NAMES.map(lambda n: [f"{n} = 1"]),
    NAMES.map(lambda n: [f"use({n})"]),
    st.tuples(NAMES, NAMES).map(lambda two: [f"{two[0]} = [{two[1]} for {two[1]} in [{two[0]}]]"]),
    NAMES.map(lambda n: [f"{n} += 1"]),
    NAMES.map(lambda n: [f"if ({n} := 1): use(1)"]),
    NAMES.map(lambda n: [f"use([({n} := x) for x in (1, 2)])"]),
)


def _indented(blocks: list[list[str]]) -> list[str]:
    return [f"    {line}" for block in blocks for line in block]


def _compound(inner: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    body = st.lists(inner, min_size=1, max_size=3).map(_indented)
    return st.one_of(
        st.tuples(st.booleans(), body, body).map(lambda b: [f"if use({b[0]}):", *b[1], "else:", *b[2]]),
        st.tuples(NAMES, body).map(lambda b: [f"for {b[0]} in use((1, 2)):", *b[1]]),
        st.tuples(body, body).map(lambda b: ["try:", *b[0], "    raise KeyError", "except KeyError:", *b[1]]),
        body.map(lambda b: ["def g():", *b, "use(g)"]),
        body.map(lambda b: ["with use(context):", *b]),
    )


class Context:
    """A context manager that does nothing."""

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, *error: object) -> None:
        """Let errors pass."""


def fails_at(text: str) -> tuple[set[int], int | None]:
    """Run `f`; return the lines that ran in it to their end, and the line at which a name of it was not bound."""
    spaces: dict[str, Any] = {"use": lambda value: value, "context": Context()}
    exec(compile(text, "m.py", "exec"), spaces)
    ran: list[int] = []

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_name == "f" and event == "line":
            ran.append(frame.f_lineno)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    failed = None
    try:
        spaces["f"]()
    except (NameError, TypeError) as error:
        places = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_name == "f"]
        last = len(ran) - 1 - ran[::-1].index(places[0])  # the end of a `with` is traced after it
        del ran[last]
        failed = places[0] if isinstance(error, UnboundLocalError) and len(places) == 1 else None
    finally:
        sys.settrace(before)
    return set(ran), failed


@settings(max_examples=300)
@given(st.lists(st.recursive(SIMPLE, _compound, max_leaves=8), min_size=1, max_size=6))
def test_a_line_with_a_finding_cannot_be_passed(blocks: list[list[str]]) -> None:
    text = "\n".join(["def f():", *_indented(blocks), ""])
    passed, _ = fails_at(text)
    assert not passed & set(early(text)), text


@settings(max_examples=300)
@given(st.lists(SIMPLE, min_size=1, max_size=6))
def test_where_nothing_branches_the_line_that_fails_has_a_finding(blocks: list[list[str]]) -> None:
    text = "\n".join(["def f():", *_indented(blocks), ""])
    _, failed = fails_at(text)
    assert failed is None or failed in early(text), text
