"""A path of ours stays inside the repository and can be imported."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from paper2code_local.artifacts.paths import PATTERN, RepoPath, module_of, unusable

PATHS: TypeAdapter[str] = TypeAdapter(RepoPath)


@pytest.mark.parametrize("path", ["model.py", "data/loader.py", "a/b/c.py", "x2_y.py"])
def test_a_plain_path_is_a_module(path: str) -> None:
    assert PATHS.validate_python(path) == path
    assert module_of(path).replace(".", "/") + ".py" == path


@pytest.mark.parametrize(
    "path",
    [
        *(
            "",
            "model",
            "model.pyc",
            "Model.py",
            "model.py\n",
            "my model.py",
            "mödel.py",
            "__init__.py",
            "a" * 40 + ".py",
        ),
        *("/model.py", "../model.py", "a/../b.py", "./model.py", "a//b.py", "a/b/c/d.py", "a\\b.py", "a.b.py", ".py"),
        *("class.py", "match.py", "data/import.py", "torch.py", "json.py", "random/x.py", "numpy.py", "tests/x.py"),
    ],
)
def test_what_leaves_the_repository_or_cannot_be_imported_is_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        PATHS.validate_python(path)


@given(st.from_regex(re.compile(PATTERN), fullmatch=True).map(str.strip) | st.text("ab_./\\", max_size=12))
def test_what_is_accepted_is_relative_and_can_be_imported(path: str) -> None:
    try:
        PATHS.validate_python(path)
    except ValidationError:
        assert not re.fullmatch(PATTERN, path) or unusable(path)
        return
    parts = PurePosixPath(path).parts
    assert not PurePosixPath(path).is_absolute()
    assert ".." not in parts
    compile(f"import {module_of(path)}", "<test>", "exec", dont_inherit=True)
