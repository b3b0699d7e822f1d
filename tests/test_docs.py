"""The documentation says what is there: commands, options, codes, files and JSON. Whatever is fast is run.

A command that is documented and not run here needs the network, a server, an engine or a model; it is parsed all the
same, by the command line's own parser.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_args

import click
import pytest

from paper2code_local import cli, errors, events
from paper2code_local.modelstore.card import cards
from paper2code_local.settings import by_stage
from paper2code_local.stages.s5_validate import document
from tests.tei_fixtures import tei

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
README, GUIDE, INPUTS = ROOT / "README.md", ROOT / "docs" / "guide.md", ROOT / "docs" / "inputs.md"
TABLES = [GUIDE, ROOT / "docs" / "grobid.md", ROOT / "docs" / "smoke.md"]
"""The pages that say what helps against an error."""
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
RUN = re.compile(r"runs/paper-[0-9a-f]{8}")
NOT_RUN = {"pull", "verify", "path", "--grobid", "--engine-arg"}


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path) -> list[str]:
    return [body for _, body in FENCE.findall(text(page))]


def commands(page: Path) -> list[tuple[str, ...]]:
    """Return the words of each `p2c-local` command that stands on a line of a code block."""
    lines = re.findall(r"^(?: {4})?(?:\S*/)?p2c-local (.+)$", text(page), re.M)
    return [tuple(shlex.split(re.split(r" [|>&] ", line)[0], comments=True)) for line in lines]


def all_commands() -> list[tuple[str, ...]]:
    return sorted({words for page in PAGES for words in commands(page)})


def parsed(words: tuple[str, ...]) -> dict[str, Any]:
    """Parse a command without running it."""
    command: click.Command = cli.main
    # With the settings of `main`: commands keep the help option that their first context gives them.
    context, rest = click.Context(cli.main, info_name="p2c-local", **cli.main.context_settings), list(words)
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None, words
        command, context = found, click.Context(found, context, info_name=name)
    return command.make_context(words[0], rest, parent=context).params


@cache
def constants() -> frozenset[str]:
    """Return every string that stands in the package's source."""
    trees = [ast.parse(path.read_bytes()) for path in (ROOT / "paper2code_local").rglob("*.py")]
    return frozenset(
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def families() -> dict[str, type[errors.P2CError]]:
    return {kind.__name__: kind for kind in errors.P2CError.__subclasses__()}


def raised() -> Iterator[str]:
    """Name the code of each error whose reason is written where it is made."""
    for path in (ROOT / "paper2code_local").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(reason)), *_]) if name in families():
                    yield f"{families()[name].family}.{reason}"


# -- the first screen ---------------------------------------------------------------------------------------------


def test_the_first_block_of_the_readme_is_two_commands() -> None:
    said = [shlex.split(line, comments=True) for line in blocks(README)[0].splitlines()]
    assert said == [["scripts/demo"], ["scripts/test"]]
    assert text(README).index("```") < text(README).index("\n## ")


def test_the_readme_is_short_and_has_one_place_for_a_transcript() -> None:
    said = text(README)
    begin, end = "<!-- transcript:begin -->", "<!-- transcript:end -->"
    assert said.count(begin) == said.count(end) == 1
    assert said.index(begin) < said.index(end)
    outside = said[: said.index(begin)] + said[said.index(end) :]
    assert len(outside.splitlines()) <= 200


