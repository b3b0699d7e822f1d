"""Who may import whom. Imports inside functions count too; a library is counted by its first name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import paper2code_local

ROOT = Path(paper2code_local.__file__).parent
FILES = {p.relative_to(ROOT).as_posix(): p for p in sorted(ROOT.rglob("*.py")) if p.parts[-2] != "models"}
OURS = "paper2code_local."


def imports(path: Path) -> Iterator[str]:
    """Yield every module that a file imports, ours as "stages.s4_code.units"; "from a import b" may name a.b too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


IMPORTS = {name: {found.removeprefix(OURS) for found in imports(path)} for name, path in FILES.items()}


def importers(*modules: str) -> set[str]:
    """Return the files that import one of `modules` or something inside it."""
    return {
        name
        for name, found in IMPORTS.items()
        if any(each == module or each.startswith(f"{module}.") for each in found for module in modules)
    }


def within(*places: str) -> set[str]:
    """Return the files that are, or lie in, one of `places`."""
    return {name for name in FILES if name.startswith(places)}


STORIES = ("pipeline.py", "repairing.py", "papers.py")
LAYERS = {
    "cli": ("cli/", "__main__.py"),
    "pipeline": (*STORIES, "cli/", "__main__.py"),
    "papers": ("papers.py", "cli/"),
    "engines": ("engines.py", "casting.py", *STORIES, "cli/"),
    "repairing": ("repairing.py", "cli/"),
    "casting": ("casting.py", "checking.py", *STORIES, "cli/"),
    "checking": ("checking.py", *STORIES),
    "connecting": ("connecting.py", "session.py"),
    "rundir": ("rundir.py", "casting.py", *STORIES, "cli/"),
    "session": ("session.py", "engines.py", "casting.py", *STORIES, "doctor/", "cli/"),
    "settings": ("settings.py", "session.py", "engines.py", "casting.py", *STORIES, "doctor/", "cli/"),
    "events": ("events.py", "session.py", "engines.py", "casting.py", *STORIES, "listeners/", "cli/"),
    "listeners": ("listeners/", "cli/"),
    "stages": ("stages/", "checking.py", *STORIES, "doctor/", "cli/"),
    "doctor": ("doctor/", "cli/"),
    "smoke": ("smoke/", *STORIES, "cli/"),
    "smoke.runner": ("smoke/jobs.py", "smoke/judging.py"),
    "prefix": ("prefix.py", "stages/", "casting.py", *STORIES, "cli/"),
    "asking": ("asking.py", "stages/", "casting.py", "repairing.py"),
    "engine.scripted": ("engine/scripted.py", "session.py"),
    "engine.recorded": ("engine/recorded.py", "casting.py", "repairing.py"),
    "engine.vllm": ("engine/vllm.py", "engine/dialects.py", "engine/served.py", "session.py"),
    "httpx2": ("engine/wire.py",),
    "offline": ("offline.py", "isolated.py", "doctor/", "cli/"),
    "isolated": ("isolated.py", "stages/s1_parse/", "checking.py", "repairing.py", "doctor/", "cli/"),
    "vllm": ("engine/vllm.py", "engine/cpu_worker.py", "engine/int8.py"),
    "torch": ("engine/vllm.py", "engine/cpu_worker.py", "engine/int8.py", "modelstore/convert.py"),
    "transformers": ("engine/vllm.py", "modelstore/convert.py"),
    "ray": (),
    "grobid_client": ("stages/s1_parse/grobid.py",),
    "click": ("cli/",),
    "rich": ("cli/", "listeners/"),
    "lxml": ("stages/s1_parse/",),
    "pylatexenc": ("stages/s1_parse/latex_commands.py",),
    "bibtexparser": ("stages/s1_parse/latex_bibliography.py",),
    "pypdfium2": ("stages/s1_parse/",),
    "tree_sitter": ("source/",),
}
"""What is imported → who may."""


@pytest.mark.parametrize("module", LAYERS)
def test_who_may_import(module: str) -> None:
    assert importers(module) <= (within(*LAYERS[module]) if LAYERS[module] else set())


def test_stages_do_not_know_each_other() -> None:
    stages = {name.split("/")[1] for name in FILES if name.startswith("stages/s")}
    assert len(stages) == 7
    for stage in stages:
        others = importers(f"stages.{stage}") - within(f"stages/{stage}/")
        assert others <= within("checking.py", *STORIES, "doctor/", "cli/")


def test_nouns_and_source_know_nothing_above_them() -> None:
    for name, below in (("artifacts/", ("artifacts",)), ("source/", ("source",)), ("errors.py", ())):
        for file in within(name):
            ours = {found for found in IMPORTS[file] if (ROOT / found.split(".")[0]).exists()}
            assert {found.split(".")[0] for found in ours} <= set(below), file


def test_only_the_boundary_catches_everything() -> None:
    broad = {name for name, path in FILES.items() if "except Exception" in path.read_text(encoding="utf-8")}
    assert broad <= {"cli/boundary.py", "engine/chat.py"}


@pytest.mark.parametrize("name", FILES)
def test_no_file_is_long_and_each_says_what_it_is(name: str) -> None:
    text = FILES[name].read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    assert ast.get_docstring(ast.parse(text))
    assert Path(name).stem not in {"utils", "common", "base", "helpers", "misc"}
