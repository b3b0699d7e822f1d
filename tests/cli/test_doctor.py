"""`doctor` as it is called: lines that can be searched, JSON, exit codes, and what is left behind."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from paper2code_local.cli import main
from paper2code_local.doctor import CHECKS

LINE = re.compile(r"^(ok   |warn |fail ) [a-z]+ +\S.*(\n      fix: \S.*)?$", re.M)


def doctor(folder: Path, *args: str, **environment: str) -> Result:
    return CliRunner(env={"P2C_MODELS": str(folder / "models"), **environment}).invoke(main, ["doctor", *args])


def test_each_line_is_a_state_a_name_and_what_was_found(tmp_path: Path) -> None:
    told = doctor(tmp_path, "-o", str(tmp_path / "out"))
    assert told.exit_code == 1, "there is no model"
    assert LINE.sub("", told.stdout).strip() == ""
    states = dict(re.findall(r"^(?:ok|warn|fail) +([a-z]+) ()", told.stdout, re.M))
    assert {"python", "engine", "gpu", "memory", "model", "store", "output", "grobid", "git", "sandbox"} <= set(states)
    for line, following in zip(told.stdout.splitlines(), [*told.stdout.splitlines()[1:], ""], strict=True):
        assert line.startswith(("warn", "fail")) == following.startswith("      fix: "), line


def test_json_is_one_object_of_the_same_checks(tmp_path: Path) -> None:
    told = doctor(tmp_path, "--json", "-o", str(tmp_path / "out"))
    said = json.loads(told.stdout)
    assert (said["schema_version"], said["ok"], told.exit_code) == (1, False, 1)
    for check in said["checks"]:
        assert list(check) == ["name", "status", "found", "fix"]
        assert bool(check["fix"]) == (check["status"] != "ok"), check
    assert said["ok"] == all(check["status"] != "fail" for check in said["checks"])


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    doctor(tmp_path, "-o", str(tmp_path / "deep" / "out"))
    assert [path.name for path in tmp_path.rglob("*")] == ["models"]


def test_a_package_that_is_missing_costs_its_lines_only(tmp_path: Path) -> None:
    (tmp_path / "pydantic.py").write_text("raise ImportError('No module named pydantic', name='pydantic')\n")
    script = "import sys; from paper2code_local.cli import main; main(['doctor', '--json'])"
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    checks = json.loads(done.stdout)["checks"]
    assert len(checks) >= len(CHECKS)
    lost = {check["name"] for check in checks if "No module named pydantic" in check["found"]}
    assert {"memory", "models", "store"} <= lost
    assert not lost & {"python", "packages", "engine", "gpu", "git", "sandbox"}
    assert {check["fix"].rsplit(" ", 1)[1] for check in checks if check["name"] in lost} == {"pydantic"}


@pytest.mark.parametrize("word", ["warn", "fail", "--json", "--deep", "-o my-repo"])
def test_the_help_teaches(word: str) -> None:
    assert word in CliRunner().invoke(main, ["doctor", "--help"]).output
