"""Functions and methods that code calls and nobody wrote."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper2code_local.artifacts.finding import errors_of
from paper2code_local.artifacts.repo import Repo, SourceFile
from paper2code_local.stages.s5_validate.gate import validate
from paper2code_local.stages.s6_repair.callees import Helper, helpers_of, signature_of, with_helper


def found(text: str, kept: frozenset[str] = frozenset()) -> tuple[Repo, tuple[Helper, ...]]:
    repo = Repo(files=(SourceFile(path="main.py", text=text),))
    return repo, helpers_of(repo, validate({"main.py": text.encode()}), kept)


def test_a_function_that_is_called_is_to_be_written_before_its_caller() -> None:
    text = 'import os\n\n\ndef main(config):\n    rows = load_rows(config["path"], os.sep, limit=3)\n    print(rows)\n'
    repo, (helper,) = found(text)
    assert helper.signature == "def load_rows(path, sep, limit)"
    assert "rows = load_rows(" in helper.purpose
    assert "main" in helper.purpose
    (file,) = with_helper(repo, helper, f"{helper.signature}:\n    return [limit]").files
    assert isinstance(file, SourceFile)
    assert file.stubbed == ("load_rows",)
    assert file.text.index("def load_rows") < file.text.index("def main")
    assert not validate({"main.py": file.text.encode()})


def test_a_function_is_given_the_settings_where_all_its_callers_have_them() -> None:
    text = "def main(config):\n    rows = load()\n    return load(rows, [load( 1 )])\n\n\nprint(main({}))\n"
    repo, (helper,) = found(text)
    assert helper.signature == "def load(config, rows=None, value2=None)"
    (file,) = with_helper(repo, helper, f"{helper.signature}:\n    return config").files
    assert isinstance(file, SourceFile)
    assert "    rows = load(config)\n    return load(config, rows, [load(config,  1 )])\n" in file.text
    assert not validate({"main.py": file.text.encode()})


@pytest.mark.parametrize(
    "call",
    [
        "main.py:print(load())",
        "def main(config):\n    return load(config)\n",
        "def main(config):\n    return load(config['path'])\n",
        "def main(config):\n    return load(n for n in (1, 2))\n",
        "def main(config):\n    return f'{load()}'\n",
        "def main(config):\n    return load \\\n        ()\n",
        "def main(config):\n    def inner():\n        return load()\n    return inner\n",
        "def main(config):\n    return load()\n\n\nprint(load())\n",
    ],
)
def test_elsewhere_it_is_not(call: str) -> None:
    text = call.removeprefix("main.py:")
    repo, (helper,) = found(text)
    assert not helper.given
    (file,) = with_helper(repo, helper, f"{helper.signature}:\n    return 1").files
    assert isinstance(file, SourceFile)
    assert text.splitlines()[-1] in file.text


@pytest.mark.parametrize(
    "text",
    [
        "import sys\n\nif __name__ == '__main__':\n    prepare (sys.argv)\n",
        '"""Calls prepare() at once."""\nfrom __future__ import annotations\n\nprepare(1)\n',
        "import functools\n\n\n@functools.cache\ndef f():\n    return prepare(1)\n\n\nprint(f())\n",
        "print(prepare(value2, 1)) if (value2 := 3) else None\n",
    ],
)
def test_wherever_it_is_called_the_file_still_compiles(text: str) -> None:
    repo, (helper,) = found(text)
    (file,) = with_helper(repo, helper, f"{helper.signature}:\n    return 1").files
    assert isinstance(file, SourceFile)
    assert not errors_of(validate({"main.py": file.text.encode()}))


def test_a_method_is_to_be_written_in_its_class() -> None:
    text = "class Net:\n    def run(self, x):\n        return self.scaled(x, by=2)\n\n\nprint(Net().run(1))\n"
    repo, (helper,) = found(text)
    assert (helper.qualname, helper.signature) == ("Net.scaled", "def scaled(self, x, by)")
    (file,) = with_helper(repo, helper, "    def scaled(self, x, by):\n        return x * by").files
    assert isinstance(file, SourceFile)
    assert not validate({"main.py": file.text.encode()})


def test_a_method_of_another_file_is_to_be_written_there() -> None:
    data = "class Data:\n    def __init__(self, path):\n        self.path = path\n"
    main = "from data import Data\n\n\ndef main(config):\n    d = Data(config)\n    return d.shuffled(3, by=config)\n"
    texts = {"data.py": data, "main.py": main}
    repo = Repo(files=tuple(SourceFile(path=path, text=text) for path, text in texts.items()))
    findings = validate({path: text.encode() for path, text in texts.items()})
    (helper,) = helpers_of(repo, findings, frozenset())
    assert (helper.path, helper.qualname) == ("data.py", "Data.shuffled")
    assert helper.signature == "def shuffled(self, value1, by)"
    assert "main" in helper.purpose
    files = with_helper(repo, helper, "    def shuffled(self, value1, by):\n        return value1").files
    assert not errors_of(validate({f.path: f.text.encode() for f in files if isinstance(f, SourceFile)}))
    assert helpers_of(repo, findings, frozenset({"data.py"})) == ()


@pytest.mark.parametrize("use", ["Data.shuffled()", "Data(1).shuffled()", "print(d.shuffled, d.shuffled())"])
def test_a_method_that_is_not_only_called_on_a_variable_is_left_alone(use: str) -> None:
    text = f"class Data:\n    def __init__(self, n):\n        self.n = n\n\n\nd = Data(1)\n{use}\n"
    _, helpers = found(text)
    assert [f.code for f in errors_of(validate({"main.py": text.encode()}))][:1] == ["P2C604"]
    assert helpers == ()


@pytest.mark.parametrize(
    "text",
    [
        "print(missing)\n",
        "print(missing, missing(1))\n",
        "print(Missing(1))\n",
        "print(missing(*[1]))\n",
        "print(missing(**{}))\n",
        "async def f():\n    return await missing(1)\n",
        "class A:\n    def f(self):\n        return self.rate\n\n\nA().f()\n",
        "class A:\n    def f(self):\n        return self.g, self.g()\n\n\nA().f()\n",
        "def broken(:\n    missing()\n",
        "print(1)\n",
    ],
)
def test_what_is_not_certain_to_be_a_function_is_left_alone(text: str) -> None:
    assert found(text)[1] == ()


def test_a_file_of_the_user_is_left_alone() -> None:
    assert len(found("print(missing(1))\n")[1]) == 1
    assert found("print(missing(1))\n", frozenset({"main.py"}))[1] == ()


Calls = Sequence[tuple[list[str], dict[str, str]]]
names = st.sampled_from(["a", "b", "data['key']", "x.shape", "1", "'text'", "f(2)", "self.a", "None", "lambda: 0"])
keywords = st.dictionaries(st.sampled_from(["a", "b", "key", "mode"]), names, max_size=2)
calls = st.lists(st.tuples(st.lists(names, max_size=4), keywords), min_size=1, max_size=4)


@given(calls, st.booleans())
def test_a_signature_takes_every_call_or_there_is_none(
    said: Sequence[tuple[list[str], dict[str, str]]], m: bool
) -> None:
    lines = [f"wanted({', '.join([*args, *(f'{k}={v}' for k, v in more.items())])})" for args, more in said]
    parsed = [node for line in lines for node in [ast.parse(line, mode="eval").body] if isinstance(node, ast.Call)]
    signature = signature_of("wanted", parsed, method=m)
    if signature is None:
        assert any(args and more for args, more in said)
        return
    receiver = ["class K:", f"    {signature}: pass", "wanted = K().wanted"] if m else [f"{signature}: pass"]
    text = "\n".join([*receiver, *lines]).replace("self.a", "1")
    for free in ("a", "b", "data", "x", "f"):
        text = f"{free} = print\n{text}"
    assert not [f for f in errors_of(validate({"main.py": text.encode()})) if f.code.startswith("P2C7")], text
