"""`generate` with several papers, as people run it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper2code_local.cli.many import named, papers_in
from paper2code_local.errors import InputError
from tests.command_line import CommandLine
from tests.tei_fixtures import tei
from tests.test_pipeline import BODY


@pytest.fixture(scope="module")
def cli() -> Iterator[CommandLine]:
    with CommandLine() as started:
        yield started


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    for name in ("blue", "red"):
        (folder / f"{name}.tei.xml").write_bytes(tei(BODY.replace("Method", f"Method {name}")))
    (folder / "README.md").write_text("# About these papers\n")
    (folder / "notes.txt").write_text("mine")
    return folder


def test_a_folder_of_papers_gives_a_repository_for_each(cli: CommandLine, papers: Path) -> None:
    told = cli.run(papers.parent, "generate", "papers", "-o", "repos")
    assert told.returncode == 0, told.stderr
    assert sorted(path.name for path in (papers.parent / "repos").iterdir()) == ["blue", "red"]
    assert (papers.parent / "repos/blue/main.py").is_file()
    assert len(list((papers.parent / "runs").glob("*/run.json"))) == 2
    head, first, second, *_, last = told.stdout.splitlines()
    assert head.split()[:3] == ["paper", "exit", "errors"]
    assert first.split()[:2] == ["blue.tei.xml", "0"]
    assert second.split()[:2] == ["red.tei.xml", "0"]
    assert last.startswith("2 papers in ")
    assert "blue.tei.xml: plan: done in" in told.stderr
    assert "(2 of 2)" in told.stderr


def test_the_worst_exit_counts_and_json_has_each_paper_in_its_order(cli: CommandLine, papers: Path) -> None:
    folder = papers.parent
    (folder / "bad.pdf").write_bytes(b"no paper \0")
    told = cli.run(folder, "generate", "bad.pdf", "absent.pdf", "papers/red.tei.xml", "-o", "repos", "--json")
    said = json.loads(told.stdout)
    assert told.returncode == said["exit"] == 3
    assert said["schema_version"] == 1
    assert not said["ok"]
    bad, absent, red = said["papers"]
    assert (bad["paper"], bad["exit"]) == ("bad.pdf", 3)
    assert bad["error"]["code"].startswith("input.")
    assert absent["error"]["code"].startswith("input.")
    assert (red["ok"], red["exit"], red["repo"]) == (True, 0, str(folder / "repos/red"))
    assert {"findings", "stubbed", "config", "calls", "tokens", "seconds", "run"} <= set(red)


def test_the_second_time_nothing_is_asked(cli: CommandLine, papers: Path) -> None:
    folder = papers.parent
    first = cli.run(folder, "generate", "papers", "-o", "repos", "--json")
    told = cli.run(folder, "generate", "papers", "-o", "repos", "--json", "--events", "all.jsonl")
    for one, other in zip(*(json.loads(each.stdout)["papers"] for each in (first, told)), strict=True):
        assert one | {"seconds": 0} == other | {"seconds": 0}
    events = [json.loads(line) for line in (folder / "all.jsonl").read_text().splitlines()]
    assert {event["replayed"] for event in events if event["event"] == "call_finished"} == {True}


def test_the_same_paper_twice_is_told(cli: CommandLine, papers: Path) -> None:
    folder = papers.parent
    (folder / "blue.tei.xml").write_bytes((papers / "blue.tei.xml").read_bytes())
    told = cli.run(folder, "generate", "blue.tei.xml", "papers/blue.tei.xml", "-o", "repos", "--json")
    first, second = json.loads(told.stdout)["papers"]
    assert (told.returncode, first["exit"], second["error"]["code"]) == (2, 0, "usage.same_paper")


def test_a_supplement_belongs_to_one_paper(cli: CommandLine, papers: Path) -> None:
    told = cli.run(papers.parent, "generate", "papers", "-o", "repos", "--supplement", "x.pdf")
    assert told.returncode == 2
    assert "one paper" in told.stderr
    assert not (papers.parent / "repos").exists()


def test_each_of_many_papers_is_estimated(cli: CommandLine, papers: Path) -> None:
    told = cli.run(papers.parent, "generate", "papers", "-o", "repos", "--dry-run", "--json")
    assert told.returncode == 0
    assert [each["estimate"]["calls"] > 0 for each in json.loads(told.stdout)["papers"]] == [True, True]


def test_a_folder_without_papers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no papers"):
        papers_in([tmp_path])


def test_a_folder_with_tex_is_one_paper(tmp_path: Path) -> None:
    (tmp_path / "main.tex").write_text("x")
    (tmp_path / "figure.pdf").write_text("x")
    assert papers_in([tmp_path]) == (tmp_path,)


names = st.text("abcX. -", min_size=1).filter(lambda name: name not in {".", ".."})


@given(st.lists(st.tuples(st.sampled_from("pq"), names), min_size=1, unique=True))
def test_every_paper_has_a_name_of_its_own(given: list[tuple[str, str]]) -> None:
    found = named([Path(folder) / name for folder, name in given])
    assert len(set(found.values())) == len(found)
    assert all("/" not in name and name.strip(".") for name in found.values())
