"""Ends the engine's processes when ours is gone, however it went.

vLLM's engine core is a child that a SIGKILL of its parent would orphan. Before the engine starts, `guard()` marks our
environment with a token and starts this file as a process of its own session that holds the read end of a pipe from us.
At the end of the pipe, every process of this user that carries the token is killed. Linux (`/proc`) only, as vLLM is.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

MARK = "P2C_ENGINE_TOKEN"


def guard() -> int:
    """Start the watchdog; return the write end of its pipe, which must stay open as long as the engine may live."""
    token = secrets.token_hex(16)
    os.environ[MARK] = token
    os.environ["SPT_NOENV"] = "1"  # setproctitle would overwrite /proc/PID/environ, where the token is read
    read_end, write_end = os.pipe()
    environment = {k: v for k, v in os.environ.items() if k != MARK}
    subprocess.Popen(
        [sys.executable, "-S", __file__, token, str(read_end)],
        pass_fds=(read_end,),
        start_new_session=True,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(read_end)
    return write_end


def marked(token: str) -> list[int]:
    """Return the processes whose environment carries `token`."""
    needle = f"{MARK}={token}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if needle in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


def main(token: str, read_end: int) -> None:
    """Wait for the end of the pipe, then kill until nobody carries the token."""
    while os.read(read_end, 1):
        pass
    for _ in range(20):  # a process may be forking while we look
        pids = marked(token)
        if not pids:
            return
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
