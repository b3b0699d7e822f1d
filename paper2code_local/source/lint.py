"""What ruff knows about names.

In: source text. Out: names. Must not know of findings. Ruff runs as a child process, without any configuration, on its
standard input; it reads no file.
"""

from __future__ import annotations

import json
import re
import subprocess

from ruff import find_ruff_bin

_SECONDS = 20.0
_QUOTED = re.compile(r"`([^`]+)`")


def undefined_names(text: str) -> tuple[str, ...]:
    """Return the names that a module uses and nobody binds (ruff F821), each once, in order of use.

    Empty for text that does not parse. Raises subprocess.TimeoutExpired after 20 s.
    """
    return _named_by("F821", text)


def unused_imports(text: str) -> tuple[str, ...]:
    """Return the dotted names that a module imports and never uses (ruff F401), each once, in order.

    Empty for text that does not parse. Raises subprocess.TimeoutExpired after 20 s.
    """
    return _named_by("F401", text)


def _named_by(rule: str, text: str) -> tuple[str, ...]:
    command = [find_ruff_bin(), "check", "--isolated", "--no-cache", "--quiet", "--select", rule]
    command += ["--output-format", "json", "--stdin-filename", "module.py", "-"]
    data = text.encode("utf-8", "replace")
    done = subprocess.run(command, input=data, capture_output=True, timeout=_SECONDS, check=False)
    found: dict[str, None] = {}
    for violation in json.loads(done.stdout or b"[]"):
        quoted = _QUOTED.search(violation["message"])
        if violation["code"] == rule and quoted is not None:
            found[quoted.group(1)] = None
    return tuple(found)
