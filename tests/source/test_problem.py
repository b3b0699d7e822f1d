from __future__ import annotations

import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper2code_local.source import compile_error

FILE = (
    '"""Adds."""\n\nimport math\n\n\nclass Adder:\n    """Adds a fixed number."""\n\n'
    "    def __init__(self, number: float) -> None:\n        self.number = number\n\n"
    "    def add(self, values: list[float]) -> list[float]:\n"
    '        names = {\n            "first": values[0],\n            "second": math.sqrt(\n                4.0\n'
    "            ),\n        }\n        return [v + self.number for v in values if names]\n"
)


def test_accepts_what_compiles() -> None:
    assert compile_error(FILE, "adder.py") is None
    assert compile_error("", "empty.py") is None
    assert compile_error("x = '\\d'\nassert (x, 'always true')\n", "warned.py") is None


@pytest.mark.parametrize(
    "text",
    [
        "def f(x)\n    return x\n\ny = 1\n",
        "x = 1 y = 2\nz = 3\n",
        "print 'hello'\nx = 1\n",
        "x = 08\n",
        "return 1\n",
        "def f():\n\tx = 1\n        y = 2\n",
        "x = [1, 2\n\ndef f():\n    return 1\n",
        "if x = 3:\n    pass\n",
        "raise ValueError, 'a b c d'\nx = 1\n",
        "x = foo bar baz qux\ny = 1\n",
        "x = 1\0\n",
        "x = '\ud800'\n",
    ],
)
def test_calls_broken_code_a_syntax_problem(text: str) -> None:
    problem = compile_error(text, "m.py")
    assert problem is not None
    assert problem.kind == "syntax"


@pytest.mark.parametrize(
    "text",
    [
        "def f(a,\n      b",
        "def f():\n",
        "def f():\n    # what it does\n",
        "x = '''abc\nde",
        "def f():\n    return x[1",
        "class A:\n    def f(self):\n        return self.",
        "x = foo('abc",
        "try:\n    x = 1\n",
        "if x:\n    y = 1\nelse:",
        "@decorated\n",
    ],
)
def test_tells_what_was_cut_short(text: str) -> None:
    problem = compile_error(text, "m.py")
    assert problem is not None
    assert problem.kind == "truncated"


@pytest.mark.parametrize(
    "text",
    [
        "```python\nx = 1\n```\n",
        "Here is the code for the model:\n\nx = 1\n",
        "Sure! Here's the implementation:\n\nx = 1\n",
        "x = 1\n\nThis file implements the loop (see Section 3).\n",
        "import numpy as np\nThe following class defines the model:\n\nclass A: pass\n",
        "x = 1\n- **Model**: the encoder part\n",
        "1. First, we define the model\nx = 1\n",
        "The model's loss is computed here.\nimport x\n",
    ],
)
def test_tells_prose(text: str) -> None:
    problem = compile_error(text, "m.py")
    assert problem is not None
    assert problem.kind == "prose"


@given(st.integers(min_value=0, max_value=len(FILE)))
def test_a_prefix_of_a_file_is_never_called_prose(cut: int) -> None:
    problem = compile_error(FILE[:cut], "m.py")
    assert problem is None or problem.kind != "prose"


@given(st.text(max_size=60))
def test_agrees_with_the_compiler(text: str) -> None:
    try:
        compile(text, "m.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        assert compile_error(text, "m.py") is not None
    else:
        assert compile_error(text, "m.py") is None


@pytest.mark.parametrize(
    "text", ["(" * 5_000, "-" * 50_000 + "1", "a" + ".b" * 50_000, "\\\n" * 100_000, "[\n" * 5_000]
)
def test_nesting_bombs_are_problems_and_quick(text: str) -> None:
    began = time.monotonic()
    assert compile_error(text, "m.py") is not None
    assert time.monotonic() - began < 5


def test_runs_and_imports_nothing() -> None:
    assert compile_error("import antigravity, this\nraise SystemExit\n", "m.py") is None
    assert "antigravity" not in sys.modules
