"""Attributes that hide a method of their class."""

from __future__ import annotations

import pytest

from paper2code_local.artifacts.import_order import ImportOrder, OrderedFile
from paper2code_local.stages.s5_validate import validate

PLANNED = ImportOrder(files=(OrderedFile(path="m.py", needs=()),))
METHOD = "    def f(self):\n        return 1\n"
SETS = "class C:\n    def __init__(self, config, f):\n        self.f = {}\n\n"

DATA = ("1", "'a'", "True", "[f]", "{}", "f'{f}'", "(1, 2)", "[x for x in f]", "1 < len(f)", "config['f']")
MAY_BE_CALLED = ("f", "None", "config", "len", "f.g", "f()", "lambda: 1", "f or 1", "f[0]", "config[f]", "f['g']")

FINE = {
    "another name": f"class C:\n    def __init__(self):\n        self.g = 1\n\n{METHOD}",
    "property": "class C:\n    def __init__(self):\n        self.f = 1\n\n    @property\n    def f(self):\n"
    "        return 1\n\n    @f.setter\n    def f(self, value):\n        pass\n",
    "another decorator": "import lib\n\n\nclass C:\n    def __init__(self):\n        self.f = 1\n\n"
    "    @lib.slot\n    def f(self):\n        return 1\n",
    "method of another class": f"class B:\n{METHOD}\n\nclass C:\n    def __init__(self):\n        self.f = 1\n",
    "attribute of another object": f"class C:\n    def __init__(self, other):\n        other.f = 1\n\n{METHOD}",
    "no method": "class C:\n    f = 2\n\n    def __init__(self):\n        self.f = 1\n",
}


def hidden(text: str, order: ImportOrder | None = PLANNED) -> list[tuple[int, str]]:
    return [(f.line, f.severity) for f in validate({"m.py": text.encode()}, order) if f.code == "P2C607"]


@pytest.mark.parametrize("value", DATA)
def test_data_that_hides_a_method_is_found(value: str) -> None:
    text = SETS.format(value) + METHOD
    assert hidden(text) == [(3, "error")]
    assert hidden(text, None) == [(3, "warning")]
    space: dict[str, type] = {}
    exec(text, space)
    with pytest.raises(TypeError):  # what the finding says: no object has the method
        space["C"]({"f": 1}, "ab").f()


@pytest.mark.parametrize("value", MAY_BE_CALLED)
def test_what_may_be_called_is_left_alone(value: str) -> None:
    assert hidden(SETS.format(value) + METHOD) == []


@pytest.mark.parametrize("case", FINE)
def test_what_hides_no_method_is_left_alone(case: str) -> None:
    compile(FINE[case], "m.py", "exec")
    assert hidden(FINE[case]) == []