def test_the_source_tree_names_only_what_is_there() -> None:
    (tree,) = re.findall(r"## Source tree\n\n```text\n(.*?)```", text(README), re.S)
    folders: list[str] = []
    for line in tree.splitlines():
        bars, name = re.match(r"((?:│   |    )*)[├└]── (\S+)", line).groups()  # type: ignore[union-attr]
        folders = [*folders[: len(bars) // 4], name]
        assert Path(ROOT, *folders).exists(), line
        assert Path(ROOT, *folders).is_dir() == name.endswith("/"), line


# -- what the pages name ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text(page), flags=re.S)):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), target
        assert not anchor or anchor in headings(there), target


def headings(page: Path) -> set[str]:
    """Return the anchors of a page's headings."""
    titles = re.findall(r"^#+ (.+)$", text(page), re.M)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_scripts_that_are_named_can_be_run(page: Path) -> None:
    for name in re.findall(r"\bscripts/([a-z][a-z-]*)", text(page)):
        assert os.access(ROOT / "scripts" / name, os.X_OK), name


def test_every_finding_code_that_is_named_is_explained() -> None:
    explained = set(re.findall(r"P2C\d{3}", document()))
    assert explained >= {code for page in PAGES for code in re.findall(r"P2C\d{3}", text(page))}


def test_the_exit_codes_of_the_readme_are_those_of_the_errors() -> None:
    said = {int(code) for code in re.findall(r"^\| (\d+) \|", text(README), re.M)}
    fixed = {errors.CLEAN, errors.FINDINGS, errors.BUG, errors.INTERRUPTED, errors.TERMINATED}
    assert said == fixed | {kind.exit_code for kind in families().values()}


@pytest.mark.thorough
def test_error_codes_are_real_and_have_their_exit_code() -> None:
    exits = {kind.family: kind.exit_code for kind in families().values()}
    for code_cell, exit_cell in re.findall(r"^\| (`[a-z]+\..+?) \| (\d+) \|", "".join(map(text, TABLES)), re.M):
        for family, reason in re.findall(r"`([a-z]+)\.(\w+)`", code_cell):
            if family in exits:
                assert (exits[family], reason in constants()) == (int(exit_cell), True), (family, reason)


def test_every_error_code_is_in_the_table_of_what_helps() -> None:
    said = set(re.findall(r"`([a-z]+\.\w+)`", "".join(map(text, TABLES))))
    assert len(set(raised())) > 30
    assert set(raised()) <= said


def test_the_models_of_the_page_are_the_catalogue() -> None:
    ids = set(re.findall(r"^\| `([^`]+)` \| .*\d GB", text(ROOT / "docs" / "models.md"), re.M))
    assert ids == {card.id for card in cards()}


def test_the_events_of_the_guide_are_the_events() -> None:
    rows = {
        name: set(re.findall(r"`(\w+)`", fields))
        for name, fields in re.findall(r"^\| `(\w+)` \| (`.+) \|$", text(GUIDE), re.M)
    }
    for kind in get_args(get_args(events.Event)[0]):
        fields = dict(kind.model_fields)
        assert rows[fields.pop("event").default] == set(fields)


def test_every_variable_that_is_named_is_read_somewhere() -> None:
    sources = [
        *(ROOT / "scripts").iterdir(),
        *(ROOT / "paper2code_local").rglob("*.py"),
        ROOT / "tests" / "conftest.py",
    ]
    read = {name for path in sources for name in re.findall(r"P2C_[A-Z_]+", text(path))}
    options = [p for c in (*leaves(cli.main),) for p in c.params if isinstance(p, click.Option)]
    read |= {f"P2C_{(p.name or '').upper()}" for p in options}
    assert read >= {name for page in PAGES for name in re.findall(r"\bP2C_[A-Z_]+", text(page))}


def leaves(command: click.Command) -> Iterator[click.Command]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from leaves(found)
    else:
        yield command


def test_no_page_names_a_place_of_somebodys_machine() -> None:
    for page in PAGES:
        assert not re.search(r"/tmp/|/root/|/work/", text(page)), page


# -- the commands -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", all_commands(), ids=" ".join)
def test_every_command_exists_with_its_options(words: tuple[str, ...]) -> None:
    given = parsed(words)
    model = None if given.get("engine_url") else given.get("model")  # a server has its own names
    for named in filter(None, by_stage(model, "--model").values()):
        assert named.startswith(("/", "./")) or named in {card.id for card in cards()}


@pytest.mark.parametrize("option", sorted({o for page in PAGES for o in re.findall(r"(?<=`)--[a-z-]+", text(page))}))
def test_every_option_that_is_named_exists(option: str) -> None:
    """In a command, or in one of the scripts."""
    known = {o for c in leaves(cli.main) for p in c.params for o in (*p.opts, *p.secondary_opts)}
    scripts = "".join(text(path) for path in (ROOT / "scripts").iterdir())
    assert option in known | {"--help", "--version", "--no-deps"} or re.search(rf"(?<!\S){option}\b", scripts), option


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a paper and a repository made of it, where the commands of the pages are run in their order."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copy(next((ROOT / "examples").glob("*.pdf")), folder / "paper.pdf")
    section = (
        '<div><head n="1">Cooling</head><p>We cool for 7 steps.</p><formula>T = 7<label>(1)</label></formula></div>'
    )
    (folder / "paper.tei.xml").write_bytes(tei(section))
    (folder / "notes.md").write_text("Use AdamW.\n")
    for kind in ("md", "tex"):
        shutil.copy(next((ROOT / "examples").glob(f"*.{kind}")), folder / f"paper.{kind}")
    (folder / "papers").mkdir()
    shutil.copy(folder / "paper.md", folder / "papers" / "more.md")
    (folder / "appendix.md").write_text("# Appendix\n\nWe cool once more.\n")
    assert p2c(folder, "generate", "paper.pdf", "-o", "my-repo").returncode in (0, 1)
    return folder


def p2c(desk: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command with the scripted engine and no models, its run folder named as it is called here."""
    named = [RUN.sub(lambda _: str(next((desk / "runs").glob("paper-*"))), word) for word in words]
    scripted = {
        "P2C_ENGINE": "scripted",
        "P2C_SMOKE": "no",
        "P2C_ATTEMPTS": "9",
        "P2C_GROBID": "http://127.0.0.1:9",
        "P2C_MODELS": str(desk / "models"),
    }
    return subprocess.run(
        [sys.executable, "-m", "paper2code_local", *named],
        cwd=desk,
        env=os.environ | scripted | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.thorough
def test_what_is_fast_runs_as_it_stands(desk: Path) -> None:
    fast = [
        words
        for words in dict.fromkeys(commands(README) + commands(GUIDE) + commands(INPUTS))
        if not NOT_RUN & set(words)
    ]
    assert {words[0] for words in fast} == {
        *("generate", "inspect", "validate", "repair", "models", "report", "doctor")
    }
    for words in fast:
        done = p2c(desk, *words)
        assert done.returncode in (0, 1), (words, done.stderr)


def test_the_tree_of_the_result_is_what_is_written(desk: Path) -> None:
    (tree,) = re.findall(r"```text\nmy-repo/\n(.*?)```", text(README), re.S)
    for name in re.findall(r"^[├└]── (\S+)", tree, re.M):
        assert name.endswith("model.py") or (desk / "my-repo" / name).is_file(), name


def test_the_tree_of_a_run_is_what_is_kept(desk: Path) -> None:
    (tree,) = re.findall(r"```text\nruns/paper-8767acf7/\n(.*?)```", text(GUIDE), re.S)
    (run,) = (desk / "runs").glob("paper-*")
    kept = {f"{path.name}/" if path.is_dir() else path.name for path in run.iterdir() if path.name[0] != "."}
    assert kept | {"engine.log"} == set(re.findall(r"^[├└]── (\S+)", tree, re.M))


# -- JSON ---------------------------------------------------------------------------------------------------------


def shape(value: object) -> object:
    """Return the keys of JSON objects, at any depth; of a list, those of its first item."""
    if isinstance(value, Mapping):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else None


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("error", "inspect nope.pdf --json"),
        ("inspect", "inspect paper.pdf --json"),
        ("validate", "validate broken --json"),
        ("generate", "generate paper.pdf -o my-repo --json"),
        ("report", "report runs/paper-8767acf7 --json"),
        ("doctor", "doctor --json"),
    ],
)
def test_json_has_the_keys_that_the_guide_shows(name: str, words: str, desk: Path) -> None:
    (desk / "broken").mkdir(exist_ok=True)
    (desk / "broken" / "train.py").write_text("from .model import x\n")
    (block,) = re.findall(rf"<!-- json: {name} -->\n```json\n(.*?)```", text(GUIDE), re.S)
    said, real = json.loads(block), json.loads(p2c(desk, *words.split()).stdout)
    for finding in said.get("findings", []) and real["findings"]:
        assert finding.keys() == said["findings"][0].keys()
    for free in ("findings", "before_repair", "warnings", "smoke"):
        assert type(said.pop(free, None)) is type(real.pop(free, None))
    assert shape(said) == shape(real)
