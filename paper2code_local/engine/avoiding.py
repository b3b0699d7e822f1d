"""Words that a model must not write, spelled as its tokenizer may cut them.

In: words. Out: the spellings to forbid, vLLM's `bad_words`. Must not know why.
"""

from __future__ import annotations

from collections.abc import Iterable

BEFORE = ("", "(", "[", "=", "*", "-")
"""A byte-level BPE keeps one sign together with the letters after it: `enumerate(loader` may be cut before the bracket,
and the tokens of `(loader` need not hold those of `loader`. vLLM itself adds the spelling after a space."""


def spellings(words: Iterable[str]) -> list[str]:
    """Return every spelling of `words` to forbid, each once; a sign before it makes another word of a name only."""
    found = (sign + word for word in words for sign in (BEFORE if word[:1].isidentifier() else ("",)))
    return list(dict.fromkeys(found))
