from __future__ import annotations

import ast

from hypothesis import given, settings
from hypothesis import strategies as st

from paper2code_local.source import mismatch
from paper2code_local.source.shapes import arguments_of, signature_of

NAMES = ("a", "b", "c", "d")


@st.composite
def parameters(draw: st.DrawFn) -> str:
    """Draw a parameter list that compiles."""
    positional = draw(st.integers(0, 3))
    defaults = draw(st.integers(0, positional))
    parts = [n if i < positional - defaults else f"{n}=0" for i, n in enumerate(NAMES[:positional])]
    slash = draw(st.integers(0, positional))
    if slash:
        parts.insert(slash, "/")
    star = draw(st.sampled_from(["", "*", "*args"]))
    keyword_only = [draw(st.sampled_from(["d", "d=0"]))] if star == "*" or (star and draw(st.booleans())) else []
    return ", ".join([*parts, *([star] if star else []), *keyword_only, *draw(st.sampled_from([[], ["**kw"]]))])


@st.composite
def arguments(draw: st.DrawFn) -> str:
    """Draw the arguments of a call."""
    keywords = draw(st.lists(st.sampled_from((*NAMES, "e")), max_size=3, unique=True))
    return ", ".join(["0"] * draw(st.integers(0, 4)) + [f"{name}=0" for name in keywords])


@given(parameters(), arguments())
@settings(max_examples=150, deadline=None)
def test_agrees_with_python(parameters: str, arguments: str) -> None:
    definition = ast.parse(f"def f({parameters}): pass").body[0]
    call = ast.parse(f"f({arguments})").body[0]
    assert isinstance(definition, ast.FunctionDef)
    assert isinstance(call, ast.Expr)
    assert isinstance(call.value, ast.Call)
    refused = mismatch(signature_of(definition.args), arguments_of(call.value)) is not None
    namespace: dict[str, object] = {}
    exec(f"def f({parameters}): pass", namespace)
    try:
        exec(f"f({arguments})", namespace)
    except TypeError:
        assert refused
    else:
        assert not refused


@given(parameters(), arguments())
@settings(max_examples=50, deadline=None)
def test_stars_make_fewer_calls_certain(parameters: str, arguments: str) -> None:
    """What is refused with `*x, **y` in it is refused for every x and y: without them, too."""
    definition = ast.parse(f"def f({parameters}): pass").body[0]
    assert isinstance(definition, ast.FunctionDef)
    signature = signature_of(definition.args)
    calls = [ast.parse(f"f({arguments}{', ' if arguments else ''}{stars})").body[0] for stars in ("", "**y")]
    plain, starred = (arguments_of(c.value) for c in calls if isinstance(c, ast.Expr) and isinstance(c.value, ast.Call))
    if mismatch(signature, starred) is not None:
        assert mismatch(signature, plain) is not None
