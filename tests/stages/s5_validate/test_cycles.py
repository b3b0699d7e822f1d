from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paper2code_local.stages.s5_validate import validate

A_NEEDS_B = {"a.py": "from b import y\nx = 1\n", "b.py": "from a import x\ny = 1\n"}


def _circles(files: dict[str, str]) -> list[str]:
    found = validate({path: text.encode() for path, text in files.items()})
    return [f.severity for f in found if f.code == "P2C203"]


@pytest.mark.parametrize(
    ("files", "severities"),
    [
        (A_NEEDS_B, ["error"]),
        ({"a.py": "import b\nx = 1\n", "b.py": "import a\ny = 1\n"}, []),
        ({"a.py": "x = 1\nfrom b import y\n", "b.py": "from a import x\ny = 1\n"}, ["warning"]),
        (
            {"a.py": "x = 1\nfrom b import y\n", "b.py": "from a import x\ny = 1\n", "main.py": "import a\n"},
            ["warning"],
        ),
        (
            {"a.py": "x = 1\nfrom b import y\n", "b.py": "from a import x\ny = 1\n", "main.py": "import b\n"},
            ["error"],
        ),
        ({"a.py": "from b import y\nx = 1\n", "b.py": "def f():\n    from a import x\ny = 1\n"}, []),
        ({"a.py": "from b import y\nx = 1\n", "b.py": "if TYPE_CHECKING:\n    from a import x\ny = 1\n"}, []),
        (
            {
                "a.py": "try:\n    from b import y\nexcept ImportError:\n    y = 2\nx = 1\n",
                "b.py": "from a import x\ny = 1\n",
            },
            ["warning"],
        ),
        ({"p/__init__.py": "from .a import x\n", "p/a.py": "from p import b\nx = 1\n", "p/b.py": "import p.a\n"}, []),
        ({"p/__init__.py": "from .a import x\n", "p/a.py": "from p import x\n"}, ["error"]),
        ({"m.py": "from m import x\nx = 1\n"}, ["error"]),
    ],
)
def test_only_what_certainly_fails_is_an_error(files: dict[str, str], severities: list[str]) -> None:
    assert _circles(files) == severities


def test_a_long_circle_is_found_once_and_quickly() -> None:
    files = {f"m{n}.py": f"from m{(n + 1) % 100} import x{(n + 1) % 100}\nx{n} = 1\n" for n in range(100)}
    assert _circles(files) == ["error"]


def test_a_very_deep_chain_is_no_trouble() -> None:
    files = {f"m{n}.py": f"import m{n + 1}\n" for n in range(3_000)} | {"m3000.py": ""}
    assert _circles(files) == []


LINES = ["import {0}", "from {0} import x", "def f():\n    from {0} import x"]
FILE = st.tuples(st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from("abc")), max_size=2), st.integers(0, 2))


@given(st.tuples(FILE, FILE, FILE))
@settings(max_examples=12, deadline=None)
def test_agrees_with_python(
    tmp_path_factory: pytest.TempPathFactory, drawn: tuple[tuple[list[tuple[str, str]], int], ...]
) -> None:
    """An error means that some file cannot be imported; no finding, that all can."""
    files: dict[str, str] = {}
    for name, (imports, position) in zip("abc", drawn, strict=True):
        lines = [line.format(target) for line, target in imports]
        files[f"{name}.py"] = "\n".join((*lines[:position], "x = 1", *lines[position:], ""))
    folder: Path = tmp_path_factory.mktemp("circle")
    for path, text in files.items():
        (folder / path).write_text(text)
    works = [
        subprocess.run([sys.executable, "-S", "-c", f"import {name}"], cwd=folder, capture_output=True).returncode == 0
        for name in "abc"
    ]
    severities = _circles(files)
    if "error" in severities:
        assert not all(works)
    if not severities:
        assert all(works)
