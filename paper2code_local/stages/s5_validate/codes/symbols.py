"""Names and attributes: P2C601 to P2C607.

In: nothing. Out: the table. Must not know how a check is made.
"""

from __future__ import annotations

from collections.abc import Mapping

from paper2code_local.stages.s5_validate.codes.code import Code

SYMBOLS: Mapping[str, Code] = {
    "P2C601": Code(
        "undefined name",
        "error",
        "No scope of the file, no star import and no builtin binds the name. A warning where the code may never run "
        "(after a `return`, below a version check) or may fail in peace, in annotations that are never evaluated, and "
        "for names that only Python 2 has. Files that write to their own namespace are left alone, and where ignore "
        "comments are honoured also lines with `# noqa: F821`.",
        {"model.py": b"def scale(x):\n    return fctor * x\n"},
        {"model.py": b"def scale(x, factor=2):\n    return factor * x\n"},
    ),
    "P2C602": Code(
        "attribute that a local module does not have",
        "error",
        "The name before the dot is a module of this repository, which binds no such name and gets none from "
        "elsewhere.",
        {"model.py": b"WIDTH = 8\n", "train.py": b"import model\n\nSTEPS = model.DEPTH\n"},
        {"model.py": b"WIDTH = 8\n", "train.py": b"import model\n\nSTEPS = model.WIDTH\n"},
    ),
    "P2C603": Code(
        "attribute that `self` does not have",
        "error",
        "A method reads an attribute that is assigned nowhere: not in the class, what it derives from, what derives "
        "from it, nor from outside. A warning where a decorator may add attributes, or some object somewhere gets "
        "attributes under names that reading does not show. Where a base is not known (PyTorch's modules are), or the "
        "repository never makes an object of the class (and was not generated from a plan), only what looks like a "
        "slip of the pen is reported.",
        {
            "model.py": b"class Scale:\n    def __init__(self, factor):\n        self.factor = factor\n\n"
            b"    def apply(self, x):\n        return self.fctor * x\n\n\nY = Scale(2).apply(1)\n"
        },
        {
            "model.py": b"class Scale:\n    def __init__(self, factor):\n        self.factor = factor\n\n"
            b"    def apply(self, x):\n        return self.factor * x\n\n\nY = Scale(2).apply(1)\n"
        },
    ),
    "P2C604": Code(
        "attribute or method that a class does not have",
        "error",
        "What stands before the dot is evidently a class of this repository, or an object made from it right there or "
        "in the only assignment of the variable. Warnings as for P2C603.",
        {
            "model.py": b"class Net:\n    def forward(self, x):\n        return x\n",
            "train.py": b"from model import Net\n\nnet = Net()\nprint(net.fit(3))\n",
        },
        {
            "model.py": b"class Net:\n    def forward(self, x):\n        return x\n",
            "train.py": b"from model import Net\n\nnet = Net()\nprint(net.forward(3))\n",
        },
    ),
    "P2C605": Code(
        "read before it is bound",
        "error",
        "A function or a module binds the name only later, so that reading it here raises; or a constructor reads an "
        "attribute of `self` that only later lines of it, or other methods, assign. Whatever may have bound the name "
        "counts: either branch of an `if`, the round before in a loop, what was given `self`. Nothing is said where "
        "the error is expected, nor below a `return` or a version check.",
        {"data.py": b"def scaled(values, factor):\n    rows = [row * factor for row in rows]\n    return rows\n"},
        {"data.py": b"def scaled(values, factor):\n    rows = [row * factor for row in values]\n    return rows\n"},
    ),
    "P2C606": Code(
        "function that never ends",
        "warning",
        "A function calls itself before anything in it can have returned, raised or branched. An error where the code "
        "was generated from a plan. What decorators change, what is overridden or assigned elsewhere, and generators "
        "and coroutines are left alone.",
        {"train.py": b"def evaluate(model):\n    scores = evaluate(model)\n    return scores\n"},
        {"train.py": b"def evaluate(model):\n    scores = model.scores()\n    return scores\n"},
    ),
    "P2C607": Code(
        "attribute that hides a method",
        "warning",
        "A method assigns data (a literal, or a setting of `config`) to an attribute of `self` that has the name of a "
        "method of the same class, which no object has from then on. An error where the code was generated from a "
        "plan. Properties and what other decorators make are left alone.",
        {
            "model.py": b'class Net:\n    def __init__(self, config):\n        self.loss = config["loss"]\n\n'
            b"    def loss(self, x):\n        return x\n"
        },
        {
            "model.py": b'class Net:\n    def __init__(self, config):\n        self.kind = config["loss"]\n\n'
            b"    def loss(self, x):\n        return x\n"
        },
    ),
}
