"""What every view of a run does: redraw itself on a terminal, or print lines and break long silences elsewhere.

In: a console, what to draw, what to say after a silence. Out: text on the console. Must not know runs. `lock` is for
what the view reads, and is never held while something is printed: rich has a lock of its own, and its thread draws.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from paper2code_local.events import AskedAgain, EngineReady, EngineStarting, Event, Notice, StageFinished
from paper2code_local.listeners.heartbeat import Heartbeat
from paper2code_local.listeners.printable import one_line
from paper2code_local.listeners.progress import duration

SILENCE = 15.0
"""Seconds after which a plain line says that the run still goes on."""


class Screen:
    """A console that is drawn on while it is entered. `quiet` leaves only warnings; `verbose` adds refused answers."""

    def __init__(
        self,
        console: Console,
        quiet: bool,
        verbose: bool,
        silence: float,
        view: Callable[[], RenderableType],
        still: Callable[[], str],
    ) -> None:
        self.console, self.quiet, self.verbose, self._silence = console, quiet, verbose, silence
        self.live = not quiet and console.file.isatty() and not console.is_dumb_terminal
        self.lock = threading.RLock()
        self._view, self._still = view, still
        self._last_line = time.monotonic()
        self._running: AbstractContextManager[object] = nullcontext()

    def _companion(self) -> AbstractContextManager[object]:
        """Return what runs beside us: a redrawn view, a heartbeat, or nothing."""
        if self.live:
            return Live(
                get_renderable=self._drawn, console=self.console, redirect_stdout=False, vertical_overflow="crop"
            )
        return nullcontext() if self.quiet else Heartbeat(self._break_silence, min(1.0, self._silence))

    def __enter__(self) -> Screen:
        self._running = self._companion()
        self._running.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.__exit__(kind, error, trace)

    def show(self, line: str, style: str = "") -> None:
        """Print a line that stays."""
        self.console.print(Text(one_line(line), style=style), soft_wrap=True)
        self._last_line = time.monotonic()

    def line(self, event: Event) -> str | None:
        """Return the line for an event that every view tells alike, "" for none; None leaves it to the view."""
        match event:
            case Notice(level="warning"):
                return f"warning: {event.message}"
            case _ if self.quiet:
                return ""
            case Notice():
                return f"note: {event.message}"
            case AskedAgain() if self.verbose:
                return f"asked again: {event.label}: {event.reason}"
            case _ if self.live:
                return ""
            case StageFinished():
                return f"{event.stage}: done in {duration(event.seconds)}" + (f" ({event.note})" if event.note else "")
            case EngineStarting():
                return (
                    f"engine: starting {event.model} with a context of {event.context:,} tokens; this may take minutes"
                )
            case EngineReady():
                return f"engine: ready after {duration(event.seconds)}"
            case _:
                return None

    def _drawn(self) -> RenderableType:
        with self.lock:
            return self._view()

    def _break_silence(self) -> None:
        if time.monotonic() - self._last_line >= self._silence:
            with self.lock:
                line = self._still()
            if line:
                self.show(line)
