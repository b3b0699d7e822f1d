"""Messages → token ids, by the model's own chat template and tokenizer.

In: a tokenizer.json, a template, the texts. Out: token ids. Loads neither transformers nor the model. A paper is data:
special tokens that stand in any text are broken up, so that no text can speak as another role.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import Template, TemplateError
from jinja2.ext import Extension
from jinja2.nodes import Node
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer as HfTokenizer

from paper2code_local.engine.reasoning import Marks, Reasoning, begun, marks
from paper2code_local.errors import ModelError

WORD_JOINER = "\u2060"
PROBES = ("Xyzzy", "Plugh\n\n" + 99 * "frotz " + "plover")
"""What system and user say to find out whether a template lets them be heard."""
FAULTS = (TemplateError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError)
"""What somebody else's template may raise."""
TODAY = date(2025, 1, 1)
"""What templates are told that ask for the date: a prompt is the same every day, or nothing could be replayed."""
OFF = {"enable_thinking": False, "thinking": False, "thinking_budget": 0}
"""The names by which published templates switch thinking off: those of Qwen and GLM, DeepSeek and Granite, Seed."""
ON = {"enable_thinking": True, "thinking": True}


class _Generation(Extension):
    """`{% generation %}` marks what an assistant said, for training; here it is only what stands inside."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


@dataclass(frozen=True)
class _Form:
    """What a template must be given so that system and user are heard."""

    system: bool
    """As a role of its own; otherwise the user says it first."""
    parts: bool
    """Contents as lists of typed parts; otherwise as strings."""
    effort: str
    """Of reasoning, for templates that cannot switch it off: gpt-oss has no "none", others have no "low"."""


class ChatTokenizer:
    """The model's tokenizer and template. Satisfies `Tokenizer`."""

    def __init__(
        self,
        tokenizer_json: Path,
        chat_template: str,
        special: dict[str, str] | None = None,
        reasoning: Reasoning | None = None,
    ) -> None:
        """Read both; `special` gives bos_token, eos_token, … for the template, `reasoning` how the model may think.

        Raises ModelError when the tokenizer or the template cannot be read, or the template drops what is said.
        """
        try:
            self._tokenizer = HfTokenizer.from_file(str(tokenizer_json))
        except Exception as error:  # tokenizers raises nothing more precise
            raise ModelError(
                "tokenizer", f"{tokenizer_json} cannot be read: {error}", "Pull the model again."
            ) from error
        # Runs of spaces or line breaks are added tokens too in some models: they are no role of anybody.
        added = {t.content for t in self._tokenizer.get_added_tokens_decoder().values() if len(t.content.strip()) > 1}
        breakable = sorted((t for t in added if WORD_JOINER not in t), key=len, reverse=True)
        self._special = re.compile("|".join(map(re.escape, breakable)) or r"(?!)")
        self._words = {"bos_token": "", "eos_token": ""} | (special or {})
        self._template = _compiled(chat_template)
        self._form = self._heard()
        self._begin = self._missing_begin()
        thinks = self._thinks(reasoning)
        self._opened = thinks is not None and marks(thinks.parser).open.rstrip() in self._ending()
        self._off = thinks.off if thinks else ""
        self.reasoning = None if self._off else thinks
        """How the model thinks before it answers; None where it does not, or is switched off."""
        self._marks = marks(thinks.parser) if thinks else Marks("", "", "")

    @property
    def room(self) -> int:
        """Tokens of context that thoughts take beside prompt and answer."""
        return self.reasoning.room if self.reasoning else 0

    def data(self, text: str) -> str:
        """Return `text` with every special token of this tokenizer broken up by U+2060 after its second character."""
        while self._special.search(text):  # a break may complete another token, hence until none is left
            text = self._special.sub(_broken, text)
        return text

    def count(self, text: str) -> int:
        """Return the number of tokens of `text` as data."""
        return len(self._ids(self.data(text)))

    def encode(self, system: str, user: str, prefill: str = "") -> list[int]:
        """Return the token ids of the conversation up to and including `prefill`.

        A model that thinks first begins its thoughts there; with a budget of 0 they are written for it, empty.
        """
        system = f"{self.data(system)}\n\n{self._off}" if self._off else self.data(system)
        text = self._conversation(system, self.data(user), self._form)
        if self.reasoning:
            text += "" if self._opened else self._marks.open
            text += "" if self.reasoning.budget else self._marks.close
        return self._begin + self._ids(text + self.data(prefill))

    def after_thoughts(self, ended: bool, prefill: str) -> list[int]:
        """Return the token ids between thoughts, `ended` by the model's own mark or not, and answer."""
        return self._ids((self._marks.rest if ended else self._marks.close) + self.data(prefill))

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def _conversation(self, system: str, user: str, form: _Form, thinking: bool = False) -> str:
        said = [("system", system), ("user", user)] if form.system else [("user", f"{system}\n\n{user}")]
        messages: list[dict[str, Any]] = [
            {"role": role, "content": [{"type": "text", "text": text}] if form.parts else text} for role, text in said
        ]
        effort = {"reasoning_effort": form.effort} if form.effort else {}
        names: dict[str, Any] = {"tools": None, "documents": None} | (ON if thinking else OFF) | effort | self._words
        return self._template.render(messages=messages, add_generation_prompt=True, **names)

    def _heard(self) -> _Form:
        """Return the first form in which the template renders what system and user say."""
        problem = "it drops what the user says"
        for form in _forms():
            try:
                text = self._conversation(*PROBES, form)
            except FAULTS as error:  # some templates refuse the system role, others drop it silently
                problem = str(error)
                continue
            if re.search(r"Xyzzy.*Plugh.*plover", text, re.DOTALL) and "'text'" not in text:
                return form
        hint = "Check the model folder, or name another template with --chat-template FILE."
        raise ModelError("template", f"the chat template cannot be used: {problem}", hint)

    def _missing_begin(self) -> list[int]:
        """Return the token that the tokenizer begins every text with, where the template leaves it out."""
        begin = self._tokenizer.token_to_id(self._words["bos_token"])
        if begin is None or self._tokenizer.encode(PROBES[0]).ids[:1] != [begin]:
            return []
        written = self._ids(self._conversation(*PROBES, self._form))[:1] == [begin]
        return [] if written else [begin]

    def _ending(self) -> str:
        """Return what the template writes after what the user says."""
        return self._conversation(*PROBES, self._form).rpartition(PROBES[1])[2]

    def _thinks(self, given: Reasoning | None) -> Reasoning | None:
        """Return how the model thinks: as told or as seen, unless the template's own switch ends its thoughts."""
        off, opened = self._conversation(*PROBES, self._form), begun(self._ending())
        try:
            on = self._conversation(*PROBES, self._form, thinking=True)
        except FAULTS:
            on = off
        return (given or opened) if opened or on == off else None


def _forms() -> Iterator[_Form]:
    for system, parts, effort in product((True, False), (False, True), ("low", "none", "")):
        yield _Form(system, parts, effort)


def _compiled(chat_template: str) -> Template:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", _Generation]
    )
    environment.filters["tojson"] = _json
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = TODAY.strftime
    try:
        return environment.from_string(chat_template)
    except TemplateError as error:
        hint = "Check the model folder, or name another template with --chat-template FILE."
        raise ModelError("template", f"the chat template does not parse: {error}", hint) from error


def _json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Write JSON as the filter that templates are written for: not escaped for HTML."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _broken(token: re.Match[str]) -> str:
    at = min(2, len(token.group()) - 1)
    return token.group()[:at] + WORD_JOINER + token.group()[at:]


def _refuse(message: str) -> NoReturn:
    raise ValueError(message)
