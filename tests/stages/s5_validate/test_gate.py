from __future__ import annotations

import importlib.util
import sysconfig
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paper2code_local.artifacts.finding import errors_of
from paper2code_local.stages.s5_validate import validate
from paper2code_local.stages.s5_validate.syntax import MAX_BYTES

STDLIB = ["asyncio", "collections", "concurrent", "email", "html", "http", "importlib", "json", "logging"]
STDLIB += ["multiprocessing", "unittest", "urllib", "xml"]
INSTALLED = ["click", "jinja2", "lxml", "pydantic", "rich", "yaml"]

MISTAKES = {
    ("pydantic/v1/_hypothesis_plugin.py", "P2C602"),  # reads what only pydantic 1 has
    ("unittest/test/test_case.py", "P2C601"),  # a method that raises a NameError in the place of its own exception
    ("unittest/test/test_suite.py", "P2C601"),  # a function that would, were it called
}
"""Mistakes that there really are in correct code, where nobody calls it."""


def _package(folder: Path) -> dict[str, bytes]:
    """Return a repository that holds one installed package."""
    return {
        path.relative_to(folder.parent).as_posix(): path.read_bytes() if path.suffix == ".py" else b""
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.thorough
@pytest.mark.parametrize("name", INSTALLED)
def test_installed_packages_have_no_error(name: str) -> None:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    found = errors_of(validate(_package(Path(spec.origin).parent)))
    assert {(f.path, f.code) for f in found} <= MISTAKES


@pytest.mark.thorough
@pytest.mark.parametrize("name", STDLIB)
def test_the_standard_library_has_no_error(name: str) -> None:
    found = errors_of(validate(_package(Path(sysconfig.get_paths()["stdlib"]) / name)))
    assert {(f.path, f.code) for f in found} <= MISTAKES


def _module(number: int) -> bytes:
    needed = f"from pkg.m{number - 1} import Net{number - 1}\n" if number else ""
    body = "".join(
        f"\n    def step{i}(self, values: list[float]) -> float:\n"
        f'        """Sum the values, {i} times."""\n        total = 0.0\n        for value in values:\n'
        f"            total += value * {i}\n        return total\n"
        for i in range(30)
    )
    return f'"""Part {number}."""\n\nimport math\n{needed}\n\nclass Net{number}:\n{body}'.encode()


@pytest.mark.thorough
def test_two_hundred_files_take_about_a_second() -> None:
    files = {f"pkg/m{n}.py": _module(n) for n in range(200)} | {"pkg/__init__.py": b""}
    validate(files)
    began = time.process_time()
    assert validate(files) == ()
    assert time.process_time() - began < 3


@pytest.mark.thorough
@given(st.integers(min_value=1, max_value=11), st.sampled_from(["class Net{}:", "from pkg.m{} import", "pkg/m{}.py"]))
@settings(max_examples=25, deadline=None)
def test_breaking_a_link_of_a_chain_is_found_where_it_breaks(link: int, what: str) -> None:
    files = {f"pkg/m{n}.py": _module(n) for n in range(12)} | {"pkg/__init__.py": b""}
    files["pkg/m12.py"] = b"from pkg.m11 import Net11\n"
    if what.startswith("pkg"):
        del files[what.format(link)]
        expected = ("P2C201", f"pkg/m{link + 1}.py")
    elif what.startswith("class"):
        files[f"pkg/m{link}.py"] = files[f"pkg/m{link}.py"].replace(what.format(link).encode(), b"class Other:")
        expected = ("P2C202", f"pkg/m{link + 1}.py")
    else:
        path = f"pkg/m{link}.py"
        files[path] = files[path].replace(what.format(link - 1).encode(), b"from pkg.nothing import")
        expected = ("P2C201", path)
    assert [(f.code, f.path) for f in validate(files)] == [expected]


@given(st.binary(max_size=60) | st.text(alphabet="ab1 \n\r\t\f\0#\\()\"'=:é\ufeff", max_size=20).map(str.encode))
@settings(max_examples=100, deadline=None)
def test_agrees_with_the_compiler_on_any_bytes(data: bytes) -> None:
    """Python imports a file with a stray byte in a comment, but does not run it: an error here."""
    refused = {"P2C101", "P2C102", "P2C103", "P2C104"} & {f.code for f in validate({"m.py": data})}
    try:
        compile(data, "m.py", "exec", dont_inherit=True)
        if b"coding" not in data:
            data.decode()
    except (SyntaxError, ValueError):
        assert refused
    else:
        assert not refused


@pytest.mark.thorough
@pytest.mark.parametrize(
    "data", [b"(" * 900_000, b"-" * 900_000 + b"1", b"a" + b".b" * 400_000, b"\n" * 900_000, b"\\\n" * 400_000]
)
def test_bombs_take_seconds_at_most(data: bytes) -> None:
    began = time.process_time()
    validate({"m.py": data})
    assert time.process_time() - began < 20


HOSTILE = {
    "aliases": "a0 = len\n" + "".join(f"a{i} = a{i - 1}\n" for i in range(1, 5_000)) + "a4999()\n",
    "deep classes": "class C0:\n    def f(self): return self.f()\n"
    + "".join(f"class C{i}(C{i - 1}):\n    def g(self): return self.g(self.f())\n" for i in range(1, 600)),
    "undefined": "".join(f"x{i} = y{i}\n" for i in range(5_000)),
    "attributes": "class C:\n def f(self):\n"
    + "".join(f"  self.aa{i} = self.aaa{i}\n" for i in range(2_000))
    + "C().f()\n",
}


@pytest.mark.thorough
@pytest.mark.parametrize("case", HOSTILE)
def test_names_that_go_far_cost_little(case: str) -> None:
    began = time.process_time()
    validate({"m.py": HOSTILE[case].encode()})
    assert time.process_time() - began < 8


def test_a_file_over_the_limit_is_said_to_be_unchecked_and_provides_any_name() -> None:
    found = validate({"big.py": b"#" * (MAX_BYTES + 1), "main.py": b"from big import anything\n"})
    assert [(f.code, f.severity) for f in found] == [("P2C105", "warning")]


def test_a_string_with_very_many_fields_is_said_to_be_unchecked() -> None:
    found = validate({"m.py": b"a = 1\nx = f'" + b"{a}" * 6_000 + b"'\n", "n.py": b"a = 1\n" + b"x = f'{a}'\n" * 6_000})
    assert [(f.code, f.path, f.severity) for f in found] == [("P2C105", "m.py", "warning")]


def test_the_order_of_the_files_does_not_matter() -> None:
    files = {"b.py": b"from a import x\n", "a.py": b"import b\ny = (\n", "random.py": b"def f(): pass\n"}
    assert validate(files) == validate(dict(reversed(files.items())))
    assert [f.path for f in validate(files)] == sorted(f.path for f in validate(files))


def test_a_broken_file_provides_what_can_be_read_of_it_and_no_name_is_missed() -> None:
    found = validate({"a.py": b"def f(x:\n    return\n", "main.py": b"from a import g\n"})
    assert [f.code for f in found] == ["P2C101"]


@pytest.mark.parametrize(
    "text",
    [
        "from typing import Protocol\nclass A(Protocol):\n    def f(self): ...\n",
        "from abc import ABC, abstractmethod\nclass A(ABC):\n    @abstractmethod\n    def f(self): pass\n",
        "from typing import overload\n@overload\ndef f(x: int) -> int: ...\ndef f(x): return x\n",
        "class A:\n    def f(self): raise NotImplementedError\n\nclass B(A):\n    def f(self): return 1\n",
        "def f():\n    return None\n",
    ],
)
def test_what_may_be_empty_is_left_alone(text: str) -> None:
    assert validate({"m.py": text.encode()}) == ()


def test_our_stub_is_reported_once() -> None:
    text = 'class A:\n    def f(self):\n        raise NotImplementedError("P2C102: it ends too early")\n'
    assert [(f.code, f.line) for f in validate({"m.py": text.encode()})] == [("P2C401", 3)]
