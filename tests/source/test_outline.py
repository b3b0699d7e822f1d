from __future__ import annotations

import ast
import symtable
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper2code_local.source import outline

STDLIB = Path(sysconfig.get_paths()["stdlib"])
SAMPLE = sorted(STDLIB.glob("*.py"))[::4]


def _names_by_the_compiler(text: str) -> set[str]:
    table = symtable.symtable(text, "module.py", "exec")
    names = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}
    below = table.get_children()
    while below:
        child = below.pop()
        below += child.get_children()
        names |= {s.get_name() for s in child.get_symbols() if s.is_declared_global()}
    return names


def _deleted(text: str) -> set[str]:
    return {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Del)}


@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: path.name)
def test_exports_what_the_compiler_says_is_bound(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = outline(text)
    assert found.exact
    expected = _names_by_the_compiler(text)
    assert set(found.exported) - expected == set()
    assert expected - set(found.exported) <= _deleted(text)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a = b = 1", {"a", "b"}),
        ("a, (b, *c) = x", {"a", "b", "c"}),
        ("a.x = b[0] = 1", set()),
        ("a: int = 1\nb += 1", {"a", "b"}),
        ("for i, j in x: k = 1", {"i", "j", "k"}),
        ("with f() as a, g() as (b, c): pass", {"a", "b", "c"}),
        ("try:\n    import a.b\nexcept ImportError:\n    a = None\n", {"a"}),
        ("import a.b as c, d", {"c", "d"}),
        ("from m import a as b, c", {"b", "c"}),
        ("if x:\n    def f(): pass\nelse:\n    class C: y = 1\n", {"f", "C"}),
        ("def f():\n    global g\n    g = h = 1\n", {"f", "g"}),
        ("print([y := f(x) for x in z])", {"y"}),
        ("def f():\n    return (n := 3)\n", {"f"}),
        ("a = 1\ndel a", set()),
        ("a = 1\nif x:\n    del a", {"a"}),
        ("del a\na = 1", {"a"}),
        ("match p:\n    case [a, *b]: c = 1\n", {"a", "b", "c"}),
        ("global a, \\\n    b\n", {"a", "b"}),
        ("while x:\n    a = 1\n", {"a"}),
    ],
)
def test_finds_every_way_to_bind_a_name(text: str, names: set[str]) -> None:
    assert set(outline(text).exported) == names


@pytest.mark.parametrize(
    ("text", "guarded", "for_types", "at_import_time"),
    [
        ("import a", False, False, True),
        ("class C:\n    import a", False, False, True),
        ("def f():\n    import a", False, False, False),
        ("if x:\n    import a", True, False, True),
        ("if x:\n    pass\nelse:\n    import a", True, False, True),
        ("from typing import *\nif TYPE_CHECKING:\n    import a", True, True, False),
        ("if not TYPE_CHECKING:\n    import a", True, False, True),
        ("try:\n    import a\nexcept ImportError:\n    pass", True, False, True),
        ("try:\n    import a\nexcept:\n    pass", True, False, True),
        ("try:\n    import a\nexcept KeyError:\n    pass", False, False, True),
        ("try:\n    pass\nexcept KeyError:\n    import a", True, False, True),
        ("try:\n    pass\nfinally:\n    import a", False, False, True),
        ("with suppress(ImportError):\n    import a", True, False, True),
        ("with open(x):\n    import a", False, False, True),
        ('if __name__ == "__main__":\n    import a', False, False, False),
    ],
)
def test_says_whether_an_import_must_work(text: str, guarded: bool, for_types: bool, at_import_time: bool) -> None:
    found = outline(text).imports[-1]
    assert (found.module, found.guarded, found.for_types, found.at_import_time) == (
        "a",
        guarded,
        for_types,
        at_import_time,
    )


def test_reads_the_parts_of_an_import() -> None:
    relative, star, plain = outline("from ..a . b import (c as d, e,)\nfrom . import *\nimport x.y as z\n").imports
    assert (relative.module, relative.level, relative.names) == ("a.b", 2, (("c", "d"), ("e", None)))
    assert (star.module, star.level, star.star, star.names) == ("", 1, True, ())
    assert (plain.module, plain.asname, plain.bound(), plain.is_from) == ("x.y", "z", ("z",), False)


def test_lists_definitions_with_their_lines() -> None:
    text = (
        "LIMIT: int = 3\n@register\nclass Net(nn.Module, metaclass=M):\n    '''A net.'''\n\n    depth = 2\n\n"
        "    @property\n    async def size(\n        self,  # of it\n    ) -> int:\n"
        "        def local(): pass\n        return 1\n"
    )
    found = {d.qualname: d for d in outline(text).definitions}
    assert list(found) == ["LIMIT", "Net", "Net.depth", "Net.size"]
    assert [d.kind for d in found.values()] == ["variable", "class", "variable", "method"]
    net, size = found["Net"], found["Net.size"]
    assert (net.start, net.end, net.decorators, net.docstring) == (2, 13, ("register",), "A net.")
    assert net.signature == "class Net(nn.Module, metaclass=M)"
    assert net.bases[0] == "nn.Module"
    assert (size.start, size.end, size.is_async, size.decorators) == (8, 13, True, ("property",))
    assert size.signature.startswith("async def size(")
    assert size.signature.endswith("-> int")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("__all__ = ['a', \"b\"]", ("a", "b")),
        ("__all__ = ('a',)", ("a",)),
        ("__all__ = ['a']\n__all__ += ['b']", None),
        ("__all__ = names()", None),
        ("a = 1", None),
    ],
)
def test_reads_a_literal_list_of_public_names(text: str, names: tuple[str, ...] | None) -> None:
    assert outline(text).all_names == names


@pytest.mark.parametrize(
    "text", ["globals()['a'] = 1", "import sys\nsys.modules[__name__] = X()", "exec(code)", "__path__ = extend()"]
)
def test_admits_that_names_are_made_at_run_time(text: str) -> None:
    assert outline(text).dynamic
    assert not outline("def f(args):\n    return vars(args), executor(1)\n").dynamic


def test_understands_what_surrounds_an_error() -> None:
    found = outline("import a\n\ndef f(x:\n    return\n\nclass C:\n    def m(self): return 1\n")
    assert not found.exact
    assert [i.module for i in found.imports] == ["a"]
    assert "C" in {d.qualname for d in found.definitions}


def test_finds_what_is_not_implemented() -> None:
    text = "def f():\n    raise NotImplementedError('later')\n\ndef g():\n    raise NotImplementedError\n"
    assert outline(text).not_implemented == ((2, "later"),)


@given(st.text(alphabet="ab \n\t()[]{}:=,.\"'#@\\*defclassimportfromifwithé", max_size=80))
def test_never_fails(text: str) -> None:
    found = outline(text)
    assert all(1 <= line <= text.count("\n") + 1 for line in found.exported.values())
