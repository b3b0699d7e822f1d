"""Many papers on the terminal: a line for each that runs, redrawn, or plain lines where standard error is no terminal.

In: events, each with the name of its paper, or with none where they are of the engines; and what came of a paper. Out:
text on the console it is given. Must not know stages.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from paper2code_local.events import (
    AskedAgain,
    CallFinished,
    CallStarted,
    EngineReady,
    EngineStarting,
    Event,
    Notice,
    StageFinished,
    Tokens,
)
from paper2code_local.listeners.heartbeat import Heartbeat
from paper2code_local.listeners.printable import one_line
from paper2code_local.listeners.progress import Progress, duration
from paper2code_local.listeners.terminal import SILENCE

_AROUND = 6
"""Lines of the view that are not papers, and some room."""


class PapersView:
    """Shows many runs while it is entered. `quiet` leaves only warnings; `verbose` adds refused answers."""

    def __init__(self, console: Console, papers: int, quiet: bool, verbose: bool, silence: float = SILENCE) -> None:
        self._console, self._papers, self._quiet, self._verbose = console, papers, quiet, verbose
        self._silence = silence
        self._live = not quiet and console.file.isatty() and not console.is_dumb_terminal
        self._running: dict[str, Progress] = {}
        self._all = Progress(time.monotonic)
        self._done = 0
        self._lock = threading.RLock()
        self._last_line = time.monotonic()
        self._companion = self._beside()

    def _beside(self) -> AbstractContextManager[object]:
        if self._live:
            return Live(
                get_renderable=self._view, console=self._console, redirect_stdout=False, vertical_overflow="crop"
            )
        return nullcontext() if self._quiet else Heartbeat(self._break_silence, min(1.0, self._silence))

    def __enter__(self) -> PapersView:
        self._companion.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._companion.__exit__(kind, error, trace)

    def of(self, paper: str) -> Callable[[Event], None]:
        """Return the listener of one paper; "" for the engines that all share."""

        def hear(event: Event) -> None:
            with self._lock:
                if isinstance(event, CallStarted | CallFinished | Tokens | EngineStarting | EngineReady):
                    self._all.heard(event)
                if paper:
                    self._running.setdefault(paper, Progress(time.monotonic)).heard(event)
                if line := self._line(event):
                    self._print(f"{paper}: {line}" if paper else line, "yellow" if line.startswith("warning") else "")

        return hear

    def ended(self, paper: str, said: str) -> None:
        """Say what came of a paper."""
        with self._lock:
            self._running.pop(paper, None)
            self._done += 1
            if not self._quiet:
                self._print(f"{paper}: {said}  ({self._done} of {self._papers})", "bold")

    def _line(self, event: Event) -> str:
        """Return the line that stays on the terminal; "" for what only the live view or nobody shows."""
        match event:
            case Notice(level="warning"):
                return f"warning: {event.message}"
            case _ if self._quiet:
                return ""
            case Notice():
                return f"note: {event.message}"
            case AskedAgain() if self._verbose:
                return f"asked again: {event.label}: {event.reason}"
            case _ if self._live:
                return ""
            case EngineStarting():
                return (
                    f"engine: starting {event.model} with a context of {event.context:,} tokens; this may take minutes"
                )
            case EngineReady():
                return f"engine: ready after {duration(event.seconds)}"
            case StageFinished():
                return f"{event.stage}: done in {duration(event.seconds)}" + (f" ({event.note})" if event.note else "")
            case _:
                return ""

    def _print(self, line: str, style: str = "") -> None:
        self._console.print(Text(one_line(line), style=style), soft_wrap=True)
        self._last_line = time.monotonic()

    def _break_silence(self) -> None:
        with self._lock:
            if time.monotonic() - self._last_line >= self._silence:
                self._print(self._summary())

    def _summary(self) -> str:
        engine = [f"{self._all.engine} is starting"] if self._all.engine else []
        done = f"{self._done} of {self._papers} papers done"
        return ", ".join([done, f"{len(self._running)} running", *engine, *self._all.numbers()])

    def _view(self) -> RenderableType:
        with self._lock:
            grid = Table.grid(padding=(0, 2))
            room = max(4, self._console.height - _AROUND)
            for paper, progress in list(self._running.items())[:room]:
                stage = progress.stage()
                done, expected = progress.steps()
                steps = f"{done} of {expected}" if expected else ""
                elapsed = duration(progress.elapsed(stage)) if stage else ""
                name = Text(one_line(paper), no_wrap=True, overflow="ellipsis")
                grid.add_row(name, Text(stage or "waiting", style="bold"), elapsed, steps)
            if len(self._running) > room:
                grid.add_row(Text(f"and {len(self._running) - room} more", style="dim"))
            return Group(grid, Text(self._summary(), style="dim"))
