"""Hostile input is read in a process of its own, with limits on time and memory.

In: a function and its arguments, both picklable. Out: its result, or its P2CError raised here. A crash, a time-out and
a burst memory limit all become one InputError; our process and its memory stay whole. The processes are forked from one
that has loaded the readers and never reads any input: to load them takes ten times as long as to read a paper.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from paper2code_local import offline
from paper2code_local.errors import InputError, P2CError

T = TypeVar("T")
SECONDS = 180.0
MEMORY = 4 << 30
"""Bytes of address space; pdfium and lxml on a large paper stay below a quarter of it."""
READERS = ("paper2code_local.stages.s1_parse", "paper2code_local.stages.s5_validate")
"""What reads hostile input; a command that has not loaded one of them will not need it."""


async def isolated(function: Callable[..., T], *arguments: Any, seconds: float = SECONDS, memory: int = MEMORY) -> T:
    """Run `function(*arguments)` in a fresh process. Raises its P2CError, or InputError (`limits`) if killed."""
    return await asyncio.to_thread(run_isolated, function, *arguments, seconds=seconds, memory=memory)


def run_isolated(function: Callable[..., T], *arguments: Any, seconds: float = SECONDS, memory: int = MEMORY) -> T:
    """Do the same without an event loop."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([name for name in READERS if name in sys.modules])  # of no effect once it runs
    ours, theirs = context.Pipe()
    process = context.Process(target=_child, args=(theirs, memory, function, arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        if ours.poll(seconds):
            result = ours.recv()
            if isinstance(result, P2CError):
                raise result
            value: T = result
            return value
        why = f"took more than {seconds:.0f} s"
    except EOFError:
        why = "crashed its reader or needed too much memory"
    finally:
        process.kill()
        process.join()
    raise InputError("limits", f"reading it {why}", "The file is damaged or hostile; try a copy from another source.")


def _child(pipe: Connection, memory: int, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    offline.guard()
    try:
        result = function(*arguments)
    except P2CError as error:
        result = error
    pipe.send(result)
