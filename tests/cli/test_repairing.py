"""`p2c-local repair`: in place, only for the better, with the originals kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from paper2code_local.stages.s5_validate import read_repository
from paper2code_local.stages.s5_validate.gate import validate
from tests.command_line import CommandLine

NET = "class Net:\n    def run(self, x):\n        return x\n"
FILES = {
    "net.py": NET,
    "loss.py": "def loss(x):\n    return x\n",
    "main.py": "from net import Net, loss\n\n\ndef main():\n    return Net().run(np.pi), loss(2)\n",
    "tools/odd.py": "def odd(x):\r\n    return math.pi\r\n",
}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    for path, text in FILES.items():
        place = tmp_path / "repo" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())
    (tmp_path / "repo" / "main.py").chmod(0o755)
    return tmp_path / "repo"


@pytest.fixture(scope="module")
def cli() -> CommandLine:  # type: ignore[misc]
    with CommandLine() as running:
        yield running  # type: ignore[misc]


def errors(repo: Path) -> list[str]:
    return [f.code for f in validate(read_repository(repo)) if f.severity == "error"]


def test_what_is_beyond_doubt_is_mended_in_place_and_the_originals_are_kept(cli: CommandLine, repo: Path) -> None:
    told = cli.run(repo.parent, "repair", "repo", "--rounds", 0, "--json")
    said = json.loads(told.stdout)
    assert (told.returncode, said["ok"], said["changed"]) == (1, False, ["main.py"])
    assert said["repair"]["errors"] == {"before": 3, "mechanical": 1, "after": 1}
    assert {change["by"] for change in said["repair"]["changes"]} == {"mechanical"}
    assert [finding["path"] for finding in said["findings"] if finding["severity"] == "error"] == ["tools/odd.py"]
    assert errors(repo) == ["P2C601"]
    text = (repo / "main.py").read_text()
    assert text.startswith("from net import Net\nfrom loss import loss\nimport numpy as np\n")
    assert (repo / "main.py").stat().st_mode & 0o777 == 0o755
    assert (Path(said["run"]) / "before" / "main.py").read_text() == FILES["main.py"]
    assert {p: (repo / p).read_bytes().decode() for p in FILES if p != "main.py"} == {
        p: text for p, text in FILES.items() if p != "main.py"
    }
    assert {p.name for p in repo.iterdir()} == {"net.py", "loss.py", "main.py", "tools"}


def test_a_package_that_something_else_hides_becomes_a_regular_one(cli: CommandLine, repo: Path) -> None:
    (repo / "json").mkdir()
    (repo / "json" / "rows.py").write_text("ROWS = 1\n")
    (repo / "show.py").write_text("from json.rows import ROWS\n\nprint(ROWS)\n")
    assert "P2C207" in errors(repo)
    told = cli.run(repo.parent, "repair", "repo", "--rounds", 0, "--dry-run")
    assert "json/__init__.py would be added, empty" in told.stdout
    assert not (repo / "json" / "__init__.py").exists()
    told = cli.run(repo.parent, "repair", "repo", "--rounds", 0, "--json")
    assert json.loads(told.stdout)["changed"] == ["json/__init__.py", "main.py"]
    assert (repo / "json" / "__init__.py").read_bytes() == b""
    assert "P2C207" not in errors(repo)


def test_a_second_run_changes_nothing(cli: CommandLine, repo: Path) -> None:
    cli.run(repo.parent, "repair", "repo", "--rounds", 0)
    before = {p: p.stat().st_mtime_ns for p in repo.rglob("*.py")}
    told = cli.run(repo.parent, "repair", "repo", "--rounds", 0, "--json")
    assert json.loads(told.stdout)["changed"] == []
    assert {p: p.stat().st_mtime_ns for p in repo.rglob("*.py")} == before


def test_a_dry_run_shows_the_difference_and_writes_nothing(cli: CommandLine, repo: Path) -> None:
    told = cli.run(repo.parent, "repair", "repo", "--rounds", 0, "--dry-run")
    assert "-from net import Net, loss\n+from net import Net\n+from loss import loss\n" in told.stdout
    assert (repo / "main.py").read_text() == FILES["main.py"]


def test_a_model_that_answers_nonsense_makes_nothing_worse(cli: CommandLine, repo: Path) -> None:
    (repo / "bad.py").write_text("def bad(x):\n    return x + nothing\n\n\ndef good(x):   # as it is\n    return x\n")
    before = errors(repo)
    told = cli.run(repo.parent, "repair", "repo", "--json")
    said = json.loads(told.stdout)
    assert said["repair"]["rounds"] >= 1
    assert len(errors(repo)) < len(before)
    assert (repo / "bad.py").read_text().endswith("def good(x):   # as it is\n    return x\n")


@pytest.mark.parametrize("made", ["nowhere", "empty", "file"])
def test_what_is_no_repository_is_refused(cli: CommandLine, tmp_path: Path, made: str) -> None:
    if made == "empty":
        (tmp_path / made).mkdir()
    told = cli.run(tmp_path, "repair", made, "--rounds", 0, "--json")
    assert told.returncode == 3
    assert json.loads(told.stdout)["error"]["code"] == "input.not_a_repository"
    assert not (tmp_path / made).exists() or made == "empty"


def test_without_a_model_the_error_says_what_to_do_and_nothing_is_changed(cli: CommandLine, repo: Path) -> None:
    (repo / "bad.py").write_text("def bad(x):\n    return x + nothing\n")
    told = cli.run(repo.parent, "repair", "repo", "--engine", "vllm", "--model", "no-such-model", "--json")
    assert told.returncode == 5
    assert json.loads(told.stdout)["error"]["code"].startswith("model.")
    assert (repo / "main.py").read_text() == FILES["main.py"]
