r"""Which file of a folder is the paper, and which others it reads.

In: a tree of files. Out: the name of the main file; the bytes of what it reaches. Must not know what the text means
beyond \documentclass, \begin{document} and the commands that name files.
"""

from __future__ import annotations

import posixpath
import re
from collections import deque
from collections.abc import Iterable

from paper2code_local.errors import InputError
from paper2code_local.stages.s1_parse.latex_folder import MAX_BYTES, Tree
from paper2code_local.stages.s1_parse.latex_sources import Pointer, candidates, decode, pointers, without_comments

MAX_NAMES = 20_000
"""Names that are looked up for one document."""
MAX_FILES = 2000
"""Files that one document may be made of."""
_CLASS = re.compile(
    r"\\document(?:class|style)\s{0,20}(?:\[[^\]]{0,2000}\])?\s{0,20}\{\s{0,20}([^{}\s]{1,100})\s{0,20}\}"
)
_BEGIN = re.compile(r"\\begin\s{0,20}\{document\}")
_USUAL = ("main", "ms", "paper", "article", "manuscript", "root", "arxiv", "camera_ready", "template")
_NO_PAPER = ("standalone", "beamer", "letter", "minimal", "subfiles", "tikzposter")
"""Document classes of figures, slides and parts."""


def find_main(tree: Tree, name: str) -> str:
    """Return the main file of `tree`, which the user knows as `name`; a choice among several is said as a warning.

    Raises InputError: `no_tex`, `no_main`, `too_many`, `too_large`.
    """
    sources = {each: tree.read(each) for each in tree.names() if each.lower().endswith((".tex", ".ltx"))}
    texts = {each: without_comments(decode(data)) for each, data in _bounded(sources.items(), name)}
    if not texts:
        raise _no_tex(tree, name)
    if len(texts) == 1:
        return next(iter(texts))
    whole = [each for each, text in texts.items() if _CLASS.search(text) and _BEGIN.search(text)]
    if not whole:
        raise InputError(
            "no_main",
            f"none of the {len(texts)} .tex files in {name} has both \\documentclass and \\begin{{document}}",
            "Give the main .tex file itself.",
        )
    read_by_others = {found for each in whole for found in _targets(texts[each], each, texts) if found != each}
    free = [each for each in whole if each not in read_by_others] or whole
    ranked = sorted(free, key=lambda each: _rank(each, texts[each]))
    if len(ranked) > 1:
        tree.warnings.append(f"{ranked[0]} was read as the main file; others could be: {', '.join(ranked[1:4])}.")
    return ranked[0]


def reached(tree: Tree, main: str, may_list: bool = True) -> dict[str, bytes]:
    """Return `main` and the files that it reaches, by name, with the .bbl that belongs to it.

    Where a macro makes up a file's name, all .tex files are taken in, if the tree `may_list` its names.
    Raises InputError: `unreadable`, `too_large`, `too_many`.
    """
    found: dict[str, bytes] = {}
    waiting = deque([main, posixpath.splitext(main)[0] + ".bbl"])
    asked: set[str] = set()
    total = 0
    while waiting:
        name = waiting.popleft()
        data = tree.read(name) if name not in asked and len(asked) < MAX_NAMES else None
        asked.add(name)
        if data is None:
            continue
        found[name] = data
        total += len(data)
        if total > MAX_BYTES or len(found) > MAX_FILES:
            raise InputError("too_large", f"{main} is made of too many files", "Give the paper's own files only.")
        if name.lower().endswith((".bib", ".bbl")):
            continue
        for pointer in pointers(decode(data)):
            if not _is_made_up(pointer):
                waiting += candidates(pointer, (posixpath.dirname(main), posixpath.dirname(name)))
            elif may_list:
                waiting += [each for each in tree.names() if each.endswith(".tex")]
                may_list = False  # once is enough
    if main not in found:
        raise InputError("unreadable", f"{main} cannot be read", "Give the main .tex file itself.")
    return found


def _is_made_up(pointer: Pointer) -> bool:
    """Tell whether a macro makes up the name."""
    return any(sign in pointer.folder + pointer.name for sign in "\\#")


def _bounded(files: Iterable[tuple[str, bytes | None]], name: str) -> Iterable[tuple[str, bytes]]:
    total = 0
    for each, data in files:
        if data is not None:
            total += len(data)
            if total > MAX_BYTES:
                raise InputError("too_large", f"{name} holds too much LaTeX", "Give the main .tex file itself.")
            yield each, data


def _targets(text: str, name: str, texts: Iterable[str]) -> list[str]:
    """Return the .tex files that `text` reads."""
    known = set(texts)
    wanted = (candidates(p, (posixpath.dirname(name), "")) for p in pointers(text) if p.kind == "text")
    return [found for names in wanted for found in names if found in known]


def _rank(name: str, text: str) -> tuple[bool, int, int, int, str]:
    """Order main files: papers before slides, usual names, near the top, most text."""
    match = _CLASS.search(text)
    stem = posixpath.splitext(posixpath.basename(name))[0].lower()
    usual = _USUAL.index(stem) if stem in _USUAL else len(_USUAL)
    return bool(match and match[1] in _NO_PAPER), usual, name.count("/"), -len(text), name


def _no_tex(tree: Tree, name: str) -> InputError:
    names = tree.names()
    if any(each.lower().endswith((".tex", ".ltx")) for each in names):
        return InputError("no_tex", f"no .tex file in {name} can be read", "Look at the files' sizes and permissions.")
    if "word/document.xml" in names:
        return InputError("no_tex", f"{name} is a Word document", "Save it as PDF, and give that.")
    pdfs = [each for each in names if each.lower().endswith(".pdf")]
    hint = f"Give {pdfs[0]} itself." if len(pdfs) == 1 else "Give a PDF, or the folder of the paper's LaTeX."
    return InputError("no_tex", f"{name} holds no .tex file", hint)
