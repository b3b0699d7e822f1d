"""Many papers on the terminal: a line for each that runs, redrawn, or plain lines where standard error is no terminal.

In: events, each with the name of its paper, or with none where they are of the engines; and what came of a paper. Out:
text on the console it is given. Must not know stages.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from paper2code_local.events import CallFinished, CallStarted, EngineReady, EngineStarting, Event, Tokens
from paper2code_local.listeners.printable import one_line
from paper2code_local.listeners.progress import Progress, duration
from paper2code_local.listeners.screen import SILENCE, Screen

_AROUND = 6
"""Lines of the view that are not papers, and some room."""


class PapersView:
    """Shows many runs while it is entered. `quiet` leaves only warnings; `verbose` adds refused answers."""

    def __init__(self, console: Console, papers: int, quiet: bool, verbose: bool, silence: float = SILENCE) -> None:
        self._papers, self._done = papers, 0
        self._running: dict[str, Progress] = {}
        self._all = Progress(time.monotonic)
        self._screen = Screen(console, quiet, verbose, silence, self._view, self._summary)

    def __enter__(self) -> PapersView:
        self._screen.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._screen.__exit__(kind, error, trace)

    def of(self, paper: str) -> Callable[[Event], None]:
        """Return the listener of one paper; "" for the engines that all share."""

        def hear(event: Event) -> None:
            with self._screen.lock:
                if isinstance(event, CallStarted | CallFinished | Tokens | EngineStarting | EngineReady):
                    self._all.heard(event)
                if paper:
                    self._running.setdefault(paper, Progress(time.monotonic)).heard(event)
            if line := self._screen.line(event):
                style = "yellow" if line.startswith("warning") else ""
                self._screen.show(f"{paper}: {line}" if paper else line, style)

        return hear

    def ended(self, paper: str, said: str) -> None:
        """Say what came of a paper."""
        with self._screen.lock:
            self._running.pop(paper, None)
            self._done += 1
        if not self._screen.quiet:
            self._screen.show(f"{paper}: {said}  ({self._done} of {self._papers})", "bold")

    def _summary(self) -> str:
        engine = [f"{self._all.engine} is starting"] if self._all.engine else []
        done = f"{self._done} of {self._papers} papers done"
        return ", ".join([done, f"{len(self._running)} running", *engine, *self._all.numbers()])

    def _view(self) -> RenderableType:
        grid = Table.grid(padding=(0, 2))
        room = max(4, self._screen.console.height - _AROUND)
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
