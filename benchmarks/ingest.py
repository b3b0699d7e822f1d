"""Measure the embedded PDF parser against GROBID on pairs of a PDF and the TEI that GROBID made of it.

    python benchmarks/ingest.py FOLDER [--out FILE]

FOLDER holds pairs: NAME.pdf and NAME.tei.xml. The table goes to stdout; `--out` appends it, with date, machine and
commit, to a file of results. GROBID is the yardstick, not the truth: it too drops, doubles and reorders text.

- ms/page: processor time, median of three readings after one that warms up, divided by the pages.
- headings: recall and precision against the heads in GROBID's `body`, all of them and those that carry a number. Two
  headings are the same when they agree in letters and digits, or almost do (difflib ratio of 0.9); each is used once.
  A heading without text, and the bibliography's own, counts on neither side.
- words: share of the words of GROBID's body text (paragraphs under `body`, without formulas and floats) that are in
  the embedded parser's `Paper`, as a multiset: each occurrence has to be there. A word is a run of letters or digits
  of two or more, compatibility-normalised, in lower case; hyphens are taken out of the text before, since both
  parsers guess which of them were printed only at the ends of lines.
- 5-grams: share of the runs of five such words that are also a run of five in the embedded parser's running text.
- order: of the 5-grams that occur once on both sides, taken in GROBID's order, the share in the longest subsequence
  that stands in the same order in the embedded parser's text.
- formulas, tables, references: counts, embedded / GROBID.
"""

from __future__ import annotations

import argparse
import difflib
import re
import time
import unicodedata
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pypdfium2
from lxml import etree
from measured import heading

from paper2code_local.artifacts.paper import Figure, Formula, Paper, Paragraph, Table
from paper2code_local.stages.s1_parse.pdf import paper_of_pdf
from paper2code_local.stages.s1_parse.tei import paper_of_tei
from paper2code_local.stages.s1_parse.tei_document import tei_root

GRAM = 5
_ALIKE = 0.9
_COLUMNS = (
    "paper", "pages", "ms/page", "headings", "recall", "precision", "numbered recall", "numbered precision",
    "words", "5-grams", "order", "formulas", "tables", "references",
)  # fmt: skip
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """How many headings agree, of how many there and here."""

    found: int
    expected: int
    given: int

    @property
    def recall(self) -> float:
        """Share of GROBID's headings that were found."""
        return self.found / self.expected if self.expected else 1.0

    @property
    def precision(self) -> float:
        """Share of the embedded parser's headings that are GROBID's too."""
        return self.found / self.given if self.given else 1.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured on one pair."""

    name: str
    pages: int
    milliseconds: float
    all: Match
    numbered: Match
    words: float
    grams: float
    order: float
    counts: tuple[str, str, str]

    def row(self) -> Row:
        """Return the cells of the table."""
        return (
            self.name,
            str(self.pages),
            f"{self.milliseconds:.0f}",
            f"{self.all.given} / {self.all.expected}",
            *(f"{m:.2f}" for match in (self.all, self.numbered) for m in (match.recall, match.precision)),
            *(f"{share:.3f}" for share in (self.words, self.grams, self.order)),
            *self.counts,
        )


def main() -> None:
    """Measure every pair of the folder and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, metavar="FILE", help="append the table to this Markdown file")
    asked = parser.parse_args()
    pairs = [(pdf, pdf.with_suffix(".tei.xml")) for pdf in sorted(asked.folder.glob("*.pdf"))]
    measured = [measure(pdf, tei) for pdf, tei in pairs if tei.is_file()]
    if not measured:
        parser.error(f"{asked.folder} holds no NAME.pdf with a NAME.tei.xml")
    said = section(measured)
    print(said)
    if asked.out:
        with asked.out.open("a", encoding="utf-8") as out:
            out.write(said)


def measure(pdf: Path, tei: Path) -> Measured:
    """Read one PDF and compare what was understood with its TEI."""
    data, root = pdf.read_bytes(), tei.read_bytes()
    paper, grobid = paper_of_pdf(data), paper_of_tei(root)
    pages = len(pypdfium2.PdfDocument(data))
    took = []
    for _ in range(3):
        began = time.process_time()
        paper_of_pdf(data)
        took.append(time.process_time() - began)
    expected = words(body_text(root))
    ours = words(running_text(paper))
    theirs_grams, our_grams = Counter(grams(expected)), Counter(grams(ours))
    heads, given = heads_of(root), [(s.number, s.heading) for s in paper.sections if s.heading]
    return Measured(
        name=pdf.stem,
        pages=pages,
        milliseconds=1000 * median(took) / pages,
        all=matched([text for _, text in heads], [text for _, text in given]),
        numbered=matched([text for n, text in heads if n], [text for n, text in given if n]),
        words=shared(Counter(expected), Counter(words(whole_text(paper)))),
        grams=shared(theirs_grams, our_grams),
        order=order(expected, ours),
        counts=(
            f"{len(paper.formulas())} / {len(grobid.formulas())}",
            f"{len(paper.tables())} / {len(grobid.tables())}",
            f"{len(paper.references)} / {len(grobid.references)}",
        ),
    )


