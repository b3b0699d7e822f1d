"""A run adds up, and adds up to the same when it is replayed."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from paper2code_local.artifacts.finding import Finding
from paper2code_local.events import AskedAgain, CallFinished, Checked, Event, StageFinished, StageStarted
from paper2code_local.listeners.summary import Totals, markdown, summary


def call(label: str, prompt: int = 100, replayed: bool = False) -> CallFinished:
    return CallFinished(
        label=label, replayed=replayed, prompt_tokens=prompt, cached_tokens=60, completion_tokens=5, seconds=1
    )


def finding(code: str) -> Finding:
    return Finding(code=code, severity="error", path="a.py", line=1, message="m", hint="h")


def run(labels: list[str], replayed: bool = False) -> list[Event]:
    parse: list[Event] = [StageStarted(stage="parse"), StageFinished(stage="parse", seconds=1, note="")]
    calls: list[Event] = [call(label, replayed=replayed) for label in labels]
    refused: list[Event] = [AskedAgain(label=label, reason="empty") for label in labels[:1]]
    return [*parse, *calls, *refused, StageFinished(stage="code", seconds=2, note="")]


def without_replay(totals: Totals) -> dict[str, object]:
    return totals.model_dump(exclude={"replayed"})


LABELS = st.lists(st.sampled_from("abcdefgh"), unique=True)


@given(LABELS)
def test_a_replay_tells_the_same_as_the_original(labels: list[str]) -> None:
    original, replay = summary(run(labels)), summary(run(labels, replayed=True))
    assert without_replay(original) == without_replay(replay)
    assert (original.replayed, replay.replayed) == (0, len(labels))


@given(LABELS, st.integers(0, 8))
def test_a_run_killed_and_resumed_is_counted_once(labels: list[str], killed_after: int) -> None:
    begun = [StageStarted(stage="parse"), *(call(label) for label in labels[:killed_after])]
    resumed = summary([*begun, *run(labels, replayed=True)])
    assert without_replay(resumed) == without_replay(summary(run(labels)))


def test_the_same_question_asked_twice_is_one_call() -> None:
    twice = summary([call("code.a.py"), call("code.a.py", replayed=True)])
    assert (twice.calls, twice.replayed, twice.prompt_tokens) == (1, 0, 100)


def test_calls_that_share_a_label_and_differ_are_two() -> None:
    assert summary([call("repair.a.py", 100), call("repair.a.py", 120)]).prompt_tokens == 220


def test_tokens_are_added_and_the_share_of_the_cache_is_theirs() -> None:
    totals = summary(run(["a", "b"]))
    assert (totals.prompt_tokens, totals.cached_tokens, totals.completion_tokens) == (200, 120, 10)
    assert totals.cached_share == 0.6
    assert summary([]).cached_share == 0


def test_findings_are_counted_by_code_before_and_after() -> None:
    before = Checked(when="before_repair", findings=(finding("P2C2"), finding("P2C1"), finding("P2C2")))
    totals = summary([before, Checked(when="final", findings=(finding("P2C1"),))])
    assert (totals.before_repair, totals.final) == ({"P2C1": 1, "P2C2": 2}, {"P2C1": 1})


def test_markdown_holds_the_numbers_and_none_of_a_strangers_markup() -> None:
    totals = summary([*run(["a", "b"]), Checked(when="final", findings=(finding("P2C1"),))])
    page = markdown(totals, paper="![x](http://h/p) <b>|\n# big", model="m", repo=Path("out"))
    assert page.startswith("# \\!\\[x\\](http://h/p) \\<b\\>\\| \\# big\n")
    assert "calls: 2 (0 from the run folder), 1 answers refused" in page
    assert "60% from the cache" in page
    assert "| P2C1 | 0 | 1 |" in page
    assert "| code | 2.0 |" in page


def test_markdown_says_when_there_is_no_repository() -> None:
    assert "repository: not written" in markdown(summary([]), paper="p", model="m", repo=None)
