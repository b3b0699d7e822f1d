"""The gate: everything that reading can prove about a repository.

In: the files of a repository, and for what was generated its logic design. Out: findings. Must not know models,
prompts or who asks; touches no file and runs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.import_order import ImportOrder
from paper2code_local.source import outline, usage
from paper2code_local.stages.s5_validate.cycles import circular_imports
from paper2code_local.stages.s5_validate.imports import ImportCheck, shadowing
from paper2code_local.stages.s5_validate.modules import Modules
from paper2code_local.stages.s5_validate.placeholders import placeholders
from paper2code_local.stages.s5_validate.receivers import Receivers
from paper2code_local.stages.s5_validate.signatures import SignatureCheck
from paper2code_local.stages.s5_validate.symbols import SymbolCheck
from paper2code_local.stages.s5_validate.syntax import read_source


def validate(files: Mapping[str, bytes], order: ImportOrder | None = None) -> tuple[Finding, ...]:
    """Check a repository and return what was found, by path, line and code.

    `files` maps every relative POSIX path to its bytes; only those of `.py` files are looked at, the other names tell
    what is compiled or generated. An error is certain. With `order`, imports must also respect the logic design.
    """
    readings = {path: read_source(path, files[path]) for path in sorted(files) if path.endswith(".py")}
    found = [reading.finding for reading in readings.values() if reading.finding is not None]
    outlines = {path: outline(r.text) for path, r in readings.items() if r.text is not None and r.is_code}
    ours = {file.path.partition("/")[0] for file in order.files} if order is not None else set()
    modules = Modules(files, outlines, ours)
    check = ImportCheck(modules, order)
    for path, reading in readings.items():
        # A text that compiles and that tree-sitter misreads may guard its imports where we cannot see it.
        if path in outlines and (outlines[path].exact or reading.finding is not None):
            found.extend(check.check(path))
    usages = {path: usage(r.text) for path, r in readings.items() if r.text is not None and r.finding is None}
    receivers = Receivers(modules, {p: u for p, u in usages.items() if u is not None and outlines[p].exact})
    symbols, signatures = SymbolCheck(receivers), SignatureCheck(receivers)
    for path in receivers.usages:
        found.extend(symbols.check(path))
        found.extend(signatures.check(path))
    found.extend(shadowing(modules))
    found.extend(circular_imports(modules, order))
    found.extend(placeholders({path: o for path, o in outlines.items() if readings[path].finding is None}))
    return tuple(sorted(found, key=lambda f: (f.path, f.line, f.code, f.message)))
