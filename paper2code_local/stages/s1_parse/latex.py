r"""LaTeX to `Paper`.

In: the files of a document, by name, and which one is the main one; all may be hostile. Out: a `Paper`. Must not know
where the files come from.

    files ─► latex_tokens ─► latex_macros (definitions, conditions, \input) ─► latex_reader ─► Document ─► Paper
                                  latex_structure, _front, _inline, _floats, _grids, _algorithms, _bibliography ┘
"""

from __future__ import annotations

from collections.abc import Mapping

from paper2code_local.artifacts.paper import Paper
from paper2code_local.errors import InputError
from paper2code_local.stages.s1_parse import (
    latex_algorithms,
    latex_bibliography,
    latex_floats,
    latex_front,
    latex_grids,
    latex_inline,
    latex_structure,
)
from paper2code_local.stages.s1_parse.latex_commands import SIGNATURES, STYLING
from paper2code_local.stages.s1_parse.latex_macros import Mouth
from paper2code_local.stages.s1_parse.latex_numbers import Numbers
from paper2code_local.stages.s1_parse.latex_paper import paper_of
from paper2code_local.stages.s1_parse.latex_reader import Handler, Reader
from paper2code_local.stages.s1_parse.latex_tokens import untokenize

_LAYERS = (latex_structure, latex_front, latex_inline, latex_floats, latex_grids, latex_bibliography)
_COMMANDS: dict[str, Handler] = {k: v for layer in _LAYERS for k, v in layer.COMMANDS.items()}
_COMMANDS |= latex_algorithms.DEFINERS
_COMMANDS |= {k: latex_algorithms.inside(v, _COMMANDS.get(k)) for k, v in latex_algorithms.COMMANDS.items()}
_ENVIRONMENTS: dict[str, Handler] = {k: v for layer in _LAYERS for k, v in layer.ENVIRONMENTS.items()}
_PROTECTED = {
    *(name for name in (*_COMMANDS, *SIGNATURES, *STYLING) if not name.startswith("\\the")),
    *(f"\\begin {name}" for name in _ENVIRONMENTS),
}
"""What a style file may not take from us."""


def paper_of_latex(files: Mapping[str, bytes], main: str) -> Paper:
    r"""Read the LaTeX document that begins in `main`; other files are read only where it asks for them.

    Numbers of sections, formulas, floats and footnotes are those that LaTeX prints. Citations print as "[3]", the
    position in the bibliography, \citet as "Vaswani et al. [3]"; a key without an entry prints itself, "[key]".

    `chars` counts what is in the paper: title, authors, abstract, numbers, sections, references, footnotes.
    `dropped_chars` counts what the document prints besides that: affiliations, drawings, options of unknown commands.
    What prints nothing is not counted: comments, branches not taken, the preamble, commands, and those of their
    arguments that are lengths, keys or names of files (`latex_commands`).
    Time and memory are bounded (`latex_macros`). Raises InputError: `empty`.
    """
    reader = _read(files, main, has_preamble=True)
    if not reader.in_body:
        reader = _read(files, main, has_preamble=False)
        reader.mouth.warnings["No \\begin{document} found: the whole file was read as its body."] = None
    paper = paper_of(reader.document, reader.numbers, tuple(reader.mouth.warnings))
    if not (paper.sections or paper.abstract):
        raise InputError("empty", f"{main} is LaTeX that prints nothing", "Give the main file, or the whole folder.")
    return paper


def _read(files: Mapping[str, bytes], main: str, has_preamble: bool) -> Reader:
    mouth = Mouth(files, main, _PROTECTED)

    def redefined(counter: str) -> str | None:
        name = f"\\the{counter}"
        return untokenize(mouth.all_expanded(mouth.macros[name].body)) if name in mouth.macros else None

    reader = Reader(mouth, Numbers(redefined), _COMMANDS, _ENVIRONMENTS)
    reader.in_body = not has_preamble
    mouth.open_main()
    reader.run()
    reader.close_frames(0)
    reader.paragraph()
    if reader.in_body:
        latex_bibliography.add_cited(reader)
    return reader
