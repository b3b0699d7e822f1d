"""The copy that is run, and the reports that are kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.smoke import SmokePolicy, SmokeReport, Trial
from paper2code_local.errors import InputError
from paper2code_local.smoke.memory import key, remember, remembered
from paper2code_local.smoke.staging import MAX_FILE, digest, files_of, stage

OK = Trial(path="a.py", kind="import", status="ok")
REPORT = SmokeReport(sandbox="none", python="3.11", policy=SmokePolicy(), trials=(OK,), findings=())
LATE = Finding(code="P2C012", severity="error", path="a.py", line=0, message="late", hint="")


def test_a_copy_is_what_was_read_and_anybody_may_read_it(tmp_path: Path) -> None:
    files = {"a.py": b"x = 1\n", "deep/er/b.py": b"", "data.bin": bytes(range(256))}
    before = os.umask(0o077)
    try:
        stage(files, tmp_path)
    finally:
        os.umask(before)
    assert files_of(tmp_path / "repo") == (files, ())
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "repo").rglob("*")}
    assert modes == {0o644, 0o755}


@pytest.mark.parametrize("name", ["../a.py", "/a.py", "a/../../b.py", ".", "", "a\0.py"])
def test_no_path_leaves_the_copy(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        stage({name: b""}, tmp_path)


def test_links_hidden_folders_and_large_files_stay_behind(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    (tmp_path / "link.py").symlink_to("/etc/passwd")
    for folder in (".git", "venv", "__pycache__"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "b.py").write_text("")
    with (tmp_path / "large.bin").open("wb") as large:
        large.truncate(MAX_FILE + 1)
    assert files_of(tmp_path) == ({"a.py": b""}, ("large.bin",))


def test_a_folder_without_python_is_no_repository(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError) as raised:
            files_of(folder)
        assert raised.value.code == "input.not_a_repository"


def test_whatever_a_result_depends_on_changes_its_name() -> None:
    files = {"a.py": b"1", "b.py": b"2"}
    digests = {digest(files), digest({"a.py": b"12", "b.py": b""}), digest({"a.py": b"1"}), digest({"ab.py": b"12"})}
    assert len(digests) == 4
    assert digest(dict(reversed(files.items()))) == digest(files)
    base = ("digest", SmokePolicy(), "bubblewrap", "3.11")
    others = [
        ("other", *base[1:]),
        (base[0], SmokePolicy(seconds=1), *base[2:]),
        (*base[:2], "x", "3.11"),
        (*base[:3], "x"),
    ]
    assert len({key(*base), *(key(*other) for other in others)}) == 5


def test_a_report_comes_back_as_it_was(tmp_path: Path) -> None:
    remember(tmp_path / "cache", "name", REPORT)
    assert remembered(tmp_path / "cache", "name") == REPORT.model_copy(update={"remembered": True})
    assert remembered(tmp_path / "cache", "other") is None


@pytest.mark.parametrize(
    "report",
    [
        REPORT.model_copy(update={"findings": (LATE,)}),
        REPORT.model_copy(update={"trials": (OK.model_copy(update={"reason": "no time was left for it"}),)}),
    ],
)
def test_what_a_busy_machine_decided_is_not_kept(report: SmokeReport, tmp_path: Path) -> None:
    remember(tmp_path, "name", report)
    assert remembered(tmp_path, "name") is None


def test_a_damaged_report_and_one_that_others_may_write_are_not_used(tmp_path: Path) -> None:
    remember(tmp_path, "name", REPORT)
    (tmp_path / "name.json").chmod(0o666)
    assert remembered(tmp_path, "name") is None
    (tmp_path / "name.json").chmod(0o644)
    assert remembered(tmp_path, "name") is not None
    (tmp_path / "name.json").write_text("{")
    assert remembered(tmp_path, "name") is None
