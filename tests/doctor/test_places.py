"""Folders are tried as a run uses them, and left as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from paper2code_local.doctor.places import cache, output, shm, store, temporary, tried, umask
from tests.doctor.machines import Machine

NOWHERE = Path("/proc/p2c")
"""A folder that nobody can make, not even root."""


def tree(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*"))


def test_a_trial_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    before = tree(tmp_path)
    trial = tried(tmp_path / "not" / "there" / "yet")
    assert (trial.place, trial.reason, tree(tmp_path)) == (tmp_path, "", before)
    assert trial.seconds > 0
    assert trial.free > 0


def test_where_nothing_can_be_written_the_reason_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "is not a folder" in tried(tmp_path / "file").reason
    assert "is not a folder" in tried(tmp_path / "file" / "below").reason
    assert "/proc" in tried(NOWHERE).reason


def test_a_store_that_cannot_be_written_fails(machine: Machine) -> None:
    machine.environ["P2C_MODELS"] = str(NOWHERE)
    machine.file("proc/meminfo", "MemAvailable: 1 kB\n")
    (check,) = store(machine.subject())
    assert (check.status, "/proc" in check.found) == ("fail", True)
    name, _, place = check.fix.partition("=")
    assert name == "export P2C_MODELS"
    assert not tried(Path(place)).reason, "what is proposed can be used"


def test_a_store_is_fine_before_it_is_made_and_warned_of_when_all_may_write(machine: Machine) -> None:
    folder = machine.folder / "models"
    machine.environ["P2C_MODELS"] = str(folder)
    assert next(store(machine.subject())).status == "ok"
    folder.mkdir()
    folder.chmod(0o777)
    (check,) = store(machine.subject())
    assert (check.status, check.fix) == ("warn", f"chmod o-w {folder}")
    folder.chmod(0o755)
    assert next(store(machine.subject())).status == "ok"


def test_the_output_folder_is_tried_where_it_would_be(machine: Machine) -> None:
    (check,) = output(machine.subject(out=machine.folder / "out"))
    assert (check.status, str(machine.folder) in check.found) == ("ok", True)
    (check,) = output(machine.subject(out=NOWHERE / "out"))
    assert check.status == "fail"


def test_what_is_not_ours_in_the_way_of_the_output_is_told(machine: Machine) -> None:
    (machine.folder / "out").mkdir()
    assert next(output(machine.subject(out=machine.folder / "out"))).status == "ok"
    (machine.folder / "out" / "thesis.tex").touch()
    assert next(output(machine.subject(out=machine.folder / "out"))).status == "fail"


def test_a_cache_that_cannot_be_kept_is_a_warning_on_the_cpu(machine: Machine) -> None:
    assert next(cache(machine.subject(environ={"XDG_CACHE_HOME": str(machine.folder)}))).status == "ok"
    machine.environ["XDG_CACHE_HOME"] = str(NOWHERE)
    (check,) = cache(machine.subject())
    assert (check.status, "XDG_CACHE_HOME=" in check.fix) == ("warn", True)


@pytest.mark.parametrize(("length", "status"), [(70, "ok"), (71, "fail")])
def test_sockets_lie_in_the_temporary_folder_and_their_path_is_short(
    machine: Machine, length: int, status: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = Path("/tmp") / f"p2c-{tmp_path_factory.getbasetemp().name}"
    folder = base.with_name(base.name.ljust(length - len("/tmp/"), "x"))
    assert len(str(folder)) == length
    folder.mkdir()
    try:
        machine.environ["TMPDIR"] = str(folder)
        assert next(temporary(machine.subject())).status == status
        machine.environ["VLLM_RPC_BASE_PATH"] = "/tmp"
        assert next(temporary(machine.subject())).status == "ok"
    finally:
        folder.rmdir()


@pytest.mark.parametrize("name", ["TMPDIR", "TEMP"])
def test_a_temporary_folder_that_is_not_there_is_a_warning(machine: Machine, name: str) -> None:
    machine.environ[name] = str(machine.folder / "none")
    (check,) = temporary(machine.subject())
    assert (check.status, name in check.found) == ("warn", True)


def test_shared_memory_is_told_where_it_is_missing(machine: Machine) -> None:
    machine.file("proc/meminfo", "")
    assert next(shm(machine.subject())).status == "warn"
    (machine.folder / "root" / "dev" / "shm").mkdir(parents=True)
    assert next(shm(machine.subject())).status == "ok"


@pytest.mark.parametrize(("mask", "status"), [("0022", "ok"), ("0077", "ok"), ("0000", "warn"), ("0777", "fail")])
def test_the_umask_says_what_others_may_do(machine: Machine, mask: str, status: str) -> None:
    machine.file("proc/self/status", f"Name:\tx\nUmask:\t{mask}\n")
    (check,) = umask(machine.subject())
    assert (check.status, mask in check.found) == (status, True)
