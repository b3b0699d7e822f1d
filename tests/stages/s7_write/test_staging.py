"""A folder is written whole or not at all, and what is not ours is never lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paper2code_local.errors import WriteError
from paper2code_local.stages.s7_write import MARKER, refuse_foreign, write_repository

FILES = {"main.py": b"print(1)\n", "data/loader.py": b"x = 1\n", "reproduce.sh": b"#!/bin/sh\n"}
NEWER = {"main.py": b"print(2)\n", "model.py": b"y = 1\n"}


def write(out: Path, files: Mapping[str, bytes] = FILES, git: bool = False, run: str = "run-1") -> str:
    return write_repository(files, out, run=run, git=git)


def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return path → (content, time of change) of everything in `folder` and beside it."""
    found = sorted(folder.parent.rglob("*"))
    return {str(p): (p.read_bytes() if p.is_file() else b"", p.lstat().st_mtime_ns) for p in found}


def content(folder: Path) -> dict[str, bytes]:
    found = (p for p in folder.rglob("*") if p.is_file() and ".git" not in p.parts)
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found if p.name != MARKER}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "beside" / "out"


def test_every_file_is_written_and_nothing_stays_beside(out: Path) -> None:
    assert write(out) == ""
    assert content(out) == FILES
    assert os.access(out / "reproduce.sh", os.X_OK)
    assert not os.access(out / "main.py", os.X_OK)
    assert [p.name for p in out.parent.iterdir()] == ["out"]


def test_an_empty_folder_is_filled(out: Path) -> None:
    out.mkdir(parents=True)
    refuse_foreign(out)
    write(out)
    assert content(out) == FILES


def test_the_same_content_touches_nothing_even_beside_files_of_the_user(out: Path) -> None:
    write(out)
    (out / "results").mkdir()
    (out / "results" / "model.pt").write_bytes(b"1")
    before = tree(out)
    write(out, run="run-2")
    assert tree(out) == before


def test_our_own_untouched_folder_is_replaced(out: Path) -> None:
    write(out)
    (out / "data" / "__pycache__").mkdir()
    (out / "data" / "__pycache__" / "loader.cpython-311.pyc").write_bytes(b"1")
    refuse_foreign(out)
    write(out, NEWER)
    assert content(out) == NEWER
    assert [p.name for p in out.parent.iterdir()] == ["out"]


def test_the_environment_of_reproduce_outlives_a_replacement(out: Path) -> None:
    write(out)
    (out / ".venv" / "bin").mkdir(parents=True)
    (out / ".venv" / "bin" / "python").write_bytes(b"1")
    write(out, NEWER)
    assert content(out) == NEWER | {".venv/bin/python": b"1"}


def _edit(out: Path) -> str:
    (out / "main.py").write_bytes(b"print(3)\n")
    return "main.py"


def _delete(out: Path) -> str:
    (out / "data" / "loader.py").unlink()
    return "data/loader.py (deleted)"


def _add(out: Path) -> str:
    (out / "data" / "mine.py").write_bytes(b"")
    return "data/mine.py"


def _add_folder(out: Path) -> str:
    (out / "results").mkdir()
    return "results"


def _hide(out: Path) -> str:
    (out / "__pycache__").mkdir()
    (out / "__pycache__" / "thesis.tex").write_bytes(b"")
    return "__pycache__"


def _link(out: Path) -> str:
    (out / "main.py").rename(out.parent / "main.py")
    (out / "main.py").symlink_to(out.parent / "main.py")
    return "main.py"


def _link_more(out: Path) -> str:
    (out / "mine").symlink_to(out.parent)
    return "mine"


def _unmark(out: Path) -> str:
    (out / MARKER).unlink()
    return "main.py"


def _spoil_marker(out: Path) -> str:
    (out / MARKER).write_bytes(b"[" * 100_000)
    return "main.py"


@pytest.mark.parametrize(
    "change", [_edit, _delete, _add, _add_folder, _hide, _link, _link_more, _unmark, _spoil_marker]
)
def test_what_is_not_ours_or_was_changed_is_refused_by_name_and_kept(out: Path, change) -> None:  # type: ignore[no-untyped-def]
    write(out)
    name = change(out)
    before = tree(out)
    for attempt in (lambda: refuse_foreign(out), lambda: write(out, NEWER)):
        with pytest.raises(WriteError) as caught:
            attempt()
        assert caught.value.code == "write.not_ours"
        assert name in caught.value.message
        assert "-o" in caught.value.hint
        assert tree(out) == before


def test_a_foreign_folder_is_refused_with_the_first_few_names(out: Path) -> None:
    out.mkdir(parents=True)
    for name in ("a", "b", "c", "d", "e", ".git"):
        (out / name).write_bytes(b"")
    with pytest.raises(WriteError, match=r": \.git, a, b and 3 more"):
        write(out)


