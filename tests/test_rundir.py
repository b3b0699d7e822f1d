"""The two rules of the run folder, and what a crash may leave behind."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paper2code_local.artifacts.plan import Plan
from paper2code_local.durable import replace_file, sync_folder, writing
from paper2code_local.engine.protocol import Completion, Request
from paper2code_local.errors import InputError, UsageError, WriteError
from paper2code_local.modelstore.card import Sampling
from paper2code_local.rundir import RunDir, default_run
from tests.stages.s7_write.small_repository import PLAN

SAMPLING = Sampling(temperature=0.2, top_p=0.95, repetition_penalty=1.0)
ANSWER = Completion(text="é 😀", finish="stop", prompt_tokens=3, cached_tokens=0, completion_tokens=1, seconds=0.5)


def request(label: str = "plan.files", user: str = "hello") -> Request:
    return Request(label=label, system="", user=user, max_tokens=5, sampling=SAMPLING, seed=1)


# -- rule 1: a question already asked is not asked again ---------------------------------------------------------------


def test_an_answer_is_recalled_by_another_process_under_its_question(tmp_path: Path) -> None:
    asked = request()
    RunDir(tmp_path).remember(asked, asked.identity("m"), ANSWER)
    later = RunDir(tmp_path)
    assert later.recall(asked, asked.identity("m")) == ANSWER
    assert later.recall(asked, asked.identity("another model")) is None
    assert later.recall(request(user="bye"), request(user="bye").identity("m")) is None


def test_the_file_of_a_call_is_named_by_its_label_and_holds_the_question(tmp_path: Path) -> None:
    asked = request("code.data/loader.py:Loader.load~2+1")
    RunDir(tmp_path).remember(asked, asked.identity("m"), ANSWER)
    (kept,) = (tmp_path / "calls").iterdir()
    assert kept.name == f"code.data_loader.py:Loader.load~2+1.{asked.identity('m')[:12]}.json"
    assert json.loads(kept.read_text())["request"]["user"] == "hello"


@pytest.mark.parametrize("torn", [b"", b"{", b"null", b"[]", b'"x"', b'{"identity": 1}', b"\xff\xfe", b"{}" * 9])
def test_a_torn_call_is_no_answer_and_can_be_given_again(tmp_path: Path, torn: bytes) -> None:
    folder, asked = RunDir(tmp_path), request()
    folder.remember(asked, asked.identity("m"), ANSWER)
    (kept,) = (tmp_path / "calls").iterdir()
    kept.write_bytes(torn)
    assert folder.recall(asked, asked.identity("m")) is None
    folder.remember(asked, asked.identity("m"), ANSWER)
    assert folder.recall(asked, asked.identity("m")) == ANSWER


@settings(max_examples=25)
@given(st.data())
def test_no_beginning_of_a_call_file_is_taken_for_an_answer(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder, asked = RunDir(tmp_path_factory.mktemp("run")), request()
    folder.remember(asked, asked.identity("m"), ANSWER)
    (kept,) = (folder.root / "calls").iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 2))])
    assert folder.recall(asked, asked.identity("m")) is None


# -- rule 2: a file that you edited is yours ---------------------------------------------------------------------------


def test_what_we_wrote_is_ours_and_what_was_changed_is_the_users(tmp_path: Path) -> None:
    folder = RunDir(tmp_path)
    assert not folder.edited("2-plan.json")
    folder.keep("2-plan.json", PLAN)
    assert not RunDir(tmp_path).edited("2-plan.json")
    path = tmp_path / "2-plan.json"
    path.write_text(path.read_text().replace("Smooth labels", "Sharpen labels"))
    assert RunDir(tmp_path).edited("2-plan.json")
    assert RunDir(tmp_path).load("2-plan.json", Plan).overview.task == "Sharpen labels"
    path.unlink()
    assert not RunDir(tmp_path).edited("2-plan.json")


def test_every_version_that_we_ever_wrote_stays_ours(tmp_path: Path) -> None:
    for text in ("one", "two", "three"):
        RunDir(tmp_path).keep("4-repo/a.py", text)
    for text in ("one", "two", "three"):
        (tmp_path / "4-repo/a.py").write_text(text)
        assert not RunDir(tmp_path).edited("4-repo/a.py")


def test_a_file_that_is_there_already_is_not_touched(tmp_path: Path) -> None:
    folder = RunDir(tmp_path)
    folder.keep("a/b.txt", "same")
    before = (tmp_path / "a/b.txt").stat()
    RunDir(tmp_path).keep("a/b.txt", "same")
    assert (tmp_path / "a/b.txt").stat() == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "2-plan.json"),
        (b"{", "2-plan.json"),
        (b"\xff", "2-plan.json"),
        (b'{"overview": 1}', "overview"),
        (PLAN.model_dump_json().replace("def load(path", "def load(path, path").encode(), "signature"),
    ],
)
def test_a_broken_edit_is_an_error_that_names_file_and_place(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "2-plan.json").write_bytes(content)
    with pytest.raises(InputError) as told:
        RunDir(tmp_path).load("2-plan.json", Plan)
    assert said in told.value.message
    assert str(tmp_path / "2-plan.json") in told.value.hint


def test_an_edited_text_must_be_utf_8(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"x = '\xe9'")
    with pytest.raises(InputError, match="UTF-8"):
        RunDir(tmp_path).text("a.py")


# -- crashes -----------------------------------------------------------------------------------------------------------


def test_the_list_of_what_we_wrote_is_durable_before_the_file_is_there(tmp_path: Path) -> None:
    """Seen from outside: fsync of written.sha256 comes before the rename."""
    script = (
        "import os, sys, pathlib\nseen = []\n"
        "def hook(event, args):\n    if event == 'os.rename': print('rename', pathlib.Path(args[1]).name)\n"
        "sys.addaudithook(hook)\nreal = os.fsync\n"
        "def fsync(fd):\n    print('fsync', os.path.basename(os.readlink(f'/proc/self/fd/{fd}'))); real(fd)\n"
        "os.fsync = fsync\n"
        "from paper2code_local.rundir import RunDir\n"
        f"RunDir(pathlib.Path({str(tmp_path)!r})).keep('2-plan.json', 'text')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    first, second, third, fourth = done.stdout.split("\n")[:4]
    assert first == "fsync written.sha256"
    assert second.startswith("fsync .2-plan.json.")
    assert (third, fourth) == ("rename 2-plan.json", f"fsync {tmp_path.name}")


@pytest.mark.parametrize("cut", [0, 1, 40, 64, 65, 66, 100, 129, 130])
def test_a_torn_list_loses_no_later_line(tmp_path: Path, cut: int) -> None:
    RunDir(tmp_path).keep("a", "first")
    RunDir(tmp_path).keep("b", "second")
    ledger = tmp_path / "written.sha256"
    ledger.write_bytes(ledger.read_bytes()[:cut])
    RunDir(tmp_path).keep("c", "third")
    assert not RunDir(tmp_path).edited("c")


def test_one_process_at_a_time(tmp_path: Path) -> None:
    hold = f"from paper2code_local.rundir import RunDir; from pathlib import Path\nwith RunDir(Path({str(tmp_path)!r})).locked(): print('held', flush=True); input()"  # noqa: E501
    command = [sys.executable, "-c", hold]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match="another process"), RunDir(tmp_path).locked():
            pass
        holder.kill()  # a killed process holds nothing
        holder.wait()
    with RunDir(tmp_path).locked():
        pass


def test_what_fails_under_the_lock_is_not_blamed_on_the_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), RunDir(tmp_path).locked():
        (tmp_path / "absent").read_bytes()


def test_a_folder_that_cannot_be_made_says_where_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError) as told:
        RunDir(tmp_path / "file" / "run")
    assert str(tmp_path / "file" / "run") in told.value.message
    assert told.value.hint


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep/er/a.txt"
    replace_file(path, b"old")
    (tmp_path / "deep/er/b").mkdir()
    with pytest.raises(WriteError), writing(tmp_path):
        replace_file(tmp_path / "deep/er/b", b"a folder stands there")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert sorted(p.name for p in path.parent.iterdir()) == ["a.txt", "b"]
    sync_folder(tmp_path)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("paper.tei.xml", "paper"),
        ("My Paper (v2).pdf", "My-Paper-v2"),
        (".pdf", "paper"),
        ("论文.pdf", "paper"),
        ("..", "paper"),
        ("x" * 90, "x" * 60),
    ],
)
def test_the_run_of_a_paper_is_found_by_its_name_and_content(name: str, stem: str) -> None:
    digest = hashlib.sha256(b"x").hexdigest()
    assert default_run(Path("/p") / name, digest, Path("runs")) == Path("runs") / f"{stem}-{digest[:8]}"
