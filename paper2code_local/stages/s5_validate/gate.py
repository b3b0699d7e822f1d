"""The gate: everything that reading can prove about a repository.

In: the files of a repository, and for what was generated its logic design. Out: findings. Must not know models,
prompts or who asks; touches no file and runs nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass

from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.import_order import ImportOrder
from paper2code_local.source import Outline, Usage, outline, usage
from paper2code_local.source.problem import syntax_tree
from paper2code_local.stages.s5_validate.aside import leniently
from paper2code_local.stages.s5_validate.config import ConfigCheck
from paper2code_local.stages.s5_validate.cycles import circular_imports
from paper2code_local.stages.s5_validate.hiding import hiding
from paper2code_local.stages.s5_validate.ignores import ignored, unknown_codes
from paper2code_local.stages.s5_validate.imports import ImportCheck
from paper2code_local.stages.s5_validate.modules import Modules
from paper2code_local.stages.s5_validate.placeholders import placeholders
from paper2code_local.stages.s5_validate.promises import PromiseCheck
from paper2code_local.stages.s5_validate.receivers import Receivers
from paper2code_local.stages.s5_validate.requirements import RequirementCheck
from paper2code_local.stages.s5_validate.safety import safety
from paper2code_local.stages.s5_validate.signatures import SignatureCheck
from paper2code_local.stages.s5_validate.symbols import SymbolCheck
from paper2code_local.stages.s5_validate.syntax import Reading, read_source


@dataclass(frozen=True, slots=True)
class Read:
    """What reading one file by itself gives."""

    reading: Reading
    outline: Outline | None
    """None for what is no code."""
    usage: Usage | None
    """None for what does not compile, or is not understood in full."""
    unsafe: tuple[Finding, ...]
    """What running it may do beyond computing."""


Cache = MutableMapping[tuple[str, bytes], Read]
"""Path and bytes of a file → what they gave, for those who check a repository again and again."""


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let the garbage collector rest: it would walk millions of syntax nodes again and again, all of them in use."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@_uncollected()
def validate(
    files: Mapping[str, bytes],
    order: ImportOrder | None = None,
    *,
    honour_ignores: bool = False,
    cache: Cache | None = None,
) -> tuple[Finding, ...]:
    """Check a repository and return what was found, by path, line and code.

    `files` maps every relative POSIX path to its bytes; those of `.py` files are looked at, and of files that declare
    requirements or hold settings; the other names tell what is compiled or generated. An error is certain. With
    `order`, imports must also respect the logic design. With `honour_ignores`, what a comment `p2c: ignore` names is
    left out. `cache` is read and added to.
    """
    known: Cache = {} if cache is None else cache
    sources = {path: _read(path, files[path], known) for path in sorted(files) if path.endswith(".py")}
    found = [read.reading.finding for read in sources.values() if read.reading.finding is not None]
    outlines = {path: read.outline for path, read in sources.items() if read.outline is not None}
    ours = {file.path.partition("/")[0] for file in order.files} if order is not None else set()
    modules = Modules(files, outlines, ours)
    imports = ImportCheck(modules, order)
    receivers = Receivers(modules, {path: read.usage for path, read in sources.items() if read.usage is not None})
    symbols, signatures = SymbolCheck(receivers, order is not None), SignatureCheck(receivers)
    for path, read in sources.items():
        # A text that compiles and that tree-sitter misreads may guard its imports where we cannot see it.
        if read.outline is not None and (read.outline.exact or read.reading.finding is not None):
            found.extend(imports.check(path))
        if read.usage is not None:
            found.extend(symbols.check(path))
            found.extend(signatures.check(path))
    requirements = RequirementCheck(files, modules, order is not None)
    found.extend(hiding(modules, requirements.imports()))
    found.extend(circular_imports(modules, order))
    whole = {path: read.reading.text if read.reading.finding is None else None for path, read in sources.items()}
    found.extend(placeholders({path: o for path, o in outlines.items() if whole[path] is not None}, order))
    if order is not None:
        found.extend(PromiseCheck(order, whole, receivers).check())
    found.extend(each for read in sources.values() for each in read.unsafe)
    understood = {path: text for path, text in whole.items() if text is not None}
    found.extend(ConfigCheck(files, understood, receivers, order is not None).check())
    found.extend(requirements.check())
    if order is None:
        found = list(leniently(found, modules))
    silenced: dict[str, dict[int, tuple[str, ...]]] = {}
    for path, read in sources.items():
        silenced[path] = ignored(read.reading.text or "")
        found.extend(unknown_codes(path, silenced[path]))
    if honour_ignores:
        found = [f for f in found if f.code not in silenced.get(f.path, {}).get(f.line, ())]
    return tuple(sorted(found, key=lambda f: (f.path, f.line, f.code, f.message)))


def _read(path: str, data: bytes, cache: Cache) -> Read:
    key = (path, data)
    if key not in cache:
        reading = read_source(path, data)
        seen = outline(reading.text) if reading.text is not None and reading.is_code else None
        tree = syntax_tree(reading.text) if reading.text is not None and reading.finding is None else None
        if tree is None or seen is None or reading.text is None:
            cache[key] = Read(reading, seen, None, ())
        else:
            used, calls = usage(tree, reading.text)
            unsafe = tuple(safety(path, used, calls))
            cache[key] = Read(reading, seen, used if seen.exact else None, unsafe)
    return cache[key]
