"""Files that nobody runs as they are: what is wrong in them is a warning, unless another file needs them."""

from __future__ import annotations

import pytest

from paper2code_local.artifacts.import_order import ImportOrder, OrderedFile
from paper2code_local.stages.s5_validate import validate

BROKEN = b"def f(:\n    return 1\n"


def severities(files: dict[str, bytes], order: ImportOrder | None = None) -> list[tuple[str, str]]:
    return [(f.path, f.severity) for f in validate(files, order) if f.code == "P2C101"]


@pytest.mark.parametrize(
    "path",
    ["tests/data/old.py", "pkg/tests/broken.py", "templates/model.py", "{{ name }}/main.py", "extension_template/a.py"],
)
def test_what_may_be_broken_on_purpose_is_a_warning(path: str) -> None:
    assert severities({path: BROKEN}) == [(path, "warning")]


@pytest.mark.parametrize("path", ["tests/test_model.py", "tests/conftest.py", "template.py", "contests/a.py"])
def test_what_is_run_is_an_error(path: str) -> None:
    assert severities({path: BROKEN}) == [(path, "error")]


def test_what_is_imported_is_an_error() -> None:
    files = {"tests/__init__.py": b"", "tests/tools.py": BROKEN, "tests/test_a.py": b"from tests.tools import f\n"}
    assert severities(files) == [("tests/tools.py", "error")]


def test_what_was_planned_is_an_error() -> None:
    order = ImportOrder(files=(OrderedFile(path="templates/model.py", needs=()),))
    assert severities({"templates/model.py": BROKEN}, order) == [("templates/model.py", "error")]


def test_a_template_may_import_what_is_still_to_be_named() -> None:
    files = {"net/__init__.py": b"", "net_templates/a.py": b"from net.my_model import MyModel\n"}
    assert [(f.code, f.severity) for f in validate(files) if f.code == "P2C201"] == [("P2C201", "warning")]
