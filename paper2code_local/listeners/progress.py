"""What is known of a run in progress.

In: events and a clock. Out: numbers, and one line that says them. Must not know terminals.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from paper2code_local.events import (
    CallFinished,
    CallStarted,
    EngineReady,
    EngineStarting,
    Event,
    FileState,
    Stage,
    StageFinished,
    StageStarted,
    Tokens,
)

State = Literal["planned", "coding", "written", "unwritten", "edited"]
WINDOW = 10.0
"""Seconds over which tokens/s are measured."""
LEAST_STEPS = 2
"""With fewer steps made, nothing is said about the time left."""
_ENDED = frozenset({"written", "unwritten", "edited"})


@dataclass
class StageProgress:
    """One stage."""

    started: float
    seconds: float | None = None
    """None while it runs."""
    note: str = ""


@dataclass
class Progress:
    """A run so far. Times are those of `clock`, in seconds."""

    clock: Callable[[], float]
    stages: dict[Stage, StageProgress] = field(default_factory=dict)
    files: dict[str, State] = field(default_factory=dict)
    engine: str = ""
    """Which engine is starting; "" when none is."""
    engine_started: float = 0.0
    in_flight: Counter[str] = field(default_factory=Counter)
    done: int = 0
    replayed: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    _analysed: set[str] = field(default_factory=set)
    _first_call: float | None = None
    _tokens: deque[tuple[float, int]] = field(default_factory=deque)
    _fresh: tuple[float, int] | None = None
    """When this stage put its first new question, and how many of its steps were done then."""

    def heard(self, event: Event) -> None:
        """Take one more event into account."""
        now = self.clock()
        match event:
            case StageStarted():
                self.stages[event.stage] = StageProgress(now)
                self._fresh = None
            case StageFinished():
                started = self.stages.get(event.stage, StageProgress(now)).started
                self.stages[event.stage] = StageProgress(started, event.seconds, event.note)
            case EngineStarting():
                self.engine, self.engine_started = event.model, now
            case EngineReady():
                self.engine = ""
            case CallStarted():
                self.in_flight[event.label] += 1
                self._first_call = self._first_call or now
                self._fresh = self._fresh or (now, self.steps()[0])
            case CallFinished():
                self._answered(event)
            case FileState():
                self.files[event.path] = event.state
            case Tokens():
                self._tokens.append((now, event.count))

    def _answered(self, call: CallFinished) -> None:
        self.in_flight -= Counter([call.label])
        self.done += 1
        self.replayed += call.replayed
        self.prompt_tokens += call.prompt_tokens
        self.cached_tokens += call.cached_tokens
        if call.label.startswith("analyse."):
            self._analysed.add(call.label.split("~")[0])

    def stage(self) -> Stage | None:
        """Return the stage that runs."""
        return next((name for name, stage in self.stages.items() if stage.seconds is None), None)

    def elapsed(self, stage: Stage) -> float:
        """Return how long a stage took, or has been running."""
        known = self.stages[stage]
        return self.clock() - known.started if known.seconds is None else known.seconds

    def steps(self) -> tuple[int, int]:
        """Return (done, expected) steps of the stage that runs; (0, 0) where the number is not known before."""
        match self.stage():
            case "analyse":
                return len(self._analysed), len(self.files)
            case "code":
                return sum(state in _ENDED for state in self.files.values()), len(self.files)
            case _:
                return 0, 0

    def seconds_left(self) -> float | None:
        """Estimate how long the stage will go on at the pace of its new questions; None while that is unknown."""
        done, expected = self.steps()
        if self._fresh is None or done >= expected:
            return None
        since, before = self._fresh
        made = done - before
        return (self.clock() - since) * (expected - done) / made if made >= LEAST_STEPS else None

    def tokens_per_second(self) -> float | None:
        """Return the pace of the last 10 s; None while no question is in flight."""
        if self._first_call is None or not self.in_flight:
            return None
        now = self.clock()
        while self._tokens and self._tokens[0][0] < now - WINDOW:
            self._tokens.popleft()
        return sum(count for _, count in self._tokens) / max(1.0, min(WINDOW, now - self._first_call))

    def cached_share(self) -> float | None:
        """Return the share of prompt tokens whose KV cache was already there."""
        return self.cached_tokens / self.prompt_tokens if self.prompt_tokens else None

    def line(self) -> str:
        """Say in one line what runs and how far it is; "" when nothing runs."""
        stage = self.stage()
        if self.engine:
            return f"engine: {self.engine} is starting, {duration(self.clock() - self.engine_started)}"
        return f"{stage}: {', '.join([duration(self.elapsed(stage)), *self.numbers()])}" if stage else ""

    def numbers(self) -> list[str]:
        """Say calls, pace, cache, files and time left, each as far as it is known."""
        said = []
        if self.done or self.in_flight:
            replayed = f" ({self.replayed} from the run folder)" if self.replayed else ""
            said.append(f"{self.done} calls done{replayed}, {self.in_flight.total()} in flight")
        if (pace := self.tokens_per_second()) is not None:
            said.append(f"{pace:.0f} tokens/s")
        if (share := self.cached_share()) is not None:
            said.append(f"{share:.0%} of prompts cached")
        if self.files and self.stage() == "code":
            done, expected = self.steps()
            said.append(f"{done} of {expected} files")
        if (left := self.seconds_left()) is not None:
            said.append(f"about {duration(left)} left for {self.stage()}")
        return said


def duration(seconds: float) -> str:
    """Say a time as people do: "1.2 s", "63 s", "3 min 20 s", "1 h 05 min"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
