"""`smoke`: exit codes, text and JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from paper2code_local.cli import main


def smoke(repo: Path, *args: str, **environment: str) -> Result:
    given = {"XDG_CACHE_HOME": str(repo.parent / "cache")} | environment
    return CliRunner(env=given).invoke(main, ["smoke", str(repo), *args])


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "model.py").write_text("import os\n")
    (folder / "other.py").write_text("import nowhere_to_be_found\n")
    return folder


@pytest.mark.sandbox
def test_a_repository_that_can_be_imported_is_0(repo: Path) -> None:
    told = smoke(repo)
    assert told.exit_code == 0
    assert told.output.startswith("not installed here: nowhere_to_be_found\n1 ok, 1 not installed; nothing found in 2 ")
    assert "as remembered" in smoke(repo).output
    assert "as remembered" not in smoke(repo, "--again").output


@pytest.mark.sandbox
def test_a_failure_is_1_and_is_told_with_its_place(repo: Path) -> None:
    (repo / "model.py").write_text("import os\n\n1 / 0\n")
    told = smoke(repo)
    assert told.exit_code == 1
    assert told.output.startswith("model.py\n     3  error P2C010 importing it fails: ZeroDivisionError: ")
    machine = json.loads(smoke(repo, "--json").stdout)
    assert (machine["ok"], machine["findings"][0]["line"]) == (False, 3)
    assert machine["trials"][0]["trace"] == ["model.py:3 in <module>"]


def test_a_folder_without_python_is_3_whether_or_not_there_is_a_sandbox(tmp_path: Path) -> None:
    told = smoke(tmp_path, "--json", PATH=str(tmp_path))
    assert (told.exit_code, json.loads(told.stdout)["error"]["code"]) == (3, "input.not_a_repository")


def test_without_a_sandbox_it_is_5_and_says_what_to_install(repo: Path) -> None:
    told = smoke(repo, PATH=str(repo))
    assert told.exit_code == 5
    assert "apt install bubblewrap" in told.stderr
