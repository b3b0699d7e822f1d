"""Whether a file is Python: P2C101 to P2C106.

In: nothing. Out: the table. Must not know how a check is made.
"""

from __future__ import annotations

from collections.abc import Mapping

from paper2code_local.stages.s5_validate.codes.code import Code

FILES: Mapping[str, Code] = {
    "P2C101": Code(
        "does not compile",
        "error",
        "Python's own compiler refuses the file. Nothing is run. The file is read as Python of the version that "
        "runs the gate: Python 2 and newer syntax are reported too. In somebody's repository, errors in a template and "
        "data of tests that cannot be read are warnings unless another file imports them.",
        {"model.py": b"def scale(x)\n    return 2 * x\n"},
        {"model.py": b"def scale(x):\n    return 2 * x\n"},
    ),
    "P2C102": Code(
        "cut short",
        "error",
        "What is there is the beginning of a Python file, but it ends inside a bracket, a string, a statement or "
        "before the body of a definition.",
        {"model.py": b"def scale(x):\n    return max(\n        2 * x,\n"},
        {"model.py": b"def scale(x):\n    return max(\n        2 * x,\n        0,\n    )\n"},
    ),
    "P2C103": Code(
        "prose or Markdown in a Python file",
        "error",
        "The line that does not compile is a sentence, a list item or a code fence.",
        {"model.py": b"Here is the code for the model:\n\ndef scale(x):\n    return 2 * x\n"},
        {"model.py": b'"""The model."""\n\n\ndef scale(x):\n    return 2 * x\n'},
    ),
    "P2C104": Code(
        "wrong encoding",
        "error",
        "The bytes are not UTF-8, nor what the `coding:` line of the file declares.",
        {"model.py": b'NAME = "caf\xe9"\n'},
        {"model.py": b'# -*- coding: latin-1 -*-\nNAME = "caf\xe9"\n'},
    ),
    "P2C105": Code(
        "too large to be checked",
        "warning",
        "The file has more than 1 MB, or an f-string with more than 5,000 fields, and is not looked at. It may well be "
        "correct: hence a warning.",
        {"table.py": b"TABLE = [" + b"0, " * 400_000 + b"]\n"},
        {"table.py": b"TABLE = [" + b"0, " * 40 + b"]\n"},
    ),
    "P2C106": Code(
        "unknown code in an ignore comment",
        "warning",
        "`# p2c: ignore[P2C601]` at the end of a line silences findings with that code on that line; several codes are "
        "separated by commas. This comment names a code that there is not, or none.",
        {"model.py": b"def scale(x):\n    return 2 * x  # p2c: ignore[X601]\n"},
        {"model.py": b"def scale(x):\n    return 2 * x\n"},
    ),
}
