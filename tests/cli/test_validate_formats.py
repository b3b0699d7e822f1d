"""The formats of `validate`, and `--explain`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from click.testing import CliRunner, Result

from paper2code_local.cli import main
from paper2code_local.stages.s5_validate.codes import ELSEWHERE, EXPLAINED


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "a repo"
    folder.mkdir()
    (folder / "main, 100%.py").write_text("import os\n\ndef broken(:\n")
    (folder / "later.py").write_text("def later():\n    pass\n")
    return Path("a repo")


def run(*args: str) -> Result:
    return CliRunner().invoke(main, ["validate", *args])


@pytest.mark.thorough
def test_every_format_has_the_exit_code_of_text(repo: Path) -> None:
    told = {form: run(str(repo), "--format", form) for form in ("json", "sarif", "github")}
    assert {result.exit_code for result in told.values()} == {1}
    assert told["json"].stdout == run(str(repo), "--json").stdout
    (repo / "main, 100%.py").unlink()
    assert run(str(repo), "--format", "github").exit_code == 0
    assert run(str(repo), "--format", "xml").exit_code == 2


def test_sarif_has_what_its_schema_requires(repo: Path) -> None:
    log = json.loads(run(str(repo), "--format", "sarif").stdout)
    assert (log["version"], set(log)) == ("2.1.0", {"$schema", "version", "runs"})
    (done,) = log["runs"]
    assert set(done) == {"tool", "columnKind", "results"}
    rules = done["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert {result["level"] for result in done["results"]} == {"error", "warning"}
    for result in done["results"]:
        _check_result(result, rules)
    assert {_file(result) for result in done["results"]} == {"a repo/main, 100%.py", "a repo/later.py"}


def _check_result(result: dict[str, Any], rules: list[dict[str, Any]]) -> None:
    rule = rules[result["ruleIndex"]]
    assert rule["id"] == result["ruleId"]
    assert rule["defaultConfiguration"]["level"] in ("error", "warning")
    for text in (rule["shortDescription"], rule["fullDescription"], result["message"]):
        assert set(text) == {"text"}
        assert text["text"]
    (location,) = result["locations"]
    physical = location["physicalLocation"]
    assert re.fullmatch(r"[\w./%~-]+", physical["artifactLocation"]["uri"])
    assert "region" not in physical or physical["region"]["startLine"] >= 1


def _file(result: dict[str, Any]) -> str:
    return unquote(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])


def test_a_finding_without_a_line_has_no_region(repo: Path) -> None:
    (repo / "logging.py").write_text("LEVEL = 3\n")
    log = json.loads(run(str(repo), "--format", "sarif").stdout)
    (hides,) = (r for r in log["runs"][0]["results"] if r["ruleId"] == "P2C206")
    assert "region" not in hides["locations"][0]["physicalLocation"]


def test_github_commands_escape_what_would_end_them(repo: Path) -> None:
    lines = run(str(repo), "--format", "github").stdout.splitlines()
    error = next(line for line in lines if line.startswith("::error "))
    assert error.startswith("::error file=a repo/main%2C 100%25.py,line=3,title=P2C101::The file does not compile")
    assert all(re.fullmatch(r"::(error|warning) [^:]+::.+", line) for line in lines)


def test_names_of_files_cannot_add_a_command(repo: Path) -> None:
    (repo / "x\n::error ::y.py").write_text("def broken(:\n")
    lines = run(str(repo), "--format", "github").stdout.splitlines()
    assert not any(line.startswith("::error ::") for line in lines)


@pytest.mark.parametrize("code", [*EXPLAINED, *ELSEWHERE])
def test_every_code_is_explained(code: str) -> None:
    told = run("--explain", code.lower())
    assert told.exit_code == 0
    assert told.output.startswith(f"{code}: ")
    assert ("Wrong:" in told.output and "Right:" in told.output) == (code in EXPLAINED)


def test_an_unknown_code_is_a_usage_error_that_names_near_ones() -> None:
    told = run("--explain", "P2C209")
    assert told.exit_code == 2
    assert "P2C20" in told.output
    assert json.loads(run("--explain", "nonsense", "--json").stdout)["error"]["code"] == "usage.unknown_code"
    assert json.loads(run("--explain", "nonsense", "--format", "json").stdout)["error"]["code"] == "usage.unknown_code"


def test_all_codes_can_be_listed_and_read_by_programs() -> None:
    assert [line.split()[0] for line in run("--explain", "list").output.splitlines()] == sorted(
        [*EXPLAINED, *ELSEWHERE]
    )
    told = json.loads(run("--explain", "P2C202", "--json").stdout)
    assert (told["code"], set(told["wrong"])) == ("P2C202", {"model.py", "train.py"})


def test_without_a_repository_it_says_what_to_give() -> None:
    told = run()
    assert told.exit_code == 2
    assert "no repository" in told.output
