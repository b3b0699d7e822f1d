"""What the files around the code say, and that no text of a paper or a model can be anything but text in them."""

from __future__ import annotations

import ast
import os
import subprocess
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic import BaseModel

from paper2code_local.artifacts.plan import Plan
from paper2code_local.stages.s5_validate.codes import EXPLAINED
from paper2code_local.stages.s7_write import render_repository
from paper2code_local.stages.s7_write.proof import FAMILIES
from tests.stages.s7_write.small_repository import (
    CODE,
    FINDING,
    PAPER,
    PLAN,
    PROVENANCE,
    REPO,
    REPORT,
    SMOKE,
    SPECS,
    rendered,
)

M = TypeVar("M", bound=BaseModel)
PAGES = ("README.md", "docs/architecture.md", "REPRODUCTION_NOTES.md", "VALIDATION.md")
HARMLESS = {"README.md", "model.py", "main.py", "data/loader.py", "docs/architecture.md", *PAGES}
NASTY = (
    "<script>alert(1)</script>",
    "![x](http://a.example/x.png) [y](http://a.example)",
    "a | b",
    "one\n\n# two\n\n- three",
    "```\n# out\n```",
    "https://a.example/ www.a.example me@a.example",
    "<!-- {{ 7 * 7 }} {% raw %}",
    "&lt;img src=x&gt; \\| \\",
    "12. listed\n====",
    "\u202eevil\u2028---\x00",
)
texts = st.sampled_from(NASTY) | st.text(alphabet="<>[]()!|`*_~#-+=&;:$\\ \n1.ab{}%\"'", max_size=30)


def markdown(page: str) -> list[Token]:
    return MarkdownIt("commonmark", {"linkify": False}).enable(["table", "strikethrough"]).parse(page)


def inline(tokens: list[Token]) -> list[Token]:
    return [child for token in tokens for child in token.children or ()]


def spoilt(value: M, text: str) -> M:
    """Return `value` with `text` in place of every free text in it."""
    free = {
        "task",
        "data",
        "training",
        "evaluation",
        "purpose",
        "implements",
        "order_reason",
        "title",
        "heading",
    }
    free |= {"number", "label", "message", "does", "shapes", "text", "what", "sandbox", "python", "reason"}
    free_lists = {"method", "shared_knowledge", "unclear", "authors", "warnings", "edge_cases"}

    def walk(node: object) -> object:
        if isinstance(node, dict):
            return {k: text if k in free else [text, text] if k in free_lists else walk(v) for k, v in node.items()}
        return [walk(part) for part in node] if isinstance(node, list) else node

    return type(value).model_validate(walk(value.model_dump(mode="json")))


def test_everything_that_is_promised_is_there_and_the_code_is_untouched() -> None:
    files = rendered()
    assert {p: files[p].decode() for p in CODE} == CODE
    assert files["data/__init__.py"] == b""
    assert set(files) == {
        *CODE,
        *PAGES,
        "data/__init__.py",
        "config.yaml",
        "requirements.txt",
        "reproduce.sh",
        ".gitignore",
    }
    assert all(content.endswith(b"\n") for content in files.values() if content)


def test_rendering_is_deterministic_and_names_nothing_of_this_machine() -> None:
    files = rendered()
    assert list(files) == sorted(files)
    assert files == rendered()
    assert not any(os.fsencode(place) in content for content in files.values() for place in (Path.cwd(), Path.home()))


def test_the_readme_says_where_each_file_rests_in_the_paper() -> None:
    page = rendered()["README.md"].decode()
    assert "# Smoothing Labels" in page
    row = next(line for line in page.splitlines() if line.startswith("| [model.py]"))
    assert row.endswith("| label smoothing | section 3 Method; equation (2); equation eq2 (unnumbered) |")
    assert "| [data/loader.py](data/loader.py) | reads data | nothing named |" in page
    assert all(word in page for word in ("small-coder", "tei", "smoothing.tei.xml", PROVENANCE.paper_sha256, "| 7 |"))


def test_the_readme_is_honest_about_what_remains() -> None:
    assert "**0 errors, 1 warning and 2 stubs remain**" in rendered()["README.md"].decode()
    clean = REPO.model_copy(update={"findings": (), "stubbed_files": (), "stubbed_names": ()})
    page = render_repository(clean, PLAN, SPECS, PAPER, (), (), PROVENANCE, REPORT, "no sandbox")["README.md"].decode()
    assert "remain**" not in page
    assert "was not tested" in page


def test_the_notes_hold_what_is_unclear_assumed_cut_found_and_stubbed() -> None:
    page = rendered()["REPRODUCTION_NOTES.md"].decode()
    for line in (
        "- the batch size of the large model",
        "| `on` | yes | our assumption |",
        "| `epochs` | 3 | section 4.1 Training: not found there |",
        "- references",
        "- there is no abstract in the header",
        "| P2C301 | warning | model.py:5 | the body is empty |",
        "- the whole file `data/loader.py`",
        "- `model.py:Smoother.forward`",
    ):
        assert line in page.splitlines()
    assert "learning\\_rate" not in page
    assert "`learning_rate`" not in page
    assert page.count("P2C301") == 1, "a finding that is given twice is listed once"


def test_the_proof_says_what_was_checked_what_remains_and_what_repair_did() -> None:
    lines = rendered()["VALIDATION.md"].decode().splitlines()
    for line in (
        "| promises: what was planned is there, with its signature and a body | P2C3xx | 0 | 1 |",
        "| imports: every local import names a file and a definition in it, in the planned order | P2C2xx | 0 | 0 |",
        "| model.py:5 | P2C301 | warning | the body is empty | Fill. |",
        "| as the model wrote it | 0 | 2 |",
        "| with settings added, after the mechanical repair | 0 | 1 |",
        "| model.py | mechanical | P2C601 | \\`import math\\` is added. |",
        "| main.py | help | not installed | torchsmoothx |",
        "The model was asked in 2 rounds. It ended because the rounds were used up; errors were left.",
    ):
        assert line in lines


