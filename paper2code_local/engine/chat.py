"""Messages → token ids, by the model's own chat template and tokenizer.

In: a tokenizer.json, a template, the texts. Out: token ids. Loads neither transformers nor the model. A paper is data:
special tokens that stand in any text are broken up, so that no text can speak as another role.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer as HfTokenizer

from paper2code_local.errors import ModelError

WORD_JOINER = "\u2060"


class ChatTokenizer:
    """The model's tokenizer and template. Satisfies `Tokenizer`."""

    def __init__(self, tokenizer_json: Path, chat_template: str, special: dict[str, str] | None = None) -> None:
        """Read the tokenizer; `special` gives bos_token, eos_token, … for the template.

        Raises ModelError when the tokenizer or the template cannot be read.
        """
        try:
            self._tokenizer = HfTokenizer.from_file(str(tokenizer_json))
        except Exception as error:
            raise ModelError(
                "tokenizer", f"{tokenizer_json} cannot be read: {error}", "Pull the model again."
            ) from error
        added = {t.content for t in self._tokenizer.get_added_tokens_decoder().values() if len(t.content) > 1}
        self._special = re.compile("|".join(re.escape(t) for t in sorted(added, key=len, reverse=True)) or r"(?!)")
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined, extensions=["jinja2.ext.loopcontrols"]
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
        self._system_role = self._accepts_system_role()

    def data(self, text: str) -> str:
        """Return `text` with every special token of this tokenizer broken up by U+2060 after its second character."""
        while match := self._special.search(text):  # a break may complete another token, hence until none is left
            at = match.start() + min(2, len(match.group()) - 1)
            text = text[:at] + WORD_JOINER + text[at:]
        return text

    def count(self, text: str) -> int:
        """Return the number of tokens of `text` as data."""
        return len(self._tokenizer.encode(self.data(text), add_special_tokens=False).ids)

    def encode(self, system: str, user: str, prefill: str = "") -> list[int]:
        """Return the token ids of the conversation up to and including `prefill`."""
        system, user = self.data(system), self.data(user)
        if self._system_role:
            messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        else:
            messages = [{"role": "user", "content": f"{system}\n\n{user}"}]
        text = self._render(messages) + self.data(prefill)
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def _render(self, messages: list[dict[str, str]]) -> str:
        names: dict[str, Any] = {"bos_token": "", "eos_token": "", "tools": None, "documents": None} | self._words
        return self._template.render(
            messages=messages, add_generation_prompt=True, enable_thinking=False, strftime_now=lambda _: "", **names
        )

    def _accepts_system_role(self) -> bool:
        """Some templates refuse the system role, others drop it silently."""
        probe = [{"role": "system", "content": "Xyzzy"}, {"role": "user", "content": "hello"}]
        try:
            return "Xyzzy" in self._render(probe)
        except (TemplateError, ValueError):
            return False


def _refuse(message: str) -> NoReturn:
    raise ValueError(message)
