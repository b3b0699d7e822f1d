from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from paper2code_local.source import compile_error, outline, skeleton

SAMPLE = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))[1::8]

TEXT = '''import math
LIMIT = 3


@register
class Net(Base):
    """A net."""

    depth = 2

    @property
    def size(self) -> int:
        """Count."""
        total = 0
        return total + LIMIT

    def grow(self): self.depth += 1

    def doc(self): "One line."


async def run(a, b=2):
    def local():
        return 1

    return local()
'''


def test_keeps_all_but_the_bodies() -> None:
    assert (
        skeleton(TEXT)
        == '''import math
LIMIT = 3


@register
class Net(Base):
    """A net."""

    depth = 2

    @property
    def size(self) -> int:
        """Count."""
        ...

    def grow(self): ...

    def doc(self): "One line."; ...


async def run(a, b=2):
    ...
'''
    )


@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: path.name)
def test_compiles_where_the_file_does_and_keeps_its_interface(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    short = skeleton(text)
    assert compile_error(short, path.name) is None
    before, after = outline(text).definitions, outline(short).definitions
    assert [(d.qualname, d.signature, d.docstring) for d in before if d.kind != "variable"] == [
        (d.qualname, d.signature, d.docstring) for d in after if d.kind != "variable"
    ]


def test_again_changes_nothing() -> None:
    assert skeleton(skeleton(TEXT)) == skeleton(TEXT)


def test_takes_text_that_does_not_parse() -> None:
    assert "x = 1" not in skeleton("def f():\n    x = 1\n\ndef g(:\n")
