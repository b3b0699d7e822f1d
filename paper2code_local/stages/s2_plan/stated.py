"""The lines of a paper that state settings, and what they spell out: "a batch size of 32" needs no model.

In: a `Paper`. Out: lines with the section each stands in. Must not know what is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from paper2code_local.artifacts.paper import Paper, Paragraph, Section, Table
from paper2code_local.prefix import RELATED
from paper2code_local.stages.s2_plan.values import numerals, tidy

MOST, LONGEST = 14, 260
"""Lines, and characters of one."""
WORDS = re.compile(
    r"\b(learning[- ]rates?|lr|(mini-?)?batch(es| size)?|epochs?|iterations?|(warm-?up|training|gradient|time)? ?steps?"
    r"|optimi[sz]ers?|adam\w*|sgd|momentum|(weight )?decay|drop-?out|clip(ping|ped)?|patience|smoothing|seeds?|GPUs?"
    r"|hidden|layers?|heads?|dim(ension(s|al)?)?|embeddings?|kernel|stride|channels?|units|rank|initiali[sz]\w+"
    r"|temperature|threshold|margin|window|beams?|coefficients?|penalty|weighted|hyper-?parameters?"
    r"|samples?|folds?|shots?|splits?|data ?sets?|vocabulary|tokens?|sequences?|resolution|trained (on|for|with))\b"
    r"|[αβγδεηλμρστ]|\\(alpha|beta|gamma|delta|epsilon|eta|lambda|mu|rho|sigma|tau)\b",
    re.I,
)
"""What settings are called in papers on machine learning."""
_SENTENCE = re.compile(r"(?<=[.!?;])(?<!al\.)(?<!Fig\.)(?<!Eq\.)\s+(?=[A-Z(])")
_CITATION = re.compile(r"\[[\d,;\s–-]+\]|\([^()]*\b(19|20)\d\d[a-z]?[^()]*\)|\b(19|20)\d\d[a-z]?\b")
_SETTING = (
    r"learning[- ]rates?|lr|(?:mini-?)?batch[- ]sizes?|group size|beam size|window(?: size)?|folds|random seed"
    r"|(?:(?:update|training|warm-?up|gradient|time)[- ])?steps|epochs?|iterations?|momentum|weight decay|drop-?out"
    r"|label smoothing|patience|temperature|margin|threshold|rank|layers|(?:attention )?heads"
    r"|(?:hidden|embedding) (?:size|dim(?:ension)?|units)"
)
_GREEK = r"[αβγδεϵηλμστ]|\\(?:alpha|beta|gamma|delta|epsilon|eta|lambda|mu|sigma|tau)\b"
_POWER = r"10\s*\^?\s*\{?\s*[−–-]\s*\d+\}?"
_SCALE = r"(?:\s*[×x·]\s*(?:e|10)\s*\^?\s*[−–-]\s*\d+|\s*e\s*[−–-]?\d+)?(?:[kKM]\b)?"
_DIGITS = rf"\$?(?P<number>{_POWER}|-?\d+(?:[.,]\d+)*{_SCALE})"
_LINK = (
    r"(?:\s+(?:rate|factor|size|value|coefficient))?(?:\s*\$?[A-Za-zα-ω]\$?)?\s*(?:is set to|set to|of|is|to|=|:|\|)\s*"
)
_NAMED_FIRST = re.compile(rf"(?:(?<![\w-])(?P<word>{_SETTING})\b{_LINK}|(?P<greek>{_GREEK})\s*=\s*){_DIGITS}", re.I)
_NUMBER_FIRST = re.compile(
    rf"(?<![\w.])(?<![=×]\s){_DIGITS}[- ](?:[a-z]+ )?"
    r"(?P<word>epochs?|steps|iterations|layers|(?:attention )?heads|folds)\b",
    re.I,
)
_ROW = re.compile(rf"(?P<label>[A-Za-z][A-Za-z -]{{2,40}}(?: [α-ωϵ])?) \| {_DIGITS}\$?")
"""A row of a table of settings."""
_SYMBOL = re.compile(r" \S$")
KEYS = {
    "lr": "learning_rate",
    "learning_rates": "learning_rate",
    "batch_sizes": "batch_size",
    "minibatch_size": "batch_size",
    "mini_batch_size": "batch_size",
    "epoch": "epochs",
    "iteration": "iterations",
    "drop_out": "dropout",
    "random_seed": "seed",
    "warm_up_steps": "warmup_steps",
    "attention_heads": "heads",
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "δ": "delta",
    "ε": "epsilon",
    "ϵ": "epsilon",
    "η": "eta",
    "λ": "lambda_",
    "lambda": "lambda_",
    "μ": "mu",
    "ρ": "rho",
    "σ": "sigma",
    "τ": "tau",
}
"""What papers write → what code says, where they differ."""
_NEAR = 24
"""Characters between a word and its number at most."""


@dataclass(frozen=True)
class Stated:
    """A line and the section that it stands in."""

    section: str
    """Its id."""
    heading: str
    text: str

    def settings(self) -> tuple[tuple[str, bool | int | float | str], ...]:
        """Return (key, value) of what the line spells out: "dropout of 0.1", "α = 32", "Hidden width h | 64"."""
        if row := _ROW.fullmatch(self.text):
            label = _SYMBOL.sub("", row["label"])
            return ((key_of(label), tidy(numerals(row["number"])[0])),) if WORDS.search(label) else ()
        plain = _CITATION.sub(lambda cited: " " * len(cited.group()), self.text)
        found = [(m.start(), m["word"] or m["greek"], m["number"]) for m in _NAMED_FIRST.finditer(plain)]
        found += [(m.start(), m["word"], m["number"]) for m in _NUMBER_FIRST.finditer(plain)]
        return tuple((key_of(word), tidy(numerals(number)[0])) for _, word, number in sorted(found) if numerals(number))


def key_of(word: str) -> str:
    """Return the key of config.yaml for a setting as papers call it: "Learning rate" → "learning_rate"."""
    plain = re.sub(r"[\s-]+", "_", word.strip().lower().lstrip("\\"))
    return KEYS.get(plain, plain)


def stated(paper: Paper) -> tuple[Stated, ...]:
    """Return the `MOST` lines that give most settings a number, in reading order."""
    found = [(settings(line.text), line) for line in lines_of(paper)]
    best = sorted((i for i, (count, _) in enumerate(found) if count), key=lambda i: -found[i][0])[:MOST]
    return tuple(found[i][1] for i in sorted(best))


def lines_of(paper: Paper) -> tuple[Stated, ...]:
    """Return every sentence and narrow row of the paper's own work, in reading order."""
    sections = (s for s in paper.sections if s.part in ("body", "appendix") and not RELATED.match(s.heading))
    return tuple(line for section in sections for line in _lines(section))


def settings(text: str) -> int:
    """Count the settings that `text` names with a number close by; years and citations are no numbers."""
    plain = _CITATION.sub(" ", text)
    named = {m.group().lower() for m in WORDS.finditer(plain) if _has_number(plain, m.start(), m.end())}
    return len(named)


def _has_number(text: str, start: int, end: int) -> bool:
    around = text[max(0, start - _NEAR) : start] + " " + text[end : end + _NEAR]
    return any(c.isdigit() for c in around)


def _lines(section: Section) -> Iterator[Stated]:
    for block in section.blocks:
        match block:
            case Paragraph():
                pieces = _SENTENCE.split(block.text)
            case Table():
                pieces = [" | ".join(filter(None, row)) for row in block.rows if len(row) <= 4]
            case _:
                pieces = []
        yield from (Stated(section.id, section.heading, piece.strip()[:LONGEST]) for piece in pieces)
