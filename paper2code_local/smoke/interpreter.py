"""The Python that tries the code: where it is, and what must be seen in the sandbox for it to run.

In: the path of a Python, as the user names it. Out: its real places and an identity. Must not know sandboxes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from paper2code_local.errors import UsageError

_SECONDS = 30.0
_ASK = """
import hashlib, importlib.metadata as m, json, sys
known = sorted({f"{d.metadata['Name']}=={d.version}" for d in m.distributions()})
print(json.dumps([sys.executable, "%d.%d.%d" % sys.version_info[:3], sys.prefix, sys.base_prefix,
                  hashlib.sha256("\\n".join(known).encode()).hexdigest()]))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """One Python with its packages."""

    executable: str
    version: str
    prefixes: tuple[str, ...]
    """The folders that it is made of, those of the system (`/usr`) left out."""
    identity: str
    """Changes with the version and with what is installed."""


def interpreter(python: Path | None = None) -> Interpreter:
    """Ask a Python what it is; without one, that of this process. Raises UsageError (`python`) if it cannot be used."""
    named = str(python.absolute()) if python else sys.executable
    try:
        done = subprocess.run([named, "-I", "-c", _ASK], capture_output=True, timeout=_SECONDS, check=True)
        executable, version, prefix, base, installed = map(str, json.loads(done.stdout))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        hint = "Name the python of a virtual environment that has the requirements: venv/bin/python."
        raise UsageError("python", f"{named} is no Python that can be used: {type(error).__name__}", hint) from error
    places = {prefix, base, str(Path(prefix).resolve()), str(Path(base).resolve())}
    prefixes = tuple(sorted(place for place in places if not f"{place}/".startswith("/usr/")))
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 (who has no home has "~")
    for place in prefixes:
        if home.is_relative_to(place):
            hint = "Name the python of a virtual environment in a folder of its own."
            raise UsageError("python", f"{named} lives in {place}, which would show your home to the code", hint)
    return Interpreter(executable, version, prefixes, f"{version} {executable} {installed}")
