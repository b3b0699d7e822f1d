"""From paths to one Paper: the parser that fits, supplements, the digest of it all."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from paper2code_local.errors import InputError
from paper2code_local.stages.s1_parse import digest, parse
from tests.pdf_writer import Sheet, pdf
from tests.tei_fixtures import tei

NOWHERE = "http://127.0.0.1:9"
SHEET = Sheet()
SHEET.heading("1 Heat")
SHEET.text("We cool a softmax while we train it. " * 9)
KINDS = {
    "markdown": b"# 1 Heat\n\nWe heat.\n",
    "tei": tei('<div><head n="1">Heat</head><p>We heat.</p></div>'),
    "s2orc": json.dumps(
        {"pdf_parse": {"body_text": [{"text": "We heat.", "section": "Heat", "sec_num": "1"}]}}
    ).encode(),
    "latex": b"\\documentclass{article}\\begin{document}\\section{Heat} We heat.\\end{document}",
    "pdf": pdf(SHEET),
}


class Told(list[str]):
    def __call__(self, text: str) -> None:
        self.append(text)


@pytest.mark.thorough
async def test_a_paper_and_supplements_of_every_kind_whatever_their_names(tmp_path: Path) -> None:
    for kind in KINDS:
        (tmp_path / f"{kind}.bin").write_bytes(KINDS[kind])
    told = Told()
    paper, *supplements = [tmp_path / f"{kind}.bin" for kind in KINDS]
    joined = await parse(paper, "markdown", NOWHERE, None, told, supplements)
    assert joined.parser == "markdown"
    assert [s.heading for s in joined.sections if s.number == "1"] == ["Heat"] * 5
    assert [s.part for s in joined.sections] == ["body", *["appendix"] * (len(joined.sections) - 1)]
    assert {w.partition(":")[0] for w in joined.warnings} >= {path.name for path in supplements}
    assert len(told) == 1


async def test_a_supplement_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "paper.md").write_bytes(KINDS["markdown"])
    (tmp_path / "more.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InputError, match=r"more\.png is a PNG image"):
        await parse(tmp_path / "paper.md", "auto", NOWHERE, None, Told(), [tmp_path / "more.png"])


def test_the_digest_covers_the_paper_and_its_supplements_in_their_order(tmp_path: Path) -> None:
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    for path in (one, two, three):
        path.write_text(path.name)
    assert digest(one) == hashlib.sha256(b"one").hexdigest()
    assert (
        len({digest(one), digest(one, [two]), digest(one, [three]), digest(one, [two, three]), digest(two, [one])}) == 5
    )
    two.write_text("changed")
    before = digest(one, [two])
    two.write_text("two")
    assert before != digest(one, [two])
