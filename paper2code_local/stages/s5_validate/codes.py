"""The table of finding codes.

In: nothing. Out: for each code its meaning, its severity and an example, wrong and right; and the page that says so.
Must not know how a check is made. `docs/findings.md` is `document()`, and a test holds it to that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from paper2code_local.artifacts.finding import Finding, Severity
from paper2code_local.artifacts.import_order import ImportOrder, OrderedFile


@dataclass(frozen=True, slots=True)
class Code:
    """What one code means."""

    title: str
    severity: Severity
    """The usual one; the text says where it differs."""
    explanation: str
    wrong: Mapping[str, bytes]
    """A repository that has the finding."""
    right: Mapping[str, bytes]
    """The same without it."""
    order: ImportOrder | None = None
    """The logic design that both are checked against."""


_MODEL_THEN_TRAIN = ImportOrder(
    files=(OrderedFile(path="model.py", needs=()), OrderedFile(path="train.py", needs=("model.py",)))
)

CODES: Mapping[str, Code] = {
    "P2C101": Code(
        "does not compile",
        "error",
        "Python's own compiler refuses the file. Nothing is run. The file is read as Python of the version that "
        "runs the gate: Python 2, newer syntax, a template or a test file broken on purpose is reported too.",
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
        "The file has more than 1 MB and is not looked at. It may well be correct: hence a warning.",
        {"table.py": b"TABLE = [" + b"0, " * 400_000 + b"]\n"},
        {"table.py": b"TABLE = [" + b"0, " * 40 + b"]\n"},
    ),
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
        "hides a module of the standard library",
        "warning",
        "A file or package at the top of the repository (or of `src/`) is named like a standard module: whoever "
        "imports that module from here, third-party packages included, may get this one.",
        {"logging.py": b"LEVEL = 3\n"},
        {"run_log.py": b"LEVEL = 3\n"},
    ),
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


def finding(code: str, path: str, line: int, message: str, hint: str, severity: Severity | None = None) -> Finding:
    """Make a finding with the severity of its code, or with another one."""
    return Finding(
        code=code, severity=severity or CODES[code].severity, path=path, line=line, message=message, hint=hint
    )


ELSEWHERE: Mapping[str, tuple[str, Severity, str]] = {
    "P2C402": (
        "not written",
        "error",
        "The model gave no usable version of a planned file. After the last repair round it becomes a file of stubs.",
    ),
    "P2C501": (
        "mended",
        "warning",
        "An answer of the model could be used only after something was left out or filled in; the message says what.",
    ),
    "P2C502": (
        "value not found",
        "warning",
        "A value of `config.yaml` is said to come from a section of the paper in whose text it was not found.",
    ),
}
"""Code → title, severity and meaning of findings that only `generate` makes."""


def document() -> str:
    """Return the Markdown page on all codes."""
    head = (
        "# Findings\n\nWhat the gate (`p2c-local validate REPO`, and the check of everything that is generated) can "
        "say, by code. An\n**error** is certain; a **warning** is likely, or cannot be decided by reading. Nothing "
        "is ever run.\n"
    )
    others = "\n".join(f"- **{name}** {title} ({kind}). {text}" for name, (title, kind, text) in ELSEWHERE.items())
    tail = f"## Only from `generate`\n\n{others}\n"
    return "\n".join((head, *(_section(name, code) for name, code in CODES.items()), tail))


def _section(name: str, code: Code) -> str:
    order = ""
    if code.order is not None:
        needs = "; ".join(
            f"`{f.path}` needs {', '.join(f'`{n}`' for n in f.needs) or 'nothing'}" for f in code.order.files
        )
        order = f"Logic design: {needs}.\n\n"
    return (
        f"## {name}: {code.title} ({code.severity})\n\n{code.explanation}\n\n{order}"
        f"Wrong:\n\n{_example(code.wrong)}\nRight:\n\n{_example(code.right)}"
    )


def _example(files: Mapping[str, bytes]) -> str:
    return "```python\n" + "".join(_file(path, data) for path, data in files.items()) + "```\n"


def _file(path: str, data: bytes) -> str:
    text = data.decode("utf-8", "backslashreplace")
    if len(text) > 300:
        text = text[:60] + "…\n"
    return f"# {path}{'' if text else ' (empty)'}\n{text}"
