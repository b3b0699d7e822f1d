"""A pull on the terminal."""

from __future__ import annotations

import io
import time

from rich.console import Console

from paper2code_local.listeners.pulling import PullView
from paper2code_local.modelstore.pull import PullProgress

PULL = (
    PullProgress("hub", 0, 100),
    PullProgress("wheels", 0, 2_000_000, "the hub \x1b[31mcannot be reached"),
    PullProgress("wheels", 1_000_000, 2_000_000, "the hub \x1b[31mcannot be reached"),
    PullProgress("check", 2_000_000, 2_000_000),
    PullProgress("convert"),
    PullProgress("done", 2_000_000, 2_000_000),
)


def test_plain_lines_tell_each_step_once_and_why_a_source_failed() -> None:
    stream = io.StringIO()
    with PullView(Console(file=stream, width=200)) as view:
        for now in PULL:
            view(now)
    assert stream.getvalue().splitlines() == [
        "fetching from the hub, 0% of 0 MB",
        "note: the hub \ufffd[31mcannot be reached",
        "fetching from the package mirror, 0% of 2 MB",
        "comparing the sha256, 100% of 2 MB",
        "converting to safetensors",
        "done",
    ]


def test_a_long_step_is_not_silent() -> None:
    stream = io.StringIO()
    with PullView(Console(file=stream, width=200), silence=0.02) as view:
        view(PullProgress("convert"))
        deadline = time.monotonic() + 10
        while stream.getvalue().count("converting") < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert stream.getvalue().count("converting") >= 2


def test_a_terminal_shows_a_bar() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    with PullView(Console(file=stream, width=120, force_terminal=True, _environ={"TERM": "xterm"})) as view:
        for now in PULL[:3]:
            view(now)
    assert "1.0/2.0 MB" in stream.getvalue()
    assert "fetching from the package mirror" in stream.getvalue()
