"""`validate` on repositories of every kind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from paper2code_local.cli import main


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "model.py").write_text("class Model:\n    size = 3\n")
    (tmp_path / "main.py").write_text("from package.model import Model\n\nprint(Model.size)\n")
    (tmp_path / "notes.txt").write_text("not Python")
    return tmp_path


def validate(repo: Path, *args: str, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(main, ["validate", str(repo), *args])


def test_a_sound_repository_is_0(repo: Path) -> None:
    told = validate(repo)
    assert (told.exit_code, told.output) == (0, "nothing found in 3 Python files\n")
    assert json.loads(validate(repo, "--json").stdout) == {"schema_version": 1, "ok": True, "files": 3, "findings": []}


def test_an_error_is_1_and_is_told_with_its_place(repo: Path) -> None:
    (repo / "main.py").write_text("import package\n\ndef broken(:\n")
    told = validate(repo)
    assert told.exit_code == 1
    assert told.output.startswith("main.py\n     3  error P2C101 ")
    assert "1 error, 0 warnings in 3 Python files" in told.output
    machine = json.loads(validate(repo, "--json").stdout)
    (finding,) = machine["findings"]
    assert (machine["ok"], machine["files"]) == (False, 3)
    assert list(finding) == ["code", "severity", "path", "line", "message", "hint"]
    assert (finding["path"], finding["line"]) == ("main.py", 3)


def test_warnings_alone_are_0(repo: Path) -> None:
    (repo / "main.py").write_text("def later():\n    pass\n")
    machine = validate(repo, "--json")
    assert {finding["severity"] for finding in json.loads(machine.stdout)["findings"]} == {"warning"}
    assert machine.exit_code == 0


def test_the_environment_asks_for_json(repo: Path) -> None:
    assert json.loads(validate(repo, P2C_JSON="1").stdout)["ok"] is True


@pytest.mark.parametrize("make", [lambda p: p / "none", lambda p: p / "notes.txt", lambda p: p / "empty"])
def test_where_there_is_no_python_it_is_3(tmp_path: Path, make: object) -> None:
    (tmp_path / "notes.txt").write_text("not Python")
    (tmp_path / "empty").mkdir()
    assert callable(make)
    told = validate(make(tmp_path), "--json")
    assert told.exit_code == 3
    assert json.loads(told.stdout)["error"]["code"] == "input.not_a_repository"


def test_names_of_files_cannot_speak_to_the_terminal(repo: Path) -> None:
    (repo / "a\x1b[2J.py").write_text("def broken(:\n")
    assert "\x1b" not in validate(repo).output


def test_nothing_of_the_repository_is_run(repo: Path) -> None:
    (repo / "main.py").write_text("import pathlib\npathlib.Path(__file__).with_name('ran').touch()\n")
    (repo / "conftest.py").write_text("raise SystemExit(9)\n")
    assert validate(repo).exit_code == 0
    assert not (repo / "ran").exists()
