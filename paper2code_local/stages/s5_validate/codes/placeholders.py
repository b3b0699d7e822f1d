"""Code that is still to be written, or differs from the plan: P2C301 to P2C306, and P2C401.

In: nothing. Out: the table. Must not know how a check is made.
"""

from __future__ import annotations

from collections.abc import Mapping

from paper2code_local.artifacts.import_order import ImportOrder, OrderedFile, Promise
from paper2code_local.stages.s5_validate.codes.code import Code

_LOSS = ImportOrder(
    files=(
        OrderedFile(
            path="model.py",
            needs=(),
            promises=(Promise(name="loss", signature="def loss(x: float, y: float) -> float", measured=True),),
        ),
    )
)
_MAIN = ImportOrder(files=(OrderedFile(path="main.py", needs=(), is_entry=True),))

PLACEHOLDERS: Mapping[str, Code] = {
    "P2C301": Code(
        "function that does nothing",
        "warning",
        "The body is `pass`, `...`, only a docstring, `raise NotImplementedError`, or a to-do comment. Abstract "
        "methods, overloads, protocols and methods of classes that others here inherit from are left alone. An error "
        "where the design plans the code.",
        {"model.py": b"def loss(x, y):\n    # TODO: implement\n    pass\n"},
        {"model.py": b"def loss(x, y):\n    return (x - y) ** 2\n"},
    ),
    "P2C302": Code(
        "planned file missing",
        "error",
        "The logic design plans the file; it is not there, or there is nothing in it. Only where there is a design.",
        {"model.py": b""},
        {"model.py": b"def loss(x, y):\n    return (x - y) ** 2\n"},
        _LOSS,
    ),
    "P2C303": Code(
        "planned definition missing",
        "error",
        "A class, function or method that the file should have is neither defined there nor imported nor inherited. A "
        "warning where a base or decorator from another package may give it. Only where there is a design.",
        {"model.py": b"def cost(x, y):\n    return (x - y) ** 2\n"},
        {"model.py": b"def loss(x, y):\n    return (x - y) ** 2\n"},
        _LOSS,
    ),
    "P2C304": Code(
        "signature differs from the plan",
        "error",
        "A call that the planned signature allows would fail: a parameter is missing, has another name or place, or "
        "lost its default. Further parameters with defaults are fine, and annotations are not looked at. Only where "
        "there is a design.",
        {"model.py": b"def loss(y, x):\n    return (x - y) ** 2\n"},
        {"model.py": b"def loss(x, y, power=2):\n    return (x - y) ** power\n"},
        _LOSS,
    ),
    "P2C305": Code(
        "constant in the place of a measured value",
        "warning",
        "The plan speaks of a loss, a score or an evaluation, and the whole body returns a number that is written "
        "there. Only where there is a design.",
        {"model.py": b"def loss(x, y):\n    return 0.05\n"},
        {"model.py": b"def loss(x, y):\n    return (x - y) ** 2\n"},
        _LOSS,
    ),
    "P2C306": Code(
        "entry point does not run",
        "error",
        'The file that is to be run has no `if __name__ == "__main__"` with a call in it, nor a call at its top '
        "level. Only where there is a design.",
        {"main.py": b"def main():\n    print(3)\n"},
        {"main.py": b'def main():\n    print(3)\n\n\nif __name__ == "__main__":\n    main()\n'},
        _MAIN,
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
