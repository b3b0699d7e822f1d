"""What `inspect --json` says of a paper: sizes and counts.

In: a `Paper`. Out: plain data for `json.dumps`. Must not know how the paper was parsed, nor how this is printed.
"""

from __future__ import annotations

from paper2code_local.artifacts.paper import Paper, visible

SCHEMA_VERSION = 1


def inspection(paper: Paper) -> dict[str, object]:
    """Summarise what was understood of `paper`; sizes are non-white-space characters.

    Keys are part of the command's contract: a change of meaning raises `schema_version`.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "title": paper.title,
        "abstract_chars": visible(paper.abstract),
        "sections": [
            {"number": s.number, "heading": s.heading, "level": s.level, "chars": s.chars} for s in paper.sections
        ],
        "formulas": len(paper.formulas()),
        "tables": len(paper.tables()),
        "figures": len(paper.figures()),
        "references": len(paper.references),
        "footnotes": len(paper.footnotes),
        "chars": paper.chars,
        "dropped_chars": paper.dropped_chars,
        "parser": paper.parser,
        "warnings": list(paper.warnings),
    }
