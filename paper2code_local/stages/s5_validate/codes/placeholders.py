"""Code that is still to be written: P2C301 and P2C401.

In: nothing. Out: the table. Must not know how a check is made.
"""

from __future__ import annotations

from collections.abc import Mapping

from paper2code_local.stages.s5_validate.codes.code import Code

PLACEHOLDERS: Mapping[str, Code] = {
    "P2C301": Code(
        "function that does nothing",
        "warning",
        "The body is `pass`, `...`, only a docstring, `raise NotImplementedError`, or a to-do comment. Abstract "
        "methods, overloads, protocols and methods of classes that others here inherit from are left alone.",
        {"model.py": b"def loss(x, y):\n    # TODO: implement\n    pass\n"},
        {"model.py": b"def loss(x, y):\n    return (x - y) ** 2\n"},
    ),
    "P2C401": Code(
        "stub left in the place of code",
        "error",
        "paper2code_local could not get this part written and left a stub that raises NotImplementedError with the "
        "code of the finding behind it. It has to be written by hand.",
        {"model.py": b'def loss(x, y):\n    raise NotImplementedError("P2C101: does not compile")\n'},
        {"model.py": b"def loss(x, y):\n    return (x - y) ** 2\n"},
    ),
}
