"""Imports: P2C201 to P2C207.

In: nothing. Out: the table. Must not know how a check is made.
"""

from __future__ import annotations

from collections.abc import Mapping

from paper2code_local.artifacts.import_order import ImportOrder, OrderedFile
from paper2code_local.stages.s5_validate.codes.code import Code

_MODEL_THEN_TRAIN = ImportOrder(
    files=(OrderedFile(path="model.py", needs=()), OrderedFile(path="train.py", needs=("model.py",)))
)

IMPORTS: Mapping[str, Code] = {
    "P2C201": Code(
        "local module not found",
        "error",
        "A relative import, or an import through a package of this repository, names a module that is not there. "
        "Imports of other packages are not looked at, nor those that may fail in peace (below `if`, or in a `try` that "
        "catches ImportError).",
        {"net/__init__.py": b"", "net/loss.py": b"", "train.py": b"import net.losses\n"},
        {"net/__init__.py": b"", "net/loss.py": b"", "train.py": b"import net.loss\n"},
    ),
    "P2C202": Code(
        "name not defined in the local module it is imported from",
        "error",
        "The module is there and binds no such name: neither by itself, nor through a star import, nor as a submodule. "
        "Modules that make names at run time are left alone.",
        {"model.py": b"class Encoder:\n    depth = 2\n", "train.py": b"from model import Transformer\n"},
        {"model.py": b"class Encoder:\n    depth = 2\n", "train.py": b"from model import Encoder\n"},
    ),
    "P2C203": Code(
        "circular import",
        "error",
        "Files import each other while they are being imported. It is an error when a name is certainly asked for "
        "before it is bound, a warning when that depends on which file comes first, and nothing when Python can "
        "manage. In a repository with a logic design every such circle is an error.",
        {
            "model.py": b"from loss import LOSSES\n\nWIDTH = 8\n",
            "loss.py": b"from model import WIDTH\n\nLOSSES = [WIDTH]\n",
        },
        {
            "model.py": b"from loss import LOSSES\nfrom sizes import WIDTH\n",
            "loss.py": b"from sizes import WIDTH\n\nLOSSES = [WIDTH]\n",
            "sizes.py": b"WIDTH = 8\n",
        },
    ),
    "P2C204": Code(
        "import against the logic design",
        "error",
        "The file imports one that the logic design puts later, or that it does not list among what the file needs. "
        "Only in repositories that come with a logic design; imports below `if TYPE_CHECKING` are free.",
        {"model.py": b"import train\n", "train.py": b"STEPS = 3\n"},
        {"model.py": b"WIDTH = 8\n", "train.py": b"import model\n\nSTEPS = model.WIDTH\n"},
        _MODEL_THEN_TRAIN,
    ),
    "P2C205": Code(
        "relative import outside a package",
        "error",
        "The dots lead out of the outermost package, or the file is in no package at all.",
        {"model.py": b"WIDTH = 8\n", "train.py": b"from .model import WIDTH\n"},
        {"model.py": b"WIDTH = 8\n", "train.py": b"from model import WIDTH\n"},
    ),
    "P2C206": Code(
        "hides another module",
        "warning",
        "A file or package at the top of the repository (or of `src/`) is named like a standard module, or like one "
        "that a requirement brings: whoever imports that module from here, third-party packages included, may get this "
        "one.",
        {"logging.py": b"LEVEL = 3\n"},
        {"run_log.py": b"LEVEL = 3\n"},
    ),
    "P2C207": Code(
        "folder that another module hides",
        "error",
        "An import names a module in a folder at the top of the repository that has no `__init__.py`, and the standard "
        "library or a requirement has a module of the folder's name: Python takes that one, wherever it is.",
        {
            "datasets/rows.py": b"ROWS = 3\n",
            "main.py": b"from datasets.rows import ROWS\n\nprint(ROWS)\n",
            "requirements.txt": b"datasets\n",
        },
        {
            "rows/rows.py": b"ROWS = 3\n",
            "main.py": b"import datasets\n\nfrom rows.rows import ROWS\n\nprint(datasets, ROWS)\n",
            "requirements.txt": b"datasets\n",
        },
    ),
}
