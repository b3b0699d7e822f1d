"""Who listens to a run: its events.jsonl, the user's own events file, the terminal; and whom it may reach."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from rich.console import Console

from paper2code_local import offline
from paper2code_local.events import Event, Listener
from paper2code_local.listeners.jsonl import JsonLines
from paper2code_local.listeners.terminal import TerminalView
from paper2code_local.settings import ModelStage


@dataclass(frozen=True)
class Shown:
    """What the user wants to see of a run."""

    events: Path | None
    """A file for every event."""
    json: bool
    quiet: bool
    verbose: bool


def guard_servers(urls: Mapping[ModelStage, str | None]) -> None:
    """Let the servers be reached that the user named, now or when the run began."""
    offline.guard(*(host for url in urls.values() if url for host in offline.host_of(url)))


@contextmanager
def watching(root: Path, also: Path | None = None, *, quiet: bool, verbose: bool) -> Iterator[Listener]:
    """Give the listener of the run in `root`; its events go to the file `also` too. Raises WriteError."""
    with ExitStack() as stack:
        files = (root / "events.jsonl", also)
        listeners: list[Listener] = [stack.enter_context(JsonLines(path)) for path in files if path]
        screen = stack.enter_context(own_stderr())
        listeners.append(stack.enter_context(TerminalView(Console(file=screen), quiet, verbose)))

        def hear(event: Event) -> None:
            for listener in listeners:
                listener(event)

        yield hear


@contextmanager
def own_stderr() -> Iterator[TextIO]:
    """Give standard error under a handle of its own: file descriptor 2 is the engine's log while that starts."""
    try:
        handle = os.dup(sys.stderr.fileno())
    except (OSError, ValueError):  # not a file, as under a test runner
        yield sys.stderr
        return
    with os.fdopen(handle, "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace") as stream:
        yield stream
