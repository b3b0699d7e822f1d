"""One requirement, as pip reads it from a file.

In: text. Out: names. Must not know files, nor what the names mean.
"""

from __future__ import annotations

import codecs
import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from paper2code_local.stages.s5_validate.syntax import MAX_BYTES

_NAME = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*(?:$|[=<>!~;@(,\s#*^])")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)")
_WHEEL = re.compile(r"([A-Za-z0-9._]+)-[^-/]+(?:-[^-/]+)*\.(?:whl|tar\.gz|zip)")
_REMOTE = re.compile(r"(?:git|hg|svn|bzr)\+|https?://|file:|ssh://|git@")
_INCLUDE = re.compile(r"(?:-r|--requirement)[\s=]*(\S+)")


class Line(NamedTuple):
    """A line of a file."""

    number: int
    """1-based."""
    text: str


def decoded(data: bytes) -> str | None:
    """Return the text of a file that is no Python, UTF-16 by its mark; None when it is none, or too long."""
    if len(data) > MAX_BYTES:
        return None
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def split_lines(text: str) -> Iterator[Line]:
    """Yield the lines that say something, without comments, with continued lines in one."""
    before = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = before + re.sub(r"(^|\s)#(?!egg=).*", "", raw).strip()
        if line.endswith("\\"):
            before = line[:-1]
            continue
        before = ""
        if line:
            yield Line(number, line)


def included(path: str, line: str) -> str | None:
    """Return the file that a line of the file `path` includes."""
    match = _INCLUDE.match(line)
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), match[1])) if match else None


def requirement_name(line: str) -> str | None:
    """Return the distribution that a line names; "" when it names none, None when it cannot be told."""
    line = line.strip().strip("'\"")
    editable = re.match(r"(?:-e|--editable)[\s=]+", line)
    if editable:
        line = line[editable.end() :].strip("'\"")
    elif line.startswith("-") or not line:
        return ""  # an option: where to look, what to prefer
    if egg := _EGG.search(line):
        return egg[1]
    if match := _NAME.match(line):
        return "" if editable and _is_path(line) else match[1]
    if _REMOTE.match(line):
        last = re.sub(r"[?#].*|(?<=.)@[^/]*$", "", line).rstrip("/").rpartition("/")[2]
        wheel = _WHEEL.fullmatch(last.replace("%2B", "+").replace("+", "_"))
        return wheel[1] if wheel else last.removesuffix(".git") or None
    return "" if _is_path(line) else None


def _is_path(line: str) -> bool:
    """Tell whether a line means a folder or an archive of the repository itself."""
    return line.startswith((".", "/", "file:")) or "/" in line or line.endswith((".whl", ".zip", ".tar.gz"))
