from __future__ import annotations

from paper2code_local.source import undefined_names, unused_imports


def test_names_bound_nowhere() -> None:
    assert undefined_names("import os\n\ndef f():\n    return zz + os.x + yy + zz + len(__file__)\n") == ("zz", "yy")
    assert undefined_names("x = 1\nprint(x)\n") == ()


def test_imports_used_nowhere() -> None:
    assert unused_imports("import a.b, c\nfrom d import e as f\nc\n") == ("a.b", "d.e")


def test_text_that_does_not_parse_says_nothing() -> None:
    assert undefined_names("x = (") == ()
    assert unused_imports("import a\nx = (") == ()
