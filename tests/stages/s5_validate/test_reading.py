from __future__ import annotations

from pathlib import Path

import pytest

from paper2code_local.errors import InputError
from paper2code_local.stages.s5_validate import read_repository
from paper2code_local.stages.s5_validate.syntax import MAX_BYTES


def test_reads_python_and_names_the_rest(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "a.py").write_bytes(b"x = 1\n")
    (tmp_path / "net" / "a.so").write_bytes(b"\x7fELF")
    assert read_repository(tmp_path) == {"net/a.py": b"x = 1\n", "net/a.so": b""}


@pytest.mark.parametrize(
    "name",
    [
        "requirements.txt",
        "requirements/dev.txt",
        "pyproject.toml",
        "setup.cfg",
        "environment.yml",
        "config.yaml",
        "c.sh",
    ],
)
def test_reads_what_is_required_and_settings(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.py").touch()
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"x" * (2 * MAX_BYTES))
    assert len(read_repository(tmp_path)[name]) == MAX_BYTES + 1


@pytest.mark.parametrize("folder", [".git", ".venv", "venv", "node_modules", "__pycache__", "site-packages", ".hidden"])
def test_skips_what_is_not_the_repository(tmp_path: Path, folder: str) -> None:
    (tmp_path / "a.py").touch()
    (tmp_path / "b" / folder).mkdir(parents=True)
    (tmp_path / "b" / folder / "c.py").touch()
    assert list(read_repository(tmp_path)) == ["a.py"]


def test_follows_no_link(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    root.mkdir()
    (tmp_path / "secret.py").write_text("x = 1\n")
    (root / "a.py").touch()
    (root / "b.py").symlink_to(tmp_path / "secret.py")
    (root / "up").symlink_to(tmp_path)
    assert list(read_repository(root)) == ["a.py"]


def test_reads_no_more_than_the_limit(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"#" * (2 * MAX_BYTES))
    assert len(read_repository(tmp_path)["a.py"]) == MAX_BYTES + 1


def test_refuses_what_is_no_repository(tmp_path: Path) -> None:
    (tmp_path / "note.txt").touch()
    for path in (tmp_path, tmp_path / "note.txt", tmp_path / "gone"):
        with pytest.raises(InputError) as caught:
            read_repository(path)
        assert caught.value.code == "input.not_a_repository"
