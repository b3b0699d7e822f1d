"""What is tried of a repository."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paper2code_local.smoke.jobs import Job, jobs, left_alone

GUARDED = b"import argparse\nif __name__ == '__main__':\n    argparse.ArgumentParser().parse_args()\n"
ACTS = b"import argparse\nargs = argparse.ArgumentParser().parse_args()\n"
NAMES = st.text("ab_.1-", min_size=1, max_size=4).filter(lambda name: set(name) != {"."})
PATHS = st.lists(st.one_of(NAMES, st.just("src")), min_size=1, max_size=4).map("/".join)
FILES = st.dictionaries(
    st.one_of(PATHS.map(lambda path: f"{path}.py"), st.sampled_from(["a/__init__.py", "a/__main__.py", "setup.py"])),
    st.sampled_from([b"", GUARDED, ACTS, b"\xff\x00"]),
)


def tried(files: dict[str, bytes]) -> dict[tuple[str, str], Job]:
    return {(job.path, job.kind): job for job in jobs(files)}


@settings(max_examples=50)
@given(FILES)
def test_every_python_file_is_tried_or_left_alone(files: dict[str, bytes]) -> None:
    assert {job.path for job in jobs(files)} | {path for path, _ in left_alone(files)} == set(files)
    assert all(place.startswith("/repo") and ".." not in place.split("/") for job in jobs(files) for place in job.first)


@pytest.mark.parametrize(
    ("path", "text", "kinds"),
    [
        ("model.py", b"", ["import"]),
        ("main.py", GUARDED, ["import", "help"]),
        ("main.py", ACTS, ["help"]),
        ("main.py", b"if __name__ == '__main__':\n    train()\n", ["import"]),
        ("tool/__main__.py", b"", ["help"]),
    ],
)
def test_what_would_run_a_script_is_asked_for_its_help_only(path: str, text: bytes, kinds: list[str]) -> None:
    assert [job.kind for job in jobs({path: text})] == kinds


def test_a_module_has_the_name_that_python_gives_it() -> None:
    files = dict.fromkeys(
        [
            "model.py",
            "pkg/__init__.py",
            "pkg/a.py",
            "src/lib/__init__.py",
            "src/lib/b.py",
            "my-tools/c.py",
            "deep/d.py",
        ],
        b"",
    )
    named = {path: job.module for (path, _), job in tried(files).items()}
    assert named == {
        "model.py": "model",
        "pkg/__init__.py": "pkg",
        "pkg/a.py": "pkg.a",
        "src/lib/__init__.py": "lib",
        "src/lib/b.py": "lib.b",
        "my-tools/c.py": "",
        "deep/d.py": "deep.d",
    }


def test_a_script_finds_its_neighbours_and_a_module_of_a_package_does_not() -> None:
    files = {"scripts/run.py": GUARDED, "pkg/__init__.py": b"", "pkg/a.py": b"", "pkg/run.py": GUARDED}
    found = tried(files)
    assert found["scripts/run.py", "import"].first[0] == found["scripts/run.py", "help"].first[0] == "/repo/scripts"
    assert found["pkg/a.py", "import"].first == ("/repo",)
    assert found["pkg/a.py", "import"].last == ()
    assert found["pkg/run.py", "import"].first == ("/repo",)
    assert found["pkg/run.py", "help"].first == ("/repo/pkg", "/repo")
