"""A run on the terminal: a live view, or plain lines where standard error is no terminal.

In: events. Out: text on the console it is given (standard error); nothing on standard output. Must not know stages.
"""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from paper2code_local.events import Event, FileState, StageStarted
from paper2code_local.listeners.printable import one_line
from paper2code_local.listeners.progress import Progress, State, duration
from paper2code_local.listeners.screen import SILENCE, Screen

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
        self._progress = Progress(time.monotonic)
        self._screen = Screen(console, quiet, verbose, silence, self._view, self._progress.line)

    def __enter__(self) -> TerminalView:
        self._screen.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._screen.__exit__(kind, error, trace)

    def __call__(self, event: Event) -> None:
        """Show one event."""
        with self._screen.lock:
            self._progress.heard(event)
        if line := self._line(event):
            self._screen.show(line, "yellow" if line.startswith("warning") else "")

    def _line(self, event: Event) -> str:
        """Return the line that stays on the terminal; "" for what only the live view or nobody shows."""
        if (line := self._screen.line(event)) is not None:
            return line
        match event:
            case StageStarted():
                return f"{event.stage}: started"
            case FileState() if self._screen.verbose:
                return f"{event.path}: {event.state}"
            case _:
                return ""

    def _view(self) -> RenderableType:
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
        room = max(4, self._screen.console.height - _AROUND_FILES)
        mattering = sorted(files, key=lambda path: _MATTERING.index(files[path]))[:room]
        grid = Table.grid(padding=(0, 2))
        for path in (path for path in files if path in set(mattering)):
            name = Text(f"  {one_line(path)}", no_wrap=True, overflow="ellipsis")
            grid.add_row(name, Text(files[path], style=_STYLES[files[path]]))
        if len(files) > room:
            grid.add_row(Text(f"  and {len(files) - room} more", style="dim"))
        return grid
