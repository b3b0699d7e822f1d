"""Calls: P2C701 to P2C704.

In: nothing. Out: the table. Must not know how a check is made.
"""

from __future__ import annotations

from collections.abc import Mapping

from paper2code_local.stages.s5_validate.codes.code import Code

SIGNATURES: Mapping[str, Code] = {
    "P2C701": Code(
        "call without a required argument",
        "error",
        "The function, method or class is evidently one of this repository, and a parameter without a default gets "
        "nothing. Silent where decorators, rebinding, `*` or `**` leave a doubt; a warning where the code may never "
        "run, or a base of the class is not known.",
        {"model.py": b"def scale(x, factor):\n    return factor * x\n\n\nY = scale(1)\n"},
        {"model.py": b"def scale(x, factor):\n    return factor * x\n\n\nY = scale(1, factor=2)\n"},
    ),
    "P2C702": Code(
        "call with too many positional arguments",
        "error",
        "As P2C701, with more arguments by position than there are parameters.",
        {"model.py": b"def scale(x, factor):\n    return factor * x\n\n\nY = scale(1, 2, 3)\n"},
        {"model.py": b"def scale(x, factor):\n    return factor * x\n\n\nY = scale(1, factor=2)\n"},
    ),
    "P2C703": Code(
        "call with a keyword that is no parameter",
        "error",
        "As P2C701, with a keyword that no parameter has and no `**` takes.",
        {"model.py": b"def scale(x, factor):\n    return factor * x\n\n\nY = scale(1, fctor=2)\n"},
        {"model.py": b"def scale(x, factor):\n    return factor * x\n\n\nY = scale(1, factor=2)\n"},
    ),
    "P2C704": Code(
        "argument given twice",
        "error",
        "As P2C701, with a parameter that is given by position and again by keyword.",
        {"model.py": b"def scale(x, factor):\n    return factor * x\n\n\nY = scale(1, 2, factor=2)\n"},
        {"model.py": b"def scale(x, factor):\n    return factor * x\n\n\nY = scale(1, factor=2)\n"},
    ),
}
