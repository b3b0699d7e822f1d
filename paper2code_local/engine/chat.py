"""Messages → token ids, by the model's own chat template and tokenizer.

In: a tokenizer.json, a template, the texts. Out: token ids. Loads neither transformers nor the model. A paper is data:
special tokens that stand in any text are broken up, so that no text can speak as another role.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import TemplateError
from jinja2.ext import Extension
from jinja2.nodes import Node
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer as HfTokenizer

from paper2code_local.errors import ModelError

WORD_JOINER = "\u2060"
PROBE = "Xyzzy"
FAULTS = (TemplateError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
"""What somebody else's template may raise."""


class _Generation(Extension):
    """`{% generation %}` marks what an assistant said, for training; here it is only what stands inside."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class ChatTokenizer:
    """The model's tokenizer and template. Satisfies `Tokenizer`."""

    def __init__(self, tokenizer_json: Path, chat_template: str, special: dict[str, str] | None = None) -> None:
        """Read the tokenizer; `special` gives bos_token, eos_token, … for the template.

        Raises ModelError when the tokenizer or the template cannot be read, or the template drops what the user says.
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
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", _Generation]
        )
        environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)
        environment.globals["raise_exception"] = _refuse
        try:
            self._template = environment.from_string(chat_template)
        except TemplateError as error:
            raise ModelError(
                "template", f"the chat template does not parse: {error}", "Check the model folder."
            ) from error
        self._words = special or {}
        self._system_role = True
        try:
            self._system_role = PROBE in self._conversation(PROBE, "hello")
        except FAULTS:  # some templates refuse the system role, others drop it silently
            self._system_role = False
        try:
            heard = PROBE in self._conversation("hello", PROBE)
        except FAULTS as error:
            raise ModelError("template", f"the chat template fails: {error}", "Check the model folder.") from error
        if not heard:
            raise ModelError("template", "the chat template drops what the user says", "Check the model folder.")

    def data(self, text: str) -> str:
        """Return `text` with every special token of this tokenizer broken up by U+2060 after its second character."""
        while self._special.search(text):  # a break may complete another token, hence until none is left
            text = self._special.sub(_broken, text)
        return text

    def count(self, text: str) -> int:
        """Return the number of tokens of `text` as data."""
        return len(self._tokenizer.encode(self.data(text), add_special_tokens=False).ids)

    def encode(self, system: str, user: str, prefill: str = "") -> list[int]:
        """Return the token ids of the conversation up to and including `prefill`."""
        text = self._conversation(self.data(system), self.data(user)) + self.data(prefill)
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def _conversation(self, system: str, user: str) -> str:
        if self._system_role:
            messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        else:
            messages = [{"role": "user", "content": f"{system}\n\n{user}"}]
        names: dict[str, Any] = {"bos_token": "", "eos_token": "", "tools": None, "documents": None} | self._words
        return self._template.render(
            messages=messages, add_generation_prompt=True, enable_thinking=False, strftime_now=lambda _: "", **names
        )


def _broken(token: re.Match[str]) -> str:
    at = min(2, len(token.group()) - 1)
    return token.group()[:at] + WORD_JOINER + token.group()[at:]


def _refuse(message: str) -> NoReturn:
    raise ValueError(message)
