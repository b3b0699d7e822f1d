"""config.yaml: typed values, each with the section it is said to come from, and whether it is really there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import Annotated, Literal

from pydantic import Field

from paper2code_local.artifacts.answers import Answer, choice, fields, mended, several
from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.paper import Paper
from paper2code_local.artifacts.plan import ConfigValue
from paper2code_local.asking import Asker, Question, Unanswered, prompt
from paper2code_local.prefix import PaperText, section_text
from paper2code_local.stages.s2_plan.stated import stated

ASSUMPTION = "assumption"
SEED = ConfigValue(key="seed", value=0, section="", origin="assumed")
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,30}$", examples=["lr", "epochs", "dim", "dataset"])]
_PLAIN = r"-?[0-9]{1,9}(\.[0-9]{1,9})?(e-?[0-9]{1,2})?"
Value = Annotated[
    str,
    Field(
        pattern=rf"^({_PLAIN}(, {_PLAIN}){{0,4}}|[A-Za-z][A-Za-z0-9 ,._/+()-]{{0,39}})$",
        max_length=40,
        examples=["0.1", "32", "1e-5", "true", "synthetic"],
    ),
]
"""A number, a few of them, or words: always said as text, as a grammar sets no end to the digits of a JSON number."""
_MINUS = str.maketrans({"−": "-", "–": "-", "‐": "-", "×": "x", "·": "x"})
_NUMBER = re.compile(
    r"(?<![\w.])(?P<mantissa>-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\d*\.?\d+)"
    r"(?:[eE](?P<e>[-+]?\d+)|\s*(?:x|\\times|\\cdot)\s*10\s*\^?\s*\{?\s*(?P<p>-?\s*\d+)\s*\}?)?(?P<unit>\s*%|[kKM]\b)?"
)
_POWER = re.compile(r"(?<![\w.])10\s*(?:\^\s*\{?\s*)?(-\s*\d+)")
_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_UNITS = {"%": 0.01, "k": 1e3, "K": 1e3, "M": 1e6}


@dataclass(frozen=True)
class Config:
    """The values of config.yaml."""

    values: tuple[ConfigValue, ...]
    findings: tuple[Finding, ...]


def answer_type(sections: Sequence[str], scale: float) -> type[Answer]:
    """Return the answer type; `sections` are the headings that the paper has."""
    item = fields("ValueAnswer", key=Key, value=Value, section=choice((*sections, ASSUMPTION)))
    answer: type[Answer] = fields("ConfigAnswer", values=several(item, 12 * scale, 1))
    return answer


async def config_of(paper: Paper, text: PaperText, asker: Asker, scale: float) -> Config:
    """Ask for the settings and look each value up in the section it names; a seed is always there."""
    kind = answer_type(tuple(text.sections), scale)
    answer = await asker.ask(
        Question("plan.config", prompt(__package__, "config.md", stated=stated(paper)), kind, int(900 * scale))
    )
    if isinstance(answer, Unanswered):
        return Config(
            (SEED,), (mended("config.yaml", f"no settings were given ({answer.reason}); only a seed is there"),)
        )
    sections = {s.id: section_text(s) for s in paper.sections}
    values = {"seed": SEED}
    findings = []
    for said in answer.model_dump()["values"]:
        key, value, section = said["key"], tidy(said["value"]), text.sections.get(said["section"], "")
        stated_seed = values.get(key) is SEED and bool(section)
        if (key in values and not stated_seed) or iskeyword(key):
            continue
        origin: Literal["traced", "untraced", "assumed"] = "assumed"
        if section:
            section = home(value, key, section, sections)
            origin = "traced" if stands_in(value, key, sections[section]) else "untraced"
        if origin == "untraced":
            findings.append(_untraced(key, value, said["section"]))
        values[key] = ConfigValue(key=key, value=value, section=section, origin=origin)
    return Config(tuple(values.values()), tuple(findings))


def home(value: bool | int | float | str, key: str, named: str, sections: Mapping[str, str]) -> str:
    """Return the section that states `value`: the one that the model names, or else the one that speaks of `key` most.

    `sections` maps ids to texts. A section that has the value but no word of the key is no source.
    """
    if stands_in(value, key, sections[named]):
        return named
    words = [word for word in key.split("_") if len(word) > 3]
    spoken = {i: sum(w in text.lower() for w in words) for i, text in sections.items() if stands_in(value, key, text)}
    best = max(spoken, key=lambda i: spoken[i], default=named)
    return best if spoken.get(best) else named


def tidy(said: str) -> bool | int | float | str:
    """Return a text that spells a number or a truth value as that value: "1e-5" → 0.00001."""
    word = said.strip()
    if word.lower() in {"true", "false"}:
        return word.lower() == "true"
    for read in (int, float):
        try:
            number = read(word)
        except ValueError:
            continue
        return number if number == number and abs(number) != float("inf") else word
    return word


def stands_in(value: bool | int | float | str, key: str, text: str) -> bool:
    """Tell whether `text` states `value`: a number in any usual spelling, a word, a switch's key."""
    plain = text.translate(_MINUS)
    if isinstance(value, bool):
        return all(word in plain.lower() for word in key.split("_"))
    if isinstance(value, str):
        return re.sub(r"[\W_]+", "", value.lower()) in re.sub(r"[\W_]+", "", plain.lower())
    return any(abs(number - value) <= 1e-9 * max(1.0, abs(value)) for number in numbers(plain))


def numbers(text: str) -> set[float]:
    """Return the numbers that `text` states: 32,000, 1e-3, 2 x 10^-5, 10 −3, 10% (as 10 and 0.1), 5k, three."""
    found: set[float] = set()
    for match in _NUMBER.finditer(text):
        number = float(match["mantissa"].replace(",", ""))
        exponent = match["e"] or match["p"]
        if exponent and len(exponent.strip("+- ")) <= 2:
            number *= 10.0 ** int(exponent.replace(" ", ""))
        found.add(round(number, 12))
        if unit := (match["unit"] or "").strip():
            found.add(round(number * _UNITS[unit], 12))
    found.update(float(n) for n, word in enumerate(_WORDS) if re.search(rf"\b{word}\b", text, re.I))
    found.update(10.0 ** int(p.replace(" ", "")) for p in _POWER.findall(text) if len(p.strip("- ")) <= 2)
    return found


def _untraced(key: str, value: object, section: str) -> Finding:
    return Finding(
        code="P2C502",
        severity="warning",
        path="config.yaml",
        line=0,
        message=f'{key} = {value!r} is said to come from section "{section}", where it was not found',
        hint="Compare it with the paper and correct config.yaml.",
    )
