"""What is said of a run in progress follows from its events and the time."""

from __future__ import annotations

import pytest

from paper2code_local.events import (
    CallFinished,
    CallStarted,
    EngineReady,
    EngineStarting,
    Event,
    FileState,
    StageFinished,
    StageStarted,
    Tokens,
)
from paper2code_local.listeners.progress import Progress, duration


class Told:
    """A progress whose time passes when we say so."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.progress = Progress(lambda: self.now)

    def hear(self, *events: Event, after: float = 0.0) -> Progress:
        for event in events:
            self.now += after
            self.progress.heard(event)
        return self.progress


def answered(label: str, replayed: bool = False) -> CallFinished:
    return CallFinished(
        label=label, replayed=replayed, prompt_tokens=100, cached_tokens=75, completion_tokens=9, seconds=1
    )


def planned(count: int) -> list[Event]:
    return [FileState(path=f"f{i}.py", state="planned") for i in range(count)]


def test_calls_in_flight_are_those_started_and_not_answered() -> None:
    told = Told()
    told.hear(*(CallStarted(label=label) for label in "aab"), answered("a"))
    assert told.progress.in_flight.total() == 2
    assert (told.progress.done, told.progress.replayed) == (1, 0)


def test_a_replayed_answer_was_never_in_flight() -> None:
    progress = Told().hear(CallStarted(label="a"), answered("b", replayed=True))
    assert (progress.in_flight.total(), progress.done, progress.replayed) == (1, 1, 1)


def test_the_pace_is_that_of_the_last_ten_seconds() -> None:
    told = Told()
    told.hear(CallStarted(label="a"))
    told.hear(*[Tokens(count=50)] * 100, after=1.0)
    assert told.progress.tokens_per_second() == pytest.approx(50, rel=0.15)
    told.now += 30
    assert told.progress.tokens_per_second() == 0


def test_no_pace_is_told_when_nothing_is_in_flight() -> None:
    assert Told().progress.tokens_per_second() is None
    assert Told().hear(CallStarted(label="a"), Tokens(count=9), answered("a")).tokens_per_second() is None


def test_the_time_left_follows_from_the_files_that_are_new() -> None:
    told = Told()
    told.hear(*planned(10), StageStarted(stage="code"))
    told.hear(*(FileState(path=f"f{i}.py", state="written") for i in range(4)))  # from the run folder, in no time
    told.hear(CallStarted(label="code.f4.py"))
    told.now += 60
    told.hear(FileState(path="f4.py", state="written"), FileState(path="f5.py", state="unwritten"))
    assert told.progress.seconds_left() == pytest.approx(60 / 2 * 4)


def test_no_time_left_is_told_while_it_is_unknown() -> None:
    told = Told()
    assert told.hear(StageStarted(stage="plan"), CallStarted(label="plan.overview")).seconds_left() is None
    told.hear(StageFinished(stage="plan", seconds=1, note=""), *planned(9), StageStarted(stage="code"))
    told.hear(CallStarted(label="x"), FileState(path="f0.py", state="written"), after=5)
    assert told.progress.seconds_left() is None


def test_specifications_are_counted_by_file_and_not_by_attempt() -> None:
    told = Told()
    told.hear(*planned(3), StageStarted(stage="analyse"), CallStarted(label="analyse.f0.py"))
    told.hear(answered("analyse.f0.py"), answered("analyse.f0.py~2"), answered("analyse.f1.py"))
    assert told.progress.steps() == (2, 3)


def test_the_line_says_what_runs() -> None:
    told = Told()
    assert told.progress.line() == ""
    told.hear(StageStarted(stage="plan"), EngineStarting(model="m", context=4096))
    told.now += 31
    assert told.progress.line() == "engine: m is starting, 31 s"
    told.hear(EngineReady(seconds=31), CallStarted(label="a"), answered("a"), CallStarted(label="b"))
    assert told.progress.line() == "plan: 31 s, 1 calls done, 1 in flight, 0 tokens/s, 75% of prompts cached"
    told.hear(StageFinished(stage="plan", seconds=31, note=""))
    assert told.progress.line() == ""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (99, "99 s"), (200, "3 min 20 s"), (3900, "1 h 05 min")],
)
def test_times_are_said_as_people_do(seconds: float, said: str) -> None:
    assert duration(seconds) == said