def test_the_proof_says_why_nothing_was_run() -> None:
    page = render_repository(REPO, PLAN, SPECS, PAPER, (), (), PROVENANCE, REPORT, "no sandbox")["VALIDATION.md"]
    assert "The code was not run: no sandbox." in page.decode()


def test_every_family_of_codes_has_its_row() -> None:
    begins = {next(start for start in FAMILIES if code.startswith(start)) for code in EXPLAINED}
    assert begins | {"P2C4"} == set(FAMILIES)


def test_the_architecture_has_both_diagrams_and_each_interface_as_python() -> None:
    tokens = markdown(rendered()["docs/architecture.md"].decode())
    fences = [(t.info, t.content) for t in tokens if t.type == "fence"]
    assert [info for info, _ in fences] == ["mermaid", "mermaid", "python", "python", "python"]
    assert fences[0][1].startswith("classDiagram\n")
    assert fences[1][1].startswith("sequenceDiagram\n")
    assert "def forward(self, x: torch.Tensor" in fences[3][1]
    page = rendered()["docs/architecture.md"].decode()
    assert "1. mix the labels (equation (2))\n2. return them\n" in page
    assert "- Smoother.forward: Smooth. Shapes: (B, C) to (B, C)\n" in page


@pytest.mark.thorough
@pytest.mark.parametrize("page", PAGES)
@settings(max_examples=25, deadline=None)
@given(text=texts)
def test_text_stays_text_on_every_page(page: str, text: str) -> None:
    plan, paper = spoilt(PLAN, text), spoilt(PAPER, text)
    repo = REPO.model_copy(update={"findings": (spoilt(FINDING, text),)})
    specs = tuple(spoilt(spec, text) for spec in SPECS)
    told, made = spoilt(REPORT, text), PROVENANCE.model_copy(update={"model": text})
    files = render_repository(repo, plan, specs, paper, (text,), (), made, told, spoilt(SMOKE, text))
    tokens, plain = markdown(files[page].decode()), markdown(rendered()[page].decode())
    assert not [t for t in [*tokens, *inline(tokens)] if t.type in ("html_block", "html_inline", "image")]
    assert {str(t.attrs["href"]) for t in inline(tokens) if t.type == "link_open"} <= HARMLESS
    blocks = ("heading_open", "fence", "tr_open", "td_open", "th_open", "hr", "blockquote_open", "code_block")
    assert [t.type for t in tokens if t.type in blocks] == [t.type for t in plain if t.type in blocks]
    styles = ("em_open", "strong_open", "s_open", "link_open")
    assert [t.type for t in inline(tokens) if t.type in styles] == [t.type for t in inline(plain) if t.type in styles]


def test_no_template_is_read_in_the_text_of_a_paper() -> None:
    plan = PLAN.model_copy(update={"unclear": ("{{ 7 * 7 }} {% if %}",)})
    assert "{{ 7 \\* 7 }} {% if %}" in rendered(plan)["REPRODUCTION_NOTES.md"].decode()


def test_a_package_that_nobody_knows_is_named_in_the_notes() -> None:
    main = REPO.files[-1]
    repo = REPO.model_copy(update={"files": (main.model_copy(update={"text": "import yaml, torchsmoothx\n"}),)})
    files = rendered(repo=repo)
    assert "- `torchsmoothx`" in files["REPRODUCTION_NOTES.md"].decode()
    assert "unknown" in next(x for x in files["requirements.txt"].decode().splitlines() if x.startswith("torchsmoothx"))


def test_a_plan_that_says_almost_nothing_is_written_too() -> None:
    empty = Plan.model_validate(
        PLAN.model_dump(mode="json")
        | {"files": [{"path": "main.py", "purpose": "", "needs": [], "classes": [], "functions": []}]}
        | {k: [] for k in ("relations", "calls", "config", "unclear", "shared_knowledge", "packages")}
        | {"order_reason": ""}
    )
    files = rendered(empty, PAPER.model_copy(update={"title": "", "authors": (), "warnings": ()}))
    assert files["README.md"].startswith(b"# Untitled paper\n")
    assert b"\n\n\n" not in b"".join(files[page] for page in PAGES)


def test_reproduce_runs_main_from_any_directory(tmp_path: Path) -> None:
    """With a Python that only records what it is asked: no network, no packages."""
    (tmp_path / "re po").mkdir()
    script = tmp_path / "re po" / "reproduce.sh"
    script.write_bytes(rendered()["reproduce.sh"])
    recorder = tmp_path / "python"
    recorder.write_text(
        '#!/usr/bin/env bash\necho "$PWD: $*" >> "$RECORD"\n'
        'if [[ $2 == venv ]]; then mkdir -p .venv/bin; cp "$0" .venv/bin/python; fi\n'
    )
    recorder.chmod(0o755)
    record = tmp_path / "record"
    env = os.environ | {"PYTHON": str(recorder), "RECORD": str(record)}
    for _ in range(2):
        subprocess.run(["bash", script, "--more"], cwd="/", env=env, check=True, timeout=20)
    steps = [line.removeprefix(f"{script.parent}: ") for line in record.read_text().splitlines()]
    install, run = "-m pip install --quiet -r requirements.txt", "main.py --config config.yaml --more"
    assert steps == ["-m venv .venv", install, run, install, run]


def test_the_code_of_the_example_is_python() -> None:
    assert all(ast.parse(text) for text in CODE.values())
