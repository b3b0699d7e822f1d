from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper2code_local.source import outline, replace_unit, unit_at

TEXT = '''"""Module."""
x = 1  # é


class A:
    @property
    def value(self):
        return self._v

    @value.setter
    def value(self, v):
        self._v = v  # kept?

    async def f(self):
        def inner():
            return 1
        return inner()
# after
def g(): return 2
'''


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (1, None),
        (2, None),
        (5, None),
        (6, "A.value"),
        (8, "A.value"),
        (12, "A.value"),
        (16, "A.f"),
        (19, "g"),
        (99, None),
    ],
)
def test_finds_the_function_that_holds_a_line(line: int, name: str | None) -> None:
    unit = unit_at(TEXT, line)
    assert (unit.qualname if unit else None) == name


@given(st.sampled_from(["", "    ", "        ", "\t"]), st.sampled_from(["A.f", "A.value", "g"]))
def test_replaces_one_function_and_no_other_byte(indent: str, name: str) -> None:
    new = f"{indent}def {name.rpartition('.')[2]}(self):\n{indent}    return '''a\n  b'''\n"
    result = replace_unit(TEXT, name, new)
    old = [d for d in outline(TEXT).definitions if d.qualname == name][-1]
    lines, after = TEXT.split("\n"), result.split("\n")
    assert after[: old.start - 1] == lines[: old.start - 1]
    tail = lines[old.end :]
    assert after[len(after) - len(tail) :] == tail
    compile(result, "m.py", "exec")
    assert "return '''a\n  b'''" in result


def test_the_line_chooses_among_equals() -> None:
    assert "return 0" in replace_unit(TEXT, "A.value", "@property\ndef value(self):\n    return 0\n", line=7)
    assert "@value.setter" in replace_unit(TEXT, "A.value", "@property\ndef value(self):\n    return 0\n", line=7)
    assert "@value.setter" not in replace_unit(TEXT, "A.value", "def value(self):\n    return 0\n")


def test_the_same_text_changes_nothing() -> None:
    source = "    async def f(self):\n        def inner():\n            return 1\n        return inner()\n"
    assert replace_unit(TEXT, "A.f", source) == TEXT


def test_line_ends_are_those_of_the_file() -> None:
    text = TEXT.replace("\n", "\r\n")
    result = replace_unit(text, "g", "def g():\n    return 3\n")
    assert result.count("\n") == result.count("\r\n") == text.count("\n") + 1
    assert result.endswith("def g():\r\n    return 3\r\n")


def test_docstrings_move_and_other_strings_do_not() -> None:
    source = 'def f(self):\n    """One.\n\n    Two.\n    """\n    return """\nraw\n    """\n'
    assert (
        replace_unit(TEXT, "A.f", source).count('\n        Two.\n        """\n        return """\nraw\n    """\n') == 1
    )


def test_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        replace_unit(TEXT, "A.inner", "def inner(): pass")
