"""An engine that always gives the longest answer that the schema allows, and what it was asked.

Run through the stages it meets every question of ours, each as large as earlier answers can make it.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import repeat
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

from paper2code_local.artifacts.paper import Formula, Paper, Paragraph, Section
from paper2code_local.asking import Asker
from paper2code_local.engine.protocol import Completion, Request, Tokenizer
from paper2code_local.engine.scripted import ScriptedEngine
from paper2code_local.modelstore.card import Sampling
from paper2code_local.prefix import paper_text, plan_texts
from paper2code_local.stages.s2_plan import make_plan
from paper2code_local.stages.s3_analyse import analyse

WORDS = re.findall(
    r"\w+",
    "calibration entropy gradient average posterior estimate confidence sampling threshold objective normalised the "
    "variance temperature reward advantage baseline of encoder attention embedding residual dropout schedule each "
    "momentum penalty regularised parameter distribution evaluation between probability prediction accuracy answer",
)
SAMPLING = Sampling(temperature=0.2, top_p=0.95, repetition_penalty=1.0)
SHRINKING = 60


class LongestEngine:
    """Satisfies `Engine`; `said` is every request with its answer."""

    model = "longest"
    can_prefill = True

    def __init__(self) -> None:
        self.said: list[tuple[Request, str]] = []
        self._random = random.Random(0)

    async def complete(self, request: Request) -> Completion:
        assert request.answer_schema is not None
        value = self._longest(request.answer_schema, request.answer_schema.get("$defs", {}))
        text = json.dumps(value, separators=(",", ":"))  # as the grammar backend without whitespace
        self.said.append((request, text))
        return Completion(text=text, finish="stop", prompt_tokens=0, cached_tokens=0, completion_tokens=0, seconds=0.0)

    async def close(self) -> None:
        """Nothing to release."""

    def _longest(self, schema: Any, definitions: Any) -> Any:
        if "$ref" in schema:
            return self._longest(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return max(schema["enum"], key=len)
        if "anyOf" in schema:
            return max((self._longest(s, definitions) for s in schema["anyOf"]), key=lambda v: len(json.dumps(v)))
        match schema["type"]:
            case "object":
                assert schema["additionalProperties"] is False
                assert set(schema["required"]) == set(schema["properties"]), "every field is required"
                return {name: self._longest(part, definitions) for name, part in schema["properties"].items()}
            case "array":
                return [self._longest(schema["items"], definitions) for _ in range(schema["maxItems"])]
            case "string" if "pattern" in schema:
                return longest_match(schema["pattern"], schema.get("maxLength", 10**6), self._letters())
            case "string":
                return "".join(c for c, _ in zip(self._letters()(" "), range(schema["maxLength"]), strict=False))
            case "boolean":
                return False
        raise AssertionError(f"nothing bounds {schema}")

    def _letters(self) -> Callable[[str], Iterator[str]]:
        """Return a function from a separator to an endless text of words, the same on each call."""
        words = self._random.sample(WORDS, len(WORDS))
        return lambda separator: (letter for _ in iter(int, 1) for word in words for letter in word + separator)


def longest_match(pattern: str, limit: int, letters: Callable[[str], Iterator[str]]) -> str:
    """Return about the longest text of at most `limit` characters that `pattern` matches, made of words."""
    text = _match(_parser.parse(pattern), letters("_"), _shrinking(pattern, limit))
    assert re.fullmatch(pattern, text)
    return text


@cache
def _shrinking(pattern: str, limit: int) -> int:
    """Return by how many steps the repetitions of `pattern` must shrink, of SHRINKING to their least number."""
    tree = _parser.parse(pattern)
    fits = (n for n in range(SHRINKING + 1) if len(_match(tree, repeat("a"), n)) <= limit)
    found = next(fits, None)
    assert found is not None, f"{pattern} matches nothing of {limit} characters"
    return found


def _match(tree: Any, letters: Iterator[str], shrink: int) -> str:
    text = ""
    for kind, value in tree:
        if kind is op.LITERAL:
            text += chr(value)
        elif kind is op.IN:
            text += _member(value, next(letters))
        elif kind is op.MAX_REPEAT:
            low, high, part = value
            assert high is not op.MAXREPEAT, "a pattern without an end"
            for _ in range(low + (high - low) * (SHRINKING - shrink) // SHRINKING):
                text += _match(part, letters, shrink)
        elif kind is op.SUBPATTERN:
            text += _match(value[-1], letters, shrink)
        elif kind is op.BRANCH:
            text += max((_match(part, letters, shrink) for part in value[1]), key=len)
        else:
            assert kind is op.AT, kind
    return text


def _member(members: Any, letter: str) -> str:
    ranges = [value if kind is op.RANGE else (value, value) for kind, value in members]
    wanted = next((c for c in (letter, letter.upper()) if any(a <= ord(c) <= b for a, b in ranges)), None)
    return wanted or chr(ranges[0][0])


def small_paper() -> Paper:
    """Return a paper with as many sections and formulas as a long one, and few words."""
    sections = tuple(
        Section(
            id=f"s{i}",
            number=str(i),
            heading=f"Part {i}",
            level=1,
            part="body",
            blocks=(
                Paragraph(text=f"Part {i} sets the rate to 0.{i} and averages {i * 8} samples."),
                Formula(id=f"eq{i}", label=f"({i})", text=f"y = {i} x"),
            ),
            chars=0,
        )
        for i in range(1, 31)
    )
    return Paper(
        title="Averages of samples",
        authors=(),
        abstract="We average.",
        sections=sections,
        references=(),
        footnotes=(),
        chars=0,
        dropped_chars=0,
        parser="tei",
        warnings=(),
    )


async def ask_everything(engine: LongestEngine | ScriptedEngine, tokenizer: Tokenizer, scale: float) -> None:
    """Ask `engine` every question of planning and analysis about `small_paper`."""
    paper = small_paper()
    text = paper_text(paper, tokenizer.count, None)
    asker = Asker(
        engine=engine, tokenizer=tokenizer, system="You plan code.", context=10**6, sampling=SAMPLING, seed=0
    ).knowing(text.text)
    plan = (await make_plan(paper, text, asker, scale)).plan
    for part in plan_texts(plan):
        asker = asker.knowing(part)
    await analyse(plan, text, asker, scale)
