"""The shipped fake: an engine whose answers are a function of the request alone.

For tests, for a first look without a model, and for trying the resume logic. `faults` makes every answer whose digest
falls below that share unusable in one of the ways that small models have: cut, empty, prose, repetition.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Sequence

from pydantic import JsonValue

from paper2code_local.engine.protocol import Completion, Request

PIECE = re.compile(r"\w{1,6}|[^\w\s]")
BORROWED = re.compile(r"^# What main\.py imports from this repository\nfrom \S+ import (\w+)", re.M)
WORDS = ("entropy", "batch", "gradient", "score", "sample", "model", "loss", "weight", "step", "metric")


class ScriptedEngine:
    """Satisfies `Engine` and `Tokenizer`; needs nothing installed."""

    can_prefill = True

    def __init__(self, *, faults: float = 0.0, delay: float = 0.0) -> None:
        """Answer after `delay` seconds; spoil the share `faults` (0 to 1) of all answers."""
        self.model = f"scripted-{faults:g}"
        self._faults, self._delay = faults, delay

    def count(self, text: str) -> int:
        """Return about one token per word and mark."""
        return len(PIECE.findall(text))

    async def complete(self, request: Request) -> Completion:
        """Answer `request`: a valid instance of its schema, or a function body, unless a fault is due."""
        await asyncio.sleep(self._delay)
        digest = hashlib.sha256(request.identity(self.model).encode()).digest()
        good = _Answer(digest).text(request)
        share = int.from_bytes(digest[:4], "big") / 2**32
        text, cut = (good, False) if share >= self._faults else _spoiled(good, digest[4] % 4)
        text = text[: min((at for stop in request.stop if (at := text.find(stop)) >= 0), default=None)]
        pieces = list(PIECE.finditer(text))
        if len(pieces) > request.max_tokens:
            text, cut = text[: pieces[request.max_tokens - 1].end()], True
        return Completion(
            text=text,
            finish="length" if cut else "stop",
            prompt_tokens=self.count(request.system + request.user + request.prefill),
            cached_tokens=0,
            completion_tokens=self.count(text),
            seconds=0.0,
        )

    async def close(self) -> None:
        """Nothing to release."""


def _spoiled(good: str, kind: int) -> tuple[str, bool]:
    """Return the answer with a fault, and whether it was cut."""
    if kind == 0:
        return good[: len(good) // 2], True
    if kind == 1:
        return "", False
    if kind == 2:
        return "Sure! Here is what you asked for. I hope that it helps.", False
    return "the the " * 60, True


class _Answer:
    """Draws an answer from a stream of bytes derived from the request."""

    def __init__(self, digest: bytes) -> None:
        self._digest, self._drawn = digest, 0
        self._said: list[JsonValue] = []
        """Of examples, none is given twice in an answer while there are others."""

    def _draw(self, below: int) -> int:
        self._drawn += 1
        block = hashlib.sha256(self._digest + self._drawn.to_bytes(4, "big")).digest()
        return int.from_bytes(block[:8], "big") % below

    def text(self, request: Request) -> str:
        if request.answer_schema is not None:
            return json.dumps(self._instance(request.answer_schema, request.answer_schema))
        return self._body(request.prefill, BORROWED.search(request.user))

    def _instance(self, schema: JsonValue, root: dict[str, JsonValue]) -> JsonValue:
        assert isinstance(schema, dict)
        if isinstance(ref := schema.get("$ref"), str):
            definitions = root["$defs"]
            assert isinstance(definitions, dict)
            return self._instance(definitions[ref.rsplit("/", 1)[1]], root)
        for key in ("enum", "examples", "anyOf"):
            choices = schema.get(key)
            if isinstance(choices, list):
                fresh = [choice for choice in choices if choice not in self._said] if key == "examples" else []
                chosen = (fresh or choices)[self._draw(len(fresh or choices))]
                self._said.append(chosen)
                return self._instance(chosen, root) if key == "anyOf" else chosen
        if "const" in schema:
            return schema["const"]
        match schema.get("type"):
            case "object":
                properties = schema.get("properties", {})
                assert isinstance(properties, dict)
                return {name: self._instance(part, root) for name, part in properties.items()}
            case "array":
                low, high = (schema.get(k, d) for k, d in (("minItems", 0), ("maxItems", 3)))
                assert isinstance(low, int)
                assert isinstance(high, int)
                size = low + self._draw(min(high - low, 3) + 1)
                return [self._instance(schema["items"], root) for _ in range(size)]
            case "integer" | "number":
                return self._draw(100)
            case "boolean":
                return self._draw(2) == 1
            case _:
                limit = schema.get("maxLength", 60)
                assert isinstance(limit, int)
                return self._sentence(WORDS)[:limit]

    def _sentence(self, words: Sequence[str]) -> str:
        return " ".join(words[self._draw(len(words))] for _ in range(6))

    def _body(self, prefill: str, borrowed: re.Match[str] | None) -> str:
        """Continue the opening of a function with a body, or a module with a small definition.

        `borrowed` is a name of another file that main.py may use; a model that writes a program uses some.
        """
        last = next((line for line in reversed(prefill.splitlines()) if line.strip()), "")
        indent = len(last) - len(last.lstrip())
        if last.rstrip().endswith(":"):
            indent += 4
        pad = " " * indent
        if indent == 0:
            return f"def scripted_{self._draw(1000)}(x: float) -> float:\n    return x * {self._draw(9) + 1}\n"
        value = f"{self._draw(1000)}"
        if borrowed and "def main(" in prefill:
            value = f"[{borrowed[1]}, {value}]"
        return f"{pad}value = {value}\n{pad}return value\n"
