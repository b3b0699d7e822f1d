"""Whether a file is Python at all (P2C101 to P2C105).

In: a path and its bytes. Out: the text, and at most one finding. Must not know other files.
"""

from __future__ import annotations

import io
import tokenize
from dataclasses import dataclass

from paper2code_local.artifacts.finding import Finding
from paper2code_local.source import compile_error
from paper2code_local.source.problem import most_fields
from paper2code_local.stages.s5_validate.codes import finding

MAX_BYTES = 1_000_000
MAX_FIELDS = 5_000
"""In one f-string: Python before 3.12 takes quadratic time for them."""

_CODES = {"syntax": "P2C101", "truncated": "P2C102", "prose": "P2C103"}
_HINTS = {
    "syntax": "Correct the line so that the file compiles.",
    "truncated": "Write the file to its end.",
    "prose": "Keep only Python; explanations belong into comments or docstrings.",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """A file as text."""

    text: str | None
    """With "\\n" at line ends; None when the bytes are not text that can be looked at."""
    finding: Finding | None

    @property
    def is_code(self) -> bool:
        """Tell whether the text is Python, be it broken."""
        return self.text is not None and (self.finding is None or self.finding.code != "P2C103")


def read_source(path: str, data: bytes) -> Reading:
    """Decode a file as Python would, and compile it without running it."""
    if len(data) > MAX_BYTES:
        message = f"The file is larger than {MAX_BYTES:,} bytes and was not checked."
        return Reading(
            None, finding("P2C105", path, 0, message, "Keep data in a data file, and code in smaller modules.")
        )
    try:
        text = _decode(data)
    except (SyntaxError, ValueError, LookupError) as error:
        line = data.count(b"\n", 0, getattr(error, "start", 0)) + 1
        message = f"The bytes are not text in the file's encoding: {error}."
        return Reading(None, finding("P2C104", path, line, message, "Save the file as UTF-8."))
    if most_fields(text) > MAX_FIELDS:
        message = f"An f-string of the file has more than {MAX_FIELDS:,} fields, and the file was not checked."
        return Reading(None, finding("P2C105", path, 0, message, "Put the text together from shorter ones."))
    problem = compile_error(text, path)
    if problem is None:
        return Reading(text, None)
    message = f"The file does not compile: {problem.message}."
    if problem.kind == "truncated":
        message = f"The file ends too early: {problem.message}."
    elif problem.kind == "prose":
        message = f"There is prose or Markdown where Python should be: {problem.message}."
    return Reading(text, finding(_CODES[problem.kind], path, problem.line, message, _HINTS[problem.kind]))


def _decode(data: bytes) -> str:
    """Decode by byte order mark, `coding:` line or UTF-8. Raises SyntaxError, ValueError or LookupError."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
