"""The table of finding codes.

In: nothing. Out: for each code its meaning, its severity and an example, wrong and right; and the page that says so.
Must not know how a check is made. `docs/findings.md` is `document()`, and a test holds it to that.
"""

from __future__ import annotations

from collections.abc import Mapping

from paper2code_local.artifacts.finding import Finding, Severity
from paper2code_local.stages.s5_validate.codes.code import Code
from paper2code_local.stages.s5_validate.codes.config import CONFIG
from paper2code_local.stages.s5_validate.codes.files import FILES
from paper2code_local.stages.s5_validate.codes.imports import IMPORTS
from paper2code_local.stages.s5_validate.codes.placeholders import PLACEHOLDERS
from paper2code_local.stages.s5_validate.codes.requirements import REQUIREMENTS
from paper2code_local.stages.s5_validate.codes.safety import SAFETY
from paper2code_local.stages.s5_validate.codes.signatures import SIGNATURES
from paper2code_local.stages.s5_validate.codes.smoke import SMOKE
from paper2code_local.stages.s5_validate.codes.symbols import SYMBOLS

__all__ = ["CODES", "ELSEWHERE", "EXPLAINED", "SMOKE", "Code", "document", "finding"]

CODES: Mapping[str, Code] = {
    **FILES,
    **IMPORTS,
    **PLACEHOLDERS,
    **SYMBOLS,
    **SIGNATURES,
    **CONFIG,
    **REQUIREMENTS,
    **SAFETY,
}
"""What reading finds."""
EXPLAINED: Mapping[str, Code] = {**CODES, **SMOKE}
"""And what running finds: every code that has an example."""


def finding(
    code: str,
    path: str,
    line: int,
    message: str,
    hint: str,
    severity: Severity | None = None,
    about: tuple[str, ...] = (),
) -> Finding:
    """Make a finding with the severity of its code, or with another one.

    `about` holds, by code: P2C201 and P2C205 the module as written, dots included; P2C202 the name and the file or
    folder that lacks it; P2C203 and P2C204 the imported file; P2C601 the name; P2C602 to P2C604 what stands before the
    last dot, and the attribute, P2C604 also "path:Class"; P2C605 the name, or `self` and the attribute; P2C606 the
    call; P2C701 to P2C704 the callee and the parameter or the numbers; P2C801 the settings file and the keys that lead
    to the value; P2C803 the settings file and the better spelling; P2C901 the module and its distribution.
    """
    return Finding(
        code=code,
        severity=severity or CODES[code].severity,
        path=path,
        line=line,
        message=message,
        hint=hint,
        about=about,
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
    run = (
        "# What the smoke run finds\n\nWhat `p2c-local smoke REPO` can say after it has imported every module in a "
        "sandbox, see [smoke.md](smoke.md).\n"
    )
    tail = f"## Only from `generate`\n\n{others}\n"
    read, ran = ([_section(name, code) for name, code in codes.items()] for codes in (CODES, SMOKE))
    return "\n".join((head, *read, run, *ran, tail))


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
