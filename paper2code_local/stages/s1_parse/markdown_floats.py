"""Captions find their images, tables and algorithms.

In: the blocks of a document. Out: the same with each caption and what it describes as one `Float`. Must not know how
Markdown writes any of them, nor what label and caption are: that is `floats`.

Converters put captions above or below, with or without a mark behind the number ("Table 2 Terms" stands above a table,
"Table 2 shows" does not).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from paper2code_local.stages.s1_parse.floats import LABEL
from paper2code_local.stages.s1_parse.found import Float
from paper2code_local.stages.s1_parse.markdown_blocks import Code, Grid, Heading, Image, RawBlock, Text

Joined = Heading | Text | Code | Float
"""What is left beside formulas."""

_MARKED = re.compile(r"\s*[.:|—–-]\s*\S")
_LONGEST = 3_000
"""Characters of a caption; above it is a paragraph."""
_SUBCAPTION = re.compile(r"\([a-z]\)")
_STEP = re.compile(
    r"(?:\d{1,3}\s*[:.]|[•\-]|(?:Require|Ensure|Input|Output|Initiali[sz]e|Parameters?|Data|Result)\b|"
    r"(?:for|while|if|else|repeat|until|return|end|procedure|function)\b)",
    re.IGNORECASE,
)


@dataclass
class _Slot:
    """A block on its way: `label` is set where it begins like a caption."""

    block: RawBlock
    label: re.Match[str] | None = None
    is_marked: bool = False
    is_taken: bool = False

    @property
    def kind(self) -> str:
        return self.label["word"][:3].casefold() if self.label and not self.is_taken else ""


def join_floats(blocks: Sequence[RawBlock]) -> list[RawBlock | Float]:
    """Put captions and what they describe together, where the image, table or algorithm stood."""
    slots = [_slot(block) for block in blocks]
    joined: list[RawBlock | Float | None] = [slot.block for slot in slots]
    for i, slot in enumerate(slots):
        if slot.kind == "alg":
            _algorithm(slots, joined, i)
    for i, slot in enumerate(slots):
        if isinstance(slot.block, Grid):
            above, below = _caption(slots, i - 1), _caption(slots, i + 1)
            caption = above if above is not None and slots[above].kind == "tab" else below
            caption = caption if caption is not None and slots[caption].kind in ("tab", "alg") else None
            joined[i] = Float(True, "", "", "", _take(slots, joined, caption), slot.block.note, slot.block.rows, "")
        elif isinstance(slot.block, Image) and not slot.is_taken:
            _image(slots, joined, i)
    for i, slot in enumerate(slots):
        if slot.kind and slot.is_marked and slot.kind != "alg":
            joined[i] = Float(slot.kind == "tab", "", "", "", _take(slots, joined, i), "", [], "")
    return [block for block in joined if block is not None]


def _slot(block: RawBlock) -> _Slot:
    if not isinstance(block, Text | Heading) or len(block.text) > _LONGEST or getattr(block, "is_item", False):
        return _Slot(block)
    label = LABEL.match(block.text)
    if label is None:
        return _Slot(block)
    rest = block.text[label.end("number") :]
    is_marked = bool(_MARKED.match(rest)) or not rest.strip(" .:")
    names = is_marked or (rest[:1].isspace() and not rest.lstrip()[:1].islower())
    return _Slot(block, label, is_marked) if names else _Slot(block)


def _caption(slots: Sequence[_Slot], i: int) -> int | None:
    return i if 0 <= i < len(slots) and slots[i].kind else None


def _take(slots: Sequence[_Slot], joined: list[RawBlock | Float | None], i: int | None) -> str:
    """Return the caption in slot `i`, which is then used."""
    if i is None:
        return ""
    slots[i].is_taken, joined[i] = True, None
    block = slots[i].block
    return " ".join(block.text.split()) if isinstance(block, Text | Heading) else ""


def _image(slots: Sequence[_Slot], joined: list[RawBlock | Float | None], i: int) -> None:
    """Make one float of an image, those that follow it, and the caption of them all."""
    parts = [i]
    while parts[-1] + 1 < len(slots) and _is_part(slots[parts[-1] + 1].block):
        parts.append(parts[-1] + 1)
    texts = [b.alt if isinstance(b, Image) else b.text for k in parts if isinstance(b := slots[k].block, Image | Text)]
    above, below = _caption(slots, i - 1), _caption(slots, parts[-1] + 1)
    first = slots[i].block
    above_first = isinstance(first, Image) and first.is_placeholder
    caption = next((c for c in ((above, below) if above_first else (below, above)) if c is not None), None)
    is_table = caption is not None and slots[caption].kind == "tab"
    for k in parts:
        slots[k].is_taken, joined[k] = True, None
    said = _take(slots, joined, caption)
    text = " ".join(" ".join(texts).split())
    if not said and LABEL.match(text):
        said, text = text, ""
    if said or text:  # an image without a word, a logo say, has nothing to read
        joined[i] = Float(is_table, "", "", "", said, "", [], text)


def _is_part(block: RawBlock) -> bool:
    """Tell another image of the same figure, or the line below one: "(a) Before"."""
    is_line = isinstance(block, Text) and len(block.text) < 100 and bool(_SUBCAPTION.match(block.text))
    return is_line or isinstance(block, Image)


def _algorithm(slots: Sequence[_Slot], joined: list[RawBlock | Float | None], i: int) -> None:
    """Make one float of an algorithm's caption and the steps below it."""
    block = slots[i].block
    assert isinstance(block, Text | Heading), "only texts have labels"
    caption, _, steps = block.text.partition("\n")
    lines, k = [steps] if steps else [], i + 1
    while k < len(slots) and _is_step(slots[k].block):
        step = slots[k].block
        lines.append(step.text if isinstance(step, Text | Code) else "")
        k += 1
    if not lines and (caption.rstrip().endswith(".") or not slots[i].is_marked):
        slots[i].label = None
        return
    for taken in range(i, k):
        slots[taken].is_taken, joined[taken] = True, None
    joined[i] = Float(False, "", "", "", " ".join(caption.split()), "", [], "\n".join(lines))


def _is_step(block: RawBlock) -> bool:
    return isinstance(block, Code) or (isinstance(block, Text) and (block.is_item or bool(_STEP.match(block.text))))