def heads_of(tei: bytes) -> list[tuple[str, str]]:
    """Return number and text of the headings in the body; where `@n` is missing the number may stand in the text."""
    heads = []
    for head in tei_root(tei).iterfind(".//{*}body/{*}div/{*}head"):
        text = " ".join("".join(map(str, head.itertext())).split())
        leading = re.match(r"((?:\d+|[A-Z])(?:\.\d+)*|[IVX]+)\.?\s+(?=\S)", text)
        number = head.get("n") or (leading[1] if leading else "")
        heads.append((number, text[leading.end() :] if leading and not head.get("n") else text))
    return [(n, text) for n, text in heads if letters(text) and letters(text) != "references"]


def matched(expected: list[str], given: list[str]) -> Match:
    """Pair headings that agree; each is used once."""
    left = [letters(text) for text in given]
    found = 0
    for text in map(letters, expected):
        near = difflib.get_close_matches(text, left, n=1, cutoff=_ALIKE)
        if near:
            left.remove(near[0])
            found += 1
    return Match(found, len(expected), len(given))


def letters(text: str) -> str:
    """Return a heading without case, spaces and punctuation."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).lower() if c.isalnum())


def body_text(tei: bytes) -> str:
    """Return the paragraphs of GROBID's body, without formulas and floats."""
    parts: list[str] = []

    def collect(element: etree._Element, inside: bool) -> None:
        name = etree.QName(element).localname if isinstance(element.tag, str) else ""
        if name in ("formula", "figure", "note", ""):
            return
        inside = inside or name == "p"
        if inside:
            parts.append(element.text or "")
        for child in element:
            collect(child, inside)
            if inside:
                parts.append(child.tail or "")
        if name == "p":
            parts.append("\n")

    for body in tei_root(tei).iter("{*}body"):
        collect(body, False)
    return "".join(parts)


def running_text(paper: Paper) -> str:
    """Return the paragraphs in reading order."""
    return "\n".join(b.text for s in paper.sections for b in s.blocks if isinstance(b, Paragraph))


def whole_text(paper: Paper) -> str:
    """Return everything that the embedded parser kept."""
    parts = [paper.title, *paper.authors, paper.abstract]
    for section_ in paper.sections:
        parts += [section_.number, section_.heading]
        for block in section_.blocks:
            match block:
                case Paragraph() | Formula():
                    parts.append(block.text)
                case Figure():
                    parts += [block.label, block.caption, block.text]
                case Table():
                    parts += [block.label, block.caption, *(cell for row in block.rows for cell in row), block.note]
    parts += [note.text for note in paper.footnotes] + [reference.text for reference in paper.references]
    return "\n".join(parts)


def words(text: str) -> list[str]:
    """Return the words of a text, see above."""
    plain = re.sub(r"(?<=\w)[-‐‑–]\s?(?=\w)|\u00ad", "", unicodedata.normalize("NFKC", text).lower())
    return [w for w in re.findall(r"[^\W_]+", plain) if len(w) > 1]


def grams(found: list[str]) -> list[tuple[str, ...]]:
    """Return every run of five words."""
    return [tuple(found[i : i + GRAM]) for i in range(len(found) - GRAM + 1)]


def shared(expected: Counter[Any], given: Counter[Any]) -> float:
    """Return the share of a multiset that is in another."""
    return (expected & given).total() / max(1, expected.total())


def order(expected: list[str], given: list[str]) -> float:
    """Return the share of matched 5-grams that stand in the same order on both sides."""
    theirs, ours = grams(expected), grams(given)
    often, ours_often = Counter(theirs), Counter(ours)
    place = {gram: i for i, gram in enumerate(ours) if ours_often[gram] == 1}
    places = [place[gram] for gram in theirs if often[gram] == 1 and gram in place]
    tails: list[int] = []
    for at in places:
        k = bisect_left(tails, at)
        tails[k : k + 1] = [at]
    return len(tails) / len(places) if places else 0.0


def section(measured: list[Measured]) -> str:
    """Return the table as a dated section of Markdown."""
    rows = [_COLUMNS, ("---",) * len(_COLUMNS), *(m.row() for m in measured), total(measured)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{heading('the embedded PDF parser against GROBID')}{table}\n"


def total(measured: list[Measured]) -> Row:
    """Return the last row: headings pooled, everything else as the mean of the papers."""

    def mean(values: list[float]) -> float:
        return sum(values) / len(values)

    every, numbered = (
        Match(sum(m.found for m in part), sum(m.expected for m in part), sum(m.given for m in part))
        for part in ([m.all for m in measured], [m.numbered for m in measured])
    )
    return (
        "all",
        str(sum(m.pages for m in measured)),
        f"{sum(m.milliseconds * m.pages for m in measured) / sum(m.pages for m in measured):.0f}",
        f"{every.given} / {every.expected}",
        *(f"{share:.2f}" for match in (every, numbered) for share in (match.recall, match.precision)),
        f"{mean([m.words for m in measured]):.3f}",
        f"{mean([m.grams for m in measured]):.3f}",
        f"{mean([m.order for m in measured]):.3f}",
        "",
        "",
        "",
    )


if __name__ == "__main__":
    main()
