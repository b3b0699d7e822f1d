"""What the smoke run says of repositories."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Event

import pytest

from paper2code_local.artifacts.smoke import SmokePolicy, SmokeReport
from paper2code_local.errors import InputError, UsageError
from paper2code_local.smoke import files_of, find_sandbox, smoke
from paper2code_local.smoke.interpreter import interpreter
from paper2code_local.smoke.sandbox import Sandbox
from paper2code_local.stages.s5_validate.codes import SMOKE
from tests.smoke.test_attacks import inside

MAIN = b"import argparse\nimport model\n\nif __name__ == '__main__':\n    argparse.ArgumentParser().parse_args()\n"
SOUND = {
    "main.py": MAIN,
    "model.py": b"from layers.dense import Dense\n\n\nclass Model(Dense):\n    pass\n",
    "layers/__init__.py": b"",
    "layers/dense.py": b"from .shape import SIZE\n\n\nclass Dense:\n    size = SIZE\n",
    "layers/shape.py": b"SIZE = int(open('size.txt').read())\n",
    "size.txt": b"3\n",
    "scripts/run.py": b"import near\n\nif __name__ == '__main__':\n    print(near)\n",
    "scripts/near.py": b"import model\n",
    "src/inner/__init__.py": b"",
    "src/inner/part.py": b"import inner\nfrom model import Model\n",
    "tool/__init__.py": b"",
    "tool/__main__.py": b"import sys\nfrom . import VALUE\n",
    "setup.py": b"raise SystemExit(1)\n",
}


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return find_sandbox()


def status(report: SmokeReport) -> dict[tuple[str, str], str]:
    return {(trial.path, trial.kind): trial.status for trial in report.trials}


@pytest.mark.sandbox
def test_a_sound_repository_is_all_ok(sandbox: Sandbox, tmp_path: Path) -> None:
    for name, data in SOUND.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (tmp_path / "tool" / "__init__.py").write_text("VALUE = 1\n")
    report = smoke(files_of(tmp_path)[0], sandbox)
    assert report.findings == ()
    assert status(report) == {
        (path, "import"): "not checked" if path == "setup.py" else "ok"
        for path in SOUND
        if path.endswith(".py") and path != "tool/__main__.py"
    } | {("main.py", "help"): "ok", ("tool/__main__.py", "help"): "ok"}
    assert report.python == "{}.{}.{}".format(*sys.version_info)


@pytest.mark.sandbox
def test_a_finding_is_at_the_innermost_line_of_the_repository_and_told_once(sandbox: Sandbox) -> None:
    inner = b"import json\n\n\ndef load():\n    return json.loads('{')\n\n\nload()\n"
    report = smoke({"a.py": b"import b\n", "b.py": inner, "c.py": b"def f(:\n", "d.py": b"from b import x\n"}, sandbox)
    assert [(f.code, f.severity, f.path, f.line) for f in report.findings] == [
        ("P2C010", "error", "b.py", 5),
        ("P2C010", "error", "c.py", 1),
    ]
    assert "JSONDecodeError" in report.findings[0].message
    first = report.trials[0]
    assert first.status == "failed"
    assert first.trace[:3] == ("a.py:1 in <module>", "b.py:8 in <module>", "b.py:5 in load")


@pytest.mark.sandbox
def test_what_is_not_installed_is_no_failure(sandbox: Sandbox) -> None:
    files = {
        "a.py": b"import nowhere_to_be_found.part\n",
        "b.py": b"import a\n",
        "c.py": b"import json.nothing\n",
        "pkg/__init__.py": b"",
        "pkg/d.py": b"from .missing import x\n",
    }
    report = smoke(files, sandbox)
    assert [trial.status for trial in report.trials] == ["not installed", "not checked", "failed", "ok", "failed"]
    assert report.missing() == ("nowhere_to_be_found",)
    assert [finding.path for finding in report.findings] == ["c.py", "pkg/d.py"]


@pytest.mark.sandbox
@pytest.mark.parametrize("code", SMOKE)
def test_the_examples_of_a_code_are_right_and_wrong(code: str, sandbox: Sandbox) -> None:
    wrong, right = (smoke(files, sandbox).findings for files in (SMOKE[code].wrong, SMOKE[code].right))
    assert [(finding.code, finding.severity) for finding in wrong] == [(code, SMOKE[code].severity)]
    assert right == ()


@pytest.mark.sandbox
def test_a_report_is_remembered_for_the_same_files_and_policy_only(sandbox: Sandbox, tmp_path: Path) -> None:
    files = {"a.py": b"import os\n", "b.py": b"import a\n"}
    first = smoke(files, sandbox, cache=tmp_path)
    again = smoke(files, sandbox, cache=tmp_path)
    assert (first.remembered, again.remembered) == (False, True)
    assert again.model_copy(update={"remembered": False}) == first
    assert not smoke(files, sandbox, cache=tmp_path, again=True).remembered
    assert not smoke(files | {"a.py": b"import sys\n"}, sandbox, cache=tmp_path).remembered
    assert not smoke(files, sandbox, SmokePolicy(seconds=50), cache=tmp_path).remembered


@pytest.mark.sandbox
@pytest.mark.thorough
def test_what_a_limit_decided_is_not_remembered(sandbox: Sandbox, tmp_path: Path) -> None:
    files = {"a.py": b"import time\ntime.sleep(1e6)\n"}
    for _ in range(2):
        assert not smoke(files, sandbox, SmokePolicy(seconds=0.5), cache=tmp_path).remembered


@pytest.mark.sandbox
@pytest.mark.thorough
def test_all_trials_together_are_bounded_and_the_rest_is_not_checked(sandbox: Sandbox) -> None:
    files = {f"a{i}.py": b"import time\ntime.sleep(1e6)\n" for i in range(20)}
    began = time.monotonic()
    report = smoke(files, sandbox, SmokePolicy(total_seconds=1))
    assert time.monotonic() - began < 10
    assert report.count("not checked") == 20
    assert report.findings == ()


@pytest.mark.sandbox
def test_a_run_can_be_stopped_and_leaves_nothing(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    stop, seen = Event(), []

    def progress(done: int, of: int) -> None:
        seen.append((done, of))
        if done == 1:
            stop.set()

    files = {"a.py": b"", **{f"b{i}.py": b"import time\ntime.sleep(1e6)\n" for i in range(8)}}
    report = smoke(files, sandbox, progress=progress, stop=stop)
    assert seen[:2] == [(0, 9), (1, 9)]
    assert report.count("not checked") == 8
    assert inside(tmp_path) == []


@pytest.mark.sandbox
@pytest.mark.thorough
def test_a_killed_run_takes_its_sandboxes_along(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import time\ntime.sleep(1e6)\n")
    command = [sys.executable, "-m", "paper2code_local", "smoke", str(tmp_path), "--again"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ | {"TMPDIR": str(tmp_path)}) as process:
        assert soon(lambda: len(inside(tmp_path)) > 1)
        process.kill()
    assert soon(lambda: inside(tmp_path) == [])


def soon(holds: object, seconds: float = 20.0) -> bool:
    assert callable(holds)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.sandbox
def test_paths_out_of_the_repository_are_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    for name in ("../a.py", "/a.py", "b/../../a.py"):
        with pytest.raises(InputError):
            smoke({name: b""}, sandbox)


def test_a_python_that_is_none_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        interpreter(tmp_path / "python")
    assert raised.value.code == "usage.python"
