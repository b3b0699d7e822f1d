"""config.yaml: typed values, each with the section it is said to come from, and whether it is really there."""

from __future__ import annotations

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
from paper2code_local.stages.s2_plan.stated import lines_of, stated
from paper2code_local.stages.s2_plan.values import stands_in, tidy

ASSUMPTION = "assumption"
SPELLED_OUT = 16
"""Settings that are taken from the paper's own lines, at most, times the scale of answers."""
SEED = ConfigValue(key="seed", value=0, section="", origin="assumed")
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,30}$", examples=["lr", "epochs", "dim", "dataset"])]
_PLAIN = r"-?[0-9]{1,9}(\.[0-9]{1,9})?(e-?[0-9]{1,2})?"
_NUMBERS = rf"{_PLAIN}(, {_PLAIN}){{0,4}}"
Numbers = Annotated[str, Field(pattern=rf"^{_NUMBERS}$", max_length=40, examples=["0.1", "32", "1e-5"])]
"""A number, or a few of them."""
Value = Annotated[
    str,
    Field(
        pattern=rf"^({_NUMBERS}|[A-Za-z][A-Za-z0-9 ,._/+()-]{{0,39}})$",
        max_length=40,
        examples=["0.1", "32", "1e-5", "true", "synthetic"],
    ),
]
"""A number, a few of them, or words: always said as text, as a grammar sets no end to the digits of a JSON number."""


@dataclass(frozen=True)
class Config:
    """The values of config.yaml."""

    values: tuple[ConfigValue, ...]
    findings: tuple[Finding, ...]


def answer_type(sections: Sequence[str], scale: float) -> type[Answer]:
    """Return the answer type; `sections` are the headings that the paper has."""
    item = fields("ValueAnswer", key=Key, value=Value, section=choice((*sections, ASSUMPTION)))
    answer: type[Answer] = fields("ConfigAnswer", values=several(item, 8 * scale, 1))
    return answer


async def config_of(paper: Paper, text: PaperText, asker: Asker, scale: float) -> Config:
    """Take the settings that lines of the paper spell out, then ask for the rest; a seed is always there.

    What a line spells out is traced by construction; what the model says is looked up in the section that it names.
    """
    values = {"seed": SEED}
    for line in lines_of(paper):
        for key, value in line.settings():
            if values.get(key, SEED) is SEED and len(values) <= SPELLED_OUT * scale:
                values[key] = ConfigValue(key=key, value=value, section=line.section, origin="traced")
    kind = answer_type(tuple(text.sections), scale)
    asked = prompt(__package__, "config.md", lines=stated(paper))
    answer = await asker.ask(Question("plan.config", asked, kind, int(700 * scale)))
    if isinstance(answer, Unanswered):
        missing = mended("config.yaml", f"no further settings were given ({answer.reason})")
        return Config(tuple(values.values()), (missing,))
    sections = {s.id: section_text(s) for s in paper.sections}
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


def _untraced(key: str, value: object, section: str) -> Finding:
    return Finding(
        code="P2C502",
        severity="warning",
        path="config.yaml",
        line=0,
        message=f'{key} = {value!r} is said to come from section "{section}", where it was not found',
        hint="Compare it with the paper and correct config.yaml.",
    )
