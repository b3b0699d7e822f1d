"""Many papers on the same engines: each as if it were alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper2code_local.engine.sizing import EACH_IN_FLIGHT
from paper2code_local.engines import Engines
from paper2code_local.errors import Failure, P2CError, WriteError
from paper2code_local.events import CallFinished, CallStarted, Event, Listener, StageStarted
from paper2code_local.papers import Keep, Size, generate_all, room
from paper2code_local.pipeline import Outcome
from paper2code_local.settings import Job
from tests.tei_fixtures import tei
from tests.test_engines import Launching
from tests.test_pipeline import BODY, contents

T = TypeVar("T")
FIVE = replace(Launching().model(), papers=lambda need: min(need.papers, 5))
OTHER = replace(Launching("other").model(), papers=lambda need: need.papers)
tokens = st.integers(1, 100_000)


@given(st.lists(st.tuples(tokens, tokens), min_size=1), st.none() | st.integers(1, 99))
def test_the_engine_is_made_for_the_longest_paper_and_for_those_that_run_together(
    sizes: list[tuple[int, int]], together: int | None
) -> None:
    count, needs = room([Size(FIVE, *size, written=7) for size in sizes], len(sizes), together)
    assert count == min(together or 5, len(sizes))
    assert needs["m"].context == max(context for context, _ in sizes)
    assert needs["m"].prefix == max(prefix for _, prefix in sizes)
    assert needs["m"].papers == count
    assert needs["m"].tokens == 7 * len(sizes), "of all papers, also of those that wait"
    assert needs["m"].in_flight >= EACH_IN_FLIGHT * count


def test_two_models_in_this_process_take_turns() -> None:
    assert room([Size(FIVE, 9, 9), Size(OTHER, 9, 9)], 7, None)[0] == 1
    assert room([Size(FIVE, 9, 9), Size(OTHER, 9, 9)], 7, 3)[0] == 1


def test_no_paper_needs_no_engine() -> None:
    assert room([], 0, None) == (1, {})


@dataclass
class Heard:
    """What came of some papers, and what was said meanwhile."""

    ended: dict[str, Outcome | Failure] = field(default_factory=dict)
    events: dict[str, list[Event]] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    most: int = 0
    """Papers that ran at once."""

    @contextmanager
    def watch(self, job: Job) -> Iterator[Listener]:
        mine = self.events.setdefault(job.out.name, [])
        self.running.add(job.out.name)
        self.most = max(self.most, len(self.running))
        yield mine.append
        self.running.remove(job.out.name)

    async def guard(self, work: Awaitable[T], run: Path) -> T | Failure:
        try:
            return await work
        except P2CError as error:
            return Failure(error.code, error.message, error.hint, error.exit_code)

    def end(self, job: Job, outcome: Outcome | Failure) -> None:
        self.ended[job.out.name] = outcome


def jobs(folder: Path, names: str) -> list[Job]:
    """Write a paper for each name; "x" is none."""
    for name in names:
        text = tei(BODY.replace("Method", f"Method {name}"))
        (folder / f"{name}.xml").write_bytes(b"<TEI" if name == "x" else text)
    return [
        Job(paper=folder / f"{n}.xml", out=folder / "out" / n, run=folder / "runs" / n, engine="scripted", git=False)
        for n in names
    ]


def made(folder: Path, names: str, together: int | None, keep: Keep = lambda _: None) -> Heard:
    """Generate from those papers."""
    heard = Heard()

    async def story() -> None:
        async with Engines(lambda _: None, folder / "log") as engines:
            await generate_all(jobs(folder, names), together, engines, heard.watch, heard.guard, keep, heard.end)

    asyncio.run(story())
    return heard


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Heard]:
    folder = tmp_path_factory.mktemp("many")
    return folder, made(folder, "axbc", 2)


def test_a_paper_that_cannot_be_read_touches_no_other(many: tuple[Path, Heard]) -> None:
    folder, heard = many
    assert isinstance(failure := heard.ended["x"], Failure)
    assert failure.exit_code == 3
    assert next(iter(heard.ended)) == "x", "known before anything is asked"
    assert not (folder / "runs/x").exists()
    for name in "abc":
        assert isinstance(outcome := heard.ended[name], Outcome)
        assert outcome.ok


def test_what_cannot_be_kept_of_a_paper_touches_no_other(tmp_path: Path) -> None:
    def keep(outcome: Outcome) -> None:
        if outcome.run.name == "a":
            raise WriteError("disk", "full", "")

    heard = made(tmp_path, "ab", 1, keep)
    assert isinstance(heard.ended["a"], Failure)
    assert isinstance(heard.ended["b"], Outcome)


def test_a_repository_that_is_not_ours_is_known_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "out" / "b").mkdir(parents=True)
    (tmp_path / "out" / "b" / "mine.txt").write_text("mine")
    heard = made(tmp_path, "ab", 1)
    assert list(heard.ended) == ["b", "a"]
    assert (isinstance(heard.ended["b"], Failure), isinstance(heard.ended["a"], Outcome)) == (True, True)
    assert not (tmp_path / "runs" / "b").exists()


def test_each_repository_is_the_one_that_the_paper_alone_gives(many: tuple[Path, Heard], tmp_path: Path) -> None:
    folder, _ = many
    for name in "abc":
        made(tmp_path, name, None)
        assert contents(tmp_path / "out" / name) == contents(folder / "out" / name)
        assert contents(tmp_path / "runs" / name / "calls") == contents(folder / "runs" / name / "calls")


def test_no_more_papers_run_together_than_allowed(many: tuple[Path, Heard]) -> None:
    _, heard = many
    assert heard.most == 2


def test_events_of_papers_do_not_mix(many: tuple[Path, Heard]) -> None:
    _, heard = many
    for events in heard.events.values():
        stages = [event.stage for event in events if isinstance(event, StageStarted)]
        assert len(stages) == len(set(stages))
        began = [event.label for event in events if isinstance(event, CallStarted)]
        assert sorted(began) == sorted(event.label for event in events if isinstance(event, CallFinished))


def test_the_second_time_nothing_is_asked(many: tuple[Path, Heard]) -> None:
    folder, _ = many
    again = made(folder, "abc", None)
    assert again.most == 3
    for events in again.events.values():
        assert {event.replayed for event in events if isinstance(event, CallFinished)} == {True}
