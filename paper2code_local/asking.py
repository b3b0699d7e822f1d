"""A question and its answer: render → fit the context → ask → a typed answer, or ask again with the reason.

In: a `Question` (schema-constrained) or a `Passage` (free code). Out: the answer, or `Unanswered` as a value: one lost
answer does not cancel its siblings. Must not know stages, run folders or what the answers are for.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any, Generic, TypeVar

from jinja2 import Environment, StrictUndefined, Template
from pydantic import BaseModel, JsonValue, ValidationError

from paper2code_local.engine.protocol import Completion, Engine, Request, Tokenizer
from paper2code_local.engine.runaway import repeats_itself
from paper2code_local.modelstore.card import Sampling

A = TypeVar("A", bound=BaseModel)
QUOTED_TOKENS = 600
"""At most so much of a refused answer is shown to the model again."""
CONTINUATIONS = 2
"""A passage cut by the length limit is continued at most so often."""
LATER_TEMPERATURES = (0.0, 0.6, 0.9)
"""Least temperature by attempt, the last for all after it: at 0.2 a small model tends to repeat its first answer."""
NOT_GIVEN = "(not given)"


@dataclass(frozen=True)
class Unanswered:
    """The model gave nothing usable: what was wrong with its last attempt."""

    label: str
    reason: str
    leftover: str = ""
    """The longest passage that was written until it went in circles or was cut."""


@dataclass(frozen=True)
class Prompt:
    """A rendered question."""

    text: str
    wording: str
    """Its template: what an answer must not repeat."""


@dataclass(frozen=True)
class Question(Generic[A]):
    """Asks for a small typed answer."""

    label: str
    prompt: Prompt
    answer: type[A]
    max_tokens: int
    refuse: Callable[[A], str | None] = lambda _: None
    """Return why an answer of the right type cannot be used, or None."""


@dataclass(frozen=True)
class Refusal:
    """Why a passage cannot be used."""

    reason: str
    avoid: tuple[str, ...] = ()
    """What it held: the next one is written without these words."""


@dataclass(frozen=True)
class Passage:
    """Asks for text that continues `opening`."""

    label: str
    tails: tuple[str, ...]
    opening: str
    stop: tuple[str, ...]
    max_tokens: int
    refuse: Callable[[str], Refusal | None]
    """Given what the model wrote after `opening`."""
    avoid: tuple[str, ...] = ()
    """Words that no answer should hold."""
    avoid_again: tuple[str, ...] = ()
    """Nor one that is asked for again: a refused answer that has them is not shown, or they would be copied."""


@dataclass(frozen=True)
class Asker:
    """Asks questions of one engine; `shared` is what each of them begins with."""

    engine: Engine
    tokenizer: Tokenizer
    system: str
    context: int
    """Tokens of prompt and answer together."""
    sampling: Sampling
    seed: int
    attempts: int = 3
    shared: str = ""
    sample: int = 0
    """Which of several answers to the same questions this asker wants."""
    warmth: int = 0
    """Of how many attempts before its first this asker is to be as warm as after them."""
    told: Callable[[str, str], None] = field(default=lambda _label, _reason: None)
    """Told the label and the reason of every answer that is asked again."""

    def sampling_again(self, sample: int, engine: Engine) -> Asker:
        """Return an asker that asks the same for another answer, of `engine`."""
        return replace(self, sample=sample, engine=engine, warmth=bool(sample))

    def once(self, attempts: int, sample: int) -> Asker:
        """Return an asker that asks once, as warm as one that asked `attempts` times in vain; another answer warmer."""
        return replace(self, attempts=1, warmth=self.warmth + attempts + sample, sample=sample)

    def knowing(self, text: str) -> Asker:
        """Return an asker whose questions begin with `text` after what they begin with now."""
        return replace(self, shared=f"{self.shared}{text.strip()}\n\n")

    async def ask(self, question: Question[A]) -> A | Unanswered:
        """Ask until an answer is usable, at most `attempts` times.

        When every attempt repeats the question, the last one is used without the texts that do.
        """
        schema = schema_of(question.answer)
        reason, quoted = "", ""
        echoing: A | None = None
        for attempt in range(self.attempts):
            request = self._request(question, attempt, schema, feedback(reason, quoted if attempt == 1 else ""))
            if isinstance(request, Unanswered):
                return request
            completion = await self.engine.complete(request)
            answer, reason, quoted = self._judged(question, completion)
            if answer is not None and not reason:
                return answer
            echoing = answer or echoing
            if not quoted:  # cut, empty or repeating: a smaller answer is asked for
                schema = smaller(schema)
            self.told(request.label, reason)
        return echoing or Unanswered(question.label, reason)

    async def write(self, passage: Passage) -> str | Unanswered:
        """Ask for text until it is usable, at most `attempts` times; text that was cut is continued first."""
        reason, quoted, leftover = "", "", ""
        avoid = passage.avoid
        for attempt in range(self.attempts):
            written = ""
            for part in range(CONTINUATIONS + 1):
                opened = replace(passage, opening=passage.opening + written, avoid=avoid)
                request = self._request(opened, attempt, None, feedback(reason, quoted), part)
                if isinstance(request, Unanswered):
                    return request
                completion = await self.engine.complete(request)
                written += completion.text
                if completion.finish != "length" or repeats_itself(written):
                    break
            refusal, quoted = self._fault(passage, completion, written)
            if refusal is None:
                return written
            reason = refusal.reason
            if useless(completion, written):
                leftover = max(leftover, written, key=len)
            avoid = tuple(dict.fromkeys((*avoid, *passage.avoid_again, *refusal.avoid)))
            self.told(request.label, reason)
        return Unanswered(passage.label, reason, leftover)

    def _judged(self, question: Question[A], completion: Completion) -> tuple[A | None, str, str]:
        """Return the answer, why it should be asked again ("" when it need not), and what of it is worth showing."""
        text = completion.text.strip()
        if reason := useless(completion, text):
            return None, reason, ""
        try:
            answer = question.answer.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            return None, f"{where or 'the answer'}: {first['msg']}", self._quotation(text)
        if echoed := echo(answer.model_dump(mode="json"), question.prompt.wording):
            kept = unechoed(answer, question.prompt.wording)
            reason = f'"{echoed}" repeats the question instead of answering it'
            return None if kept is None or question.refuse(kept) else kept, reason, ""
        refused = question.refuse(answer)
        return (None, refused, self._quotation(text)) if refused else (answer, "", "")

    def _fault(self, passage: Passage, completion: Completion, written: str) -> tuple[Refusal | None, str]:
        if reason := useless(completion, written):
            return Refusal(reason), ""
        refused = passage.refuse(written)
        copied = any(word in written for word in passage.avoid_again)
        return refused, self._quotation(written) if refused and not copied else ""

    def _request(
        self,
        asked: Question[A] | Passage,
        attempt: int,
        schema: dict[str, JsonValue] | None,
        again: str,
        part: int = 0,
    ) -> Request | Unanswered:
        """Return the fullest request that fits the context."""
        sample = f"#{self.sample + 1}" if self.sample else ""
        label = asked.label + sample + (f"~{attempt + 1}" if attempt else "") + (f"+{part}" if part else "")
        opening = asked.opening if isinstance(asked, Passage) else ""
        prefill = opening if self.engine.can_prefill else ""
        begin = f"\n\nBegin with exactly these lines:\n\n{opening}" if opening and not prefill else ""
        fixed = self.tokenizer.count(self.system + self.shared + again + begin + prefill) + asked.max_tokens + 64
        for tail in asked.tails if isinstance(asked, Passage) else (asked.prompt.text,):
            if fixed + self.tokenizer.count(tail) <= self.context:
                break
        else:
            return Unanswered(asked.label, f"its smallest prompt does not fit a context of {self.context} tokens")
        warmth = min(attempt + self.warmth, len(LATER_TEMPERATURES) - 1)
        warmer = max(self.sampling.temperature, LATER_TEMPERATURES[warmth])
        return Request(
            label=label,
            system=self.system,
            user=f"{self.shared}{tail.strip()}{begin}{again}",
            prefill=prefill,
            answer_schema=schema,
            max_tokens=asked.max_tokens,
            stop=asked.stop if isinstance(asked, Passage) else (),
            avoid=asked.avoid if isinstance(asked, Passage) else (),
            sampling=self.sampling.model_copy(update={"temperature": warmer}),
            seed=int.from_bytes(hashlib.sha256(f"{self.seed}:{label}".encode()).digest()[:4], "big"),
        )

    def _quotation(self, text: str) -> str:
        while self.tokenizer.count(text) > QUOTED_TOKENS:
            text = text[: len(text) * 2 // 3]
        return text


def feedback(reason: str, quoted: str) -> str:
    """Return what is added to a question that is asked again."""
    if not reason or not quoted:
        return ""
    return f"\n\nAn earlier answer was refused: {reason}\nIt was:\n{quoted}\n\nAnswer again and avoid this."


def useless(completion: Completion, text: str) -> str:
    """Return why nothing in an answer can be used: empty, cut, or repeating itself; "" when it may be read."""
    if not text.strip():
        return "the answer is empty"
    if repeats_itself(text):
        return "the answer repeats itself"
    return "the answer was cut by its length limit" if completion.finish == "length" else ""


def echo(answer: JsonValue, wording: str) -> str:
    """Return the first text in `answer` that mostly repeats `wording`, else "".

    Mostly: of at least eight words, more than 60 % stand in runs of four words that `wording` has too.
    """
    match answer:
        case str():
            return answer if _overlap(answer, wording) > 0.6 else ""
        case dict():
            return next((e for v in answer.values() if (e := echo(v, wording))), "")
        case list():
            return next((e for v in answer if (e := echo(v, wording))), "")
        case _:
            return ""


def unechoed(answer: A, wording: str) -> A | None:
    """Return an answer without the texts that mostly repeat `wording`.

    Each becomes `NOT_GIVEN`, or where its field does not allow that, goes with the item of a list that it stands in;
    None when that cannot be either.
    """
    said = answer.model_dump(mode="json", by_alias=True)
    for rest in (without_echoes(said, wording), without_items(said, wording)):
        with suppress(ValidationError):
            return type(answer).model_validate(rest)
    return None


def without_items(answer: Any, wording: str) -> Any:
    """Return `answer` without the items of lists in which a text mostly repeats `wording`."""
    match answer:
        case dict():
            return {key: without_items(value, wording) for key, value in answer.items()}
        case list():
            return [value for value in answer if not echo(value, wording)]
        case _:
            return answer


def without_echoes(answer: Any, wording: str) -> Any:
    """Return `answer` with every text that mostly repeats `wording` replaced by `NOT_GIVEN`."""
    match answer:
        case str():
            return NOT_GIVEN if echo(answer, wording) else answer
        case dict():
            return {key: without_echoes(value, wording) for key, value in answer.items()}
        case list():
            return [without_echoes(value, wording) for value in answer]
        case _:
            return answer


def _overlap(said: str, wording: str) -> float:
    words, asked = (re.findall(r"\w+", text.lower()) for text in (said, wording))
    if len(words) < 8:
        return 0.0
    runs = {tuple(asked[i : i + 4]) for i in range(len(asked) - 3)}
    covered = {j for i in range(len(words) - 3) if tuple(words[i : i + 4]) in runs for j in range(i, i + 4)}
    return len(covered) / len(words)


@cache
def schema_of(answer: type[BaseModel]) -> dict[str, JsonValue]:
    """Return the JSON schema of an answer type, every field required."""
    schema: dict[str, JsonValue] = answer.model_json_schema()
    return schema


def smaller(schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return `schema` with the bounds of its arrays and texts halved, never below their lower bounds.

    Strings with a pattern keep theirs: the shortest that a pattern allows may be longer than half.
    """

    def halved(node: JsonValue) -> JsonValue:
        if isinstance(node, list):
            return [halved(part) for part in node]
        if not isinstance(node, dict) or isinstance(node.get("pattern"), str):
            return node
        result = {key: halved(value) for key, value in node.items()}
        for most, least in (("maxItems", "minItems"), ("maxLength", "minLength")):
            bound, floor = result.get(most), result.get(least, 1)
            if isinstance(bound, int) and isinstance(floor, int):
                result[most] = max(bound // 2, floor, 1)
        return result

    result = halved(json.loads(json.dumps(schema)))
    assert isinstance(result, dict)
    return result


_prompts = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False)


@cache
def _wording(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text(encoding="utf-8")


@cache
def _template(package: str, name: str) -> Template:
    return _prompts.from_string(_wording(package, name))


def render(package: str, name: str, /, **values: object) -> str:
    """Render the template `name` that lies beside the code of `package`; an unknown variable is an error."""
    return _template(package, name).render(**values)


def prompt(package: str, name: str, /, **values: object) -> Prompt:
    """Render a question, keeping its wording."""
    return Prompt(render(package, name, **values), _wording(package, name))
