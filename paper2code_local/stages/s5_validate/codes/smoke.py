"""What happens when the code is run: P2C010 to P2C014, found by the smoke run and not by reading.

In: nothing. Out: the table. Must not know how a run is made.
"""

from __future__ import annotations

from collections.abc import Mapping

from paper2code_local.stages.s5_validate.codes.code import Code

_GUARD = b"if __name__ == '__main__':\n"

SMOKE: Mapping[str, Code] = {
    "P2C010": Code(
        "cannot be imported",
        "error",
        "Importing the module raised an exception. The place is the innermost line of the repository in the "
        "traceback. There is no network, and the repository is read-only. A package that is not installed where the "
        "code is tried is no finding.",
        {"model.py": b"LAYERS = {'small': 2}\nDEPTH = LAYERS['large']\n"},
        {"model.py": b"LAYERS = {'small': 2}\nDEPTH = LAYERS['small']\n"},
    ),
    "P2C011": Code(
        "ends the process when it is imported",
        "error",
        "Importing the module called `sys.exit` or `os._exit`, or the process crashed: whoever imports it ends too.",
        {"model.py": b"import sys\n\nsys.exit(0)\n"},
        {"model.py": b"import sys\n\n" + _GUARD + b"    sys.exit(0)\n"},
    ),
    "P2C012": Code(
        "goes past a limit when it is run",
        "error",
        "Importing the module, or asking the entry point for its help, took too long, or needed too much memory, disk "
        "or too many processes. The limits are in [smoke.md](smoke.md).",
        {"model.py": b"weights = bytearray(1 << 50)\n"},
        {"model.py": b"def weights():\n    return bytearray(1 << 50)\n"},
    ),
    "P2C013": Code(
        "does not answer `--help`",
        "error",
        "A script that reads its command line was run with `--help`, and it raised an exception, or ended with an exit "
        "code other than 0.",
        {
            "main.py": b"import argparse\n\n"
            + _GUARD
            + b"    steps = open('steps.txt').read()\n    argparse.ArgumentParser().parse_args()\n    print(steps)\n"
        },
        {
            "main.py": b"import argparse\n\n"
            + _GUARD
            + b"    argparse.ArgumentParser().parse_args()\n    print(open('steps.txt').read())\n"
        },
    ),
    "P2C014": Code(
        "leaves processes behind",
        "warning",
        "When the import was over, processes that it had started were still running. They were ended with the sandbox.",
        {"model.py": b"import subprocess\n\nworker = subprocess.Popen(['sleep', '60'])\n"},
        {"model.py": b"import subprocess\n\n\ndef worker():\n    return subprocess.Popen(['sleep', '60'])\n"},
    ),
}
