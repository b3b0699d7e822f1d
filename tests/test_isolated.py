"""A reader in a process of its own: its result or its error comes back, and nothing that it does harms us."""

from __future__ import annotations

import os
import signal
import socket
import time

import pytest

from paper2code_local.errors import InputError
from paper2code_local.isolated import isolated, run_isolated


def double(value: bytes) -> bytes:
    return 2 * value


def refuse(_: int) -> None:
    raise InputError("encrypted", "it has a password", "Remove it.")


def crash(_: int) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def hang(_: int) -> None:
    time.sleep(60)


def devour(_: int) -> int:
    return len(bytearray(3 << 30))


def call_home(_: int) -> str:
    try:
        socket.create_connection(("192.0.2.7", 80), 1)
    except PermissionError as error:
        return type(error).__name__
    return "connected"


def test_a_result_comes_back_however_large() -> None:
    assert run_isolated(double, b"x" * 3_000_000) == b"x" * 6_000_000


async def test_an_error_of_ours_comes_back_whole() -> None:
    with pytest.raises(InputError) as told:
        await isolated(refuse, 1)
    assert (told.value.code, told.value.message, told.value.hint) == (
        "input.encrypted",
        "it has a password",
        "Remove it.",
    )


def test_a_crash_is_an_error_of_the_input() -> None:
    with pytest.raises(InputError, match="crashed") as told:
        run_isolated(crash, 1)
    assert told.value.code == "input.limits"


def test_a_reader_that_hangs_is_ended() -> None:
    started = time.monotonic()
    with pytest.raises(InputError, match="more than 0 s"):
        run_isolated(hang, 1, seconds=0.4)
    assert time.monotonic() - started < 5


def test_memory_is_bounded() -> None:
    with pytest.raises(InputError, match="memory"):
        run_isolated(devour, 1, memory=1 << 30)


def test_a_reader_reaches_nobody() -> None:
    assert run_isolated(call_home, 1) == "OfflineError"


def whence(_: int) -> tuple[int, int]:
    return os.getpid(), os.getppid()


def test_each_reader_is_a_process_of_its_own_from_one_that_reads_nothing() -> None:
    first, second = run_isolated(whence, 1), run_isolated(whence, 2)
    assert first[0] != second[0]
    assert first[1] == second[1] != os.getpid()
