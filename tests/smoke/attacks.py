"""Modules that mean harm: what each does when it is imported, and what the smoke run must say of it.

`FREE`, `PORT` and `PATH` stand for a file outside, a port and a socket of the machine that the test listens at.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Attack:
    """One module. `code` is the finding that it must get, `said` what the message holds; "" when it gets nothing."""

    text: str
    code: str = "P2C010"
    said: str = ""


_LIBRARY = "import ctypes, os, platform\nlibrary = ctypes.CDLL(None, use_errno=True)\n"
_CALL = "assert library.syscall({}) >= 0, os.strerror(ctypes.get_errno())\n"
_CLONE = "(56 if platform.machine() == 'x86_64' else 220)"

ATTACKS = {
    # outside
    "writes_outside": Attack("open('FREE', 'w')", said="FileNotFoundError"),
    "writes_to_the_system": Attack("open('/usr/bin/x', 'w')", said="Read-only"),
    "writes_to_the_repository": Attack("open(__file__, 'a')", said=".py'"),
    "deletes": Attack("import os\nos.remove(__file__)", said="Read-only"),
    "reads_the_home": Attack("import os\nos.listdir('HOST_HOME/.cache')", said="FileNotFoundError"),
    "reads_shadow": Attack("open('/etc/shadow')", said="FileNotFoundError"),
    "reads_the_environment": Attack(
        "import os\nassert 'P2C_SECRET' in os.environ or 'P2C_SECRET' in open('/proc/1/environ').read(), 'no secret'"
    ),
    # the network, and sockets of the machine
    "connects": Attack("import socket\nsocket.create_connection(('192.0.2.7', 80), 1)", said="unreachable"),
    "connects_to_this_machine": Attack(
        "import socket\nsocket.create_connection(('127.0.0.1', PORT), 1)", said="refused"
    ),
    "connects_to_a_path": Attack("import socket\nsocket.socket(1).connect('PATH')", said="No such file"),
    "connects_to_an_abstract_name": Attack("import socket\nsocket.socket(1).connect('\\0PATH')", said="refused"),
    # without end
    "forks": Attack("import os\nwhile True: os.fork()", "P2C012", "BlockingIOError"),
    "forks_on": Attack(
        "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", "P2C012", "it takes more than 3 s"
    ),
    "fills_memory": Attack("kept = []\nwhile True: kept.append(bytearray(1 << 24))", "P2C012"),
    "fills_shared_memory": Attack(
        "import mmap\nkept = []\nwhile True:\n"
        "    kept.append(mmap.mmap(-1, 1 << 24))\n    kept[-1].write(b'x' * (1 << 24))",
        "P2C012",
    ),
    "fills_memory_of_nobody": Attack("import os\nos.memfd_create('x')", said="PermissionError"),
    "fills_the_disk": Attack(
        "for i in range(1000): open(f'/scratch/{i}', 'wb').write(b'x' * (1 << 20))", "P2C012", "No space left"
    ),
    "writes_a_large_file": Attack("open('/scratch/x', 'wb').write(b'x' * (1 << 24))", "P2C012", "too large"),
    "sleeps": Attack("import time\ntime.sleep(1e6)", "P2C012", "it takes more than 3 s"),
    "traps_every_signal": Attack(
        "import signal, time\n"
        "for s in signal.valid_signals() - {9, 19}: signal.signal(s, signal.SIG_IGN)\ntime.sleep(1e6)",
        "P2C012",
        "it takes more than 3 s",
    ),
    "opens_pipes": Attack("import os\nwhile True: os.pipe()", "P2C012", "Too many open files"),
    "prints": Attack("import os\nfor _ in range(1000): os.write(1, b'x' * (1 << 20)); os.write(2, b'x')", ""),
    "says_too_much": Attack(
        "import os\nwhile True:\n    for fd in range(3, 64):\n        try: os.write(fd, b'x' * 65536)\n"
        "        except OSError: pass",
        "P2C012",
    ),
    # other processes
    "kills": Attack("import os\nos.kill(-1, 9)\nraise OSError('nobody is there')"),
    "leaves_a_daemon": Attack(
        "import os, time\nif not os.fork():\n    os.setsid()\n    if not os.fork(): time.sleep(1e6)\n    os._exit(0)",
        "P2C014",
    ),
    "traces": Attack(
        _LIBRARY + "assert library.ptrace(0, 0, 0, 0) >= 0, os.strerror(ctypes.get_errno())", said="permitted"
    ),
    "makes_a_namespace": Attack(
        _LIBRARY + "assert library.unshare(0x10000000) >= 0, os.strerror(ctypes.get_errno())", said="permitted"
    ),
    "clones_a_namespace": Attack(_LIBRARY + _CALL.format(f"{_CLONE}, 0x10000011, 0, 0, 0, 0"), said="permitted"),
    "becomes_root": Attack("import os\nos.setuid(0)"),
    "raises_its_limits": Attack("import resource\nresource.setrlimit(resource.RLIMIT_NPROC, (1000, 1000))"),
    # the report
    "exits": Attack("import sys\nsys.exit(0)", "P2C011", "SystemExit: 0"),
    "exits_at_once": Attack("import os\nos._exit(0)", "P2C011", "exit code 0"),
    "crashes": Attack("import ctypes\nctypes.string_at(0)", "P2C011", "SIGSEGV"),
    "forges": Attack(
        'import os\nfor fd in range(256):\n    try: os.write(fd, b\'{"step": "ok"}\\n\')\n'
        "    except OSError: pass\nos._exit(0)",
        "P2C011",
    ),
    "breaks_the_library": Attack("import json, os\nos.write = json.dumps = os.getpid = None", ""),
    "closes_everything": Attack("import os\nos.closerange(0, 1000)", "P2C011"),
    "raises_what_cannot_be_said": Attack(
        "class E(Exception):\n    def __str__(self): raise E()\nraise E()", said="cannot be had"
    ),
    "raises_what_says_no_end": Attack(
        "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E()", said="cannot be had"
    ),
    "raises_from_far_down": Attack("def f(n): return f(n + 1)\nf(0)", said="RecursionError"),
    "raises_at_length": Attack("raise ValueError('x' * 50_000_000)"),
    "raises_what_a_terminal_obeys": Attack("raise ValueError('\\x1b[2J\\u202e')", said="\ufffd[2J\ufffd"),
    "lies_about_its_place": Attack("exec(compile('1 / 0', '/repo/../etc/passwd', 'exec'))"),
    # no harm
    "leaves_a_thread": Attack("import threading, time\nthreading.Thread(target=time.sleep, args=(1e6,)).start()", ""),
    "leaves_something_for_the_end": Attack("import atexit, time\natexit.register(time.sleep, 1e6)", ""),
}
