"""A run on the terminal: a live view, or plain lines where standard error is no terminal.

In: events. Out: text on the console it is given (standard error); nothing on standard output. Must not know stages.
"""

from __future__ import annotations

import threading
import time
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from paper2code_local.events import (
    AskedAgain,
    EngineReady,
    EngineStarting,
    Event,
    FileState,
    Notice,
    StageFinished,
    StageStarted,
)
from paper2code_local.listeners.heartbeat import Heartbeat
from paper2code_local.listeners.printable import one_line
from paper2code_local.listeners.progress import Progress, State, duration

SILENCE = 15.0
"""Seconds after which a plain line says that the run still goes on."""
_STYLES: dict[State, str] = {
    "planned": "dim",
    "coding": "bold",
    "written": "green",
    "unwritten": "red",
    "edited": "cyan",
}
_MATTERING: tuple[State, ...] = ("coding", "unwritten", "planned", "edited", "written")
"""Which files are shown where not all of them fit."""
_AROUND_FILES = 16
"""Lines of the view that are not files, at most, and some room."""


class TerminalView:
    """Shows a run while it is entered. `quiet` leaves only warnings; `verbose` adds refused answers and files."""

    def __init__(self, console: Console, quiet: bool, verbose: bool, silence: float = SILENCE) -> None:
        self._console, self._quiet, self._verbose, self._silence = console, quiet, verbose, silence
        self._live = not quiet and console.file.isatty() and not console.is_dumb_terminal
        self._progress = Progress(time.monotonic)
        self._lock = threading.RLock()
        self._last_line = time.monotonic()
        self._running = self._companion()

    def _companion(self) -> AbstractContextManager[object]:
        """Return what runs beside us: a redrawn view, a heartbeat, or nothing."""
        if self._live:
            return Live(
                get_renderable=self._view, console=self._console, redirect_stdout=False, vertical_overflow="crop"
            )
        return nullcontext() if self._quiet else Heartbeat(self._break_silence, min(1.0, self._silence))

    def __enter__(self) -> TerminalView:
        self._running.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.__exit__(kind, error, trace)

    def __call__(self, event: Event) -> None:
        """Show one event."""
        with self._lock:
            self._progress.heard(event)
            if line := self._line(event):
                self._print(line, "yellow" if line.startswith("warning") else "")

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
            case StageStarted():
                return f"{event.stage}: started"
            case StageFinished():
                return f"{event.stage}: done in {duration(event.seconds)}" + (f" ({event.note})" if event.note else "")
            case EngineStarting():
                return (
                    f"engine: starting {event.model} with a context of {event.context:,} tokens; this may take minutes"
                )
            case EngineReady():
                return f"engine: ready after {duration(event.seconds)}"
            case FileState() if self._verbose:
                return f"{event.path}: {event.state}"
            case _:
                return ""

    def _print(self, line: str, style: str = "") -> None:
        self._console.print(Text(one_line(line), style=style), soft_wrap=True)
        self._last_line = time.monotonic()

    def _break_silence(self) -> None:
        with self._lock:
            if time.monotonic() - self._last_line >= self._silence and (line := self._progress.line()):
                self._print(line)

    def _view(self) -> RenderableType:
        with self._lock:
            numbers = ", ".join(self._progress.numbers())
            return Group(self._stages(), self._files(), Text(numbers, style="dim"))

    def _stages(self) -> Table:
        grid = Table.grid(padding=(0, 2))
        for name, stage in self._progress.stages.items():
            style = "bold" if stage.seconds is None else "green"
            note = Text(one_line(stage.note), no_wrap=True, overflow="ellipsis")
            grid.add_row(Text(name, style=style), duration(self._progress.elapsed(name)), note)
        if engine := self._progress.engine:
            elapsed = time.monotonic() - self._progress.engine_started
            grid.add_row(Text("engine", style="bold"), duration(elapsed), Text(one_line(f"{engine} is starting")))
        return grid

    def _files(self) -> Table:
        files = self._progress.files
        room = max(4, self._console.height - _AROUND_FILES)
        mattering = sorted(files, key=lambda path: _MATTERING.index(files[path]))[:room]
        grid = Table.grid(padding=(0, 2))
        for path in (path for path in files if path in set(mattering)):
            name = Text(f"  {one_line(path)}", no_wrap=True, overflow="ellipsis")
            grid.add_row(name, Text(files[path], style=_STYLES[files[path]]))
        if len(files) > room:
            grid.add_row(Text(f"  and {len(files) - room} more", style="dim"))
        return grid