def test_a_link_to_a_folder_is_followed_and_stays(out: Path, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere" / "repo")
    out.parent.mkdir()
    out.symlink_to(tmp_path / "elsewhere" / "repo")
    write(out, NEWER)
    assert out.is_symlink()
    assert content(tmp_path / "elsewhere" / "repo") == NEWER
    assert [p.name for p in out.parent.iterdir()] == ["out"]


def test_a_link_that_leads_nowhere_is_filled_where_it_leads(out: Path, tmp_path: Path) -> None:
    out.parent.mkdir()
    out.symlink_to(tmp_path / "new" / "repo")
    write(out)
    assert content(tmp_path / "new" / "repo") == FILES


@pytest.mark.parametrize("place", ["/dev/null", "/dev/null/out", "/proc/p2c/out", "/proc"])
def test_a_place_that_cannot_be_a_folder_of_ours_is_an_error_with_a_hint(place: str) -> None:
    with pytest.raises(WriteError) as caught:
        write(Path(place))
    assert caught.value.exit_code == 7
    assert caught.value.hint


def test_a_file_is_left_alone(out: Path) -> None:
    out.parent.mkdir()
    out.write_bytes(b"mine")
    for attempt in (lambda: refuse_foreign(out), lambda: write(out)):
        with pytest.raises(WriteError):
            attempt()
    assert out.read_bytes() == b"mine"
    assert [p.name for p in out.parent.iterdir()] == ["out"]


@pytest.mark.parametrize("path", ["../x.py", "/etc/x.py", "a/../../x.py", ".git/hooks/post-commit"])
def test_no_file_leaves_the_repository_or_enters_its_history(out: Path, path: str) -> None:
    with pytest.raises(ValueError, match="no file of a repository"):
        write(out, FILES | {path: b""})
    assert list(out.parent.iterdir()) == []


class Interrupted(Mapping[str, bytes]):
    """Files whose reading is interrupted by Ctrl-C after the first `whole` of them, the second time around."""

    def __init__(self, whole: int) -> None:
        self.whole = whole
        self.rounds = 0

    def __getitem__(self, path: str) -> bytes:
        return NEWER[path]

    def __len__(self) -> int:
        return len(NEWER)

    def __iter__(self) -> Iterator[str]:
        self.rounds += 1
        for place, path in enumerate(NEWER):
            if self.rounds > 1 and place == self.whole:
                raise KeyboardInterrupt
            yield path


@pytest.mark.parametrize("whole", [0, 1])
def test_an_interrupt_leaves_everything_as_it_was(out: Path, whole: int) -> None:
    write(out)
    before = tree(out)
    with pytest.raises(KeyboardInterrupt):
        write(out, Interrupted(whole))
    assert {p: c for p, (c, _) in tree(out).items()} == {p: c for p, (c, _) in before.items()}


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from paper2code_local.errors import WriteError
from paper2code_local.stages.s7_write import write_repository
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    write_repository({"main.py": b"new", "big.py": b"#" * 9000}, Path(sys.argv[1]), run="r", git=False)
except WriteError as error:
    sys.exit(f"{error.code}: {error.message} {error.hint}")
"""


def test_a_write_that_fails_half_way_leaves_everything_as_it_was(out: Path) -> None:
    write(out)
    before = content(out)
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, out], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("write.failed: cannot write")
    assert content(out) == before
    assert [p.name for p in out.parent.iterdir()] == ["out"]


KILLED = """
import os, signal, sys
from pathlib import Path
from paper2code_local.stages.s7_write import write_repository
steps = 0
def hook(event, arguments):
    global steps
    if event in sys.argv[3:]:
        steps += 1
        if steps == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
files = {"main.py": b"print(2)\\n", "model.py": b"y = 1\\n"}
sys.addaudithook(hook)
write_repository(files, Path(sys.argv[1]), run="run-2", git=False)
os._exit(0)
"""
CHANGES = ("os.rename", "os.mkdir", "os.rmdir", "os.remove", "shutil.rmtree", "open", "os.chmod")


def killed(out: Path, point: int, *events: str) -> bool:
    """Write NEWER in a process that is killed just before the `point`-th of these audit events; tell whether it was."""
    command = [sys.executable, "-c", KILLED, out, str(point), *events]
    return subprocess.run(command, timeout=60, check=False).returncode != 0


@pytest.mark.thorough
def test_killed_at_any_point_the_next_run_finds_the_old_or_the_new_and_ends(tmp_path: Path) -> None:
    for point in range(1, 200, 3):
        out = tmp_path / str(point) / "out"
        write(out)
        was_killed = killed(out, point, *CHANGES)
        if out.exists():
            assert content(out) in (FILES, NEWER)
        write(out, NEWER)
        assert content(out) == NEWER
        assert [p.name for p in out.parent.iterdir()] == ["out"]
        if not was_killed:
            assert point > 10
            return
    pytest.fail("the write never ends")


def test_killed_between_the_two_renames_nothing_is_lost_even_when_the_next_run_fails(out: Path) -> None:
    write(out)
    (out / ".venv").mkdir()
    assert killed(out, 2, "os.rename")
    assert not out.exists()
    with pytest.raises(KeyboardInterrupt):
        write(out, Interrupted(0))
    assert content(out) == FILES
    assert (out / ".venv").is_dir()
    assert [p.name for p in out.parent.iterdir()] == ["out"]


def test_what_the_user_puts_in_the_place_after_a_crash_is_not_taken_for_ours(out: Path) -> None:
    write(out)
    assert killed(out, 2, "os.rename")
    out.mkdir()
    (out / "mine").write_bytes(b"")
    before = tree(out)
    with pytest.raises(WriteError, match="mine"):
        write(out, NEWER)
    assert tree(out) == before


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.from_regex(r"([a-z]{1,2}/){0,2}[a-z]{1,3}\.py", fullmatch=True), st.binary(max_size=9), max_size=4
        ),
        min_size=1,
        max_size=4,
    )
)
def test_after_any_writes_the_folder_holds_exactly_the_last_one(
    tmp_path_factory: pytest.TempPathFactory, writes: list[dict[str, bytes]]
) -> None:
    out = tmp_path_factory.mktemp("many") / "out"
    for files in writes:
        write(out, files)
        assert content(out) == files
    assert [p.name for p in out.parent.iterdir()] == ["out"]
