"""Words that a model must not write, spelled as its tokenizer may cut them.

In: words. Out: the spellings to forbid, vLLM's `bad_words`. Must not know why.
"""

from __future__ import annotations

from collections.abc import Sequence

MOST = 60
"""vLLM 0.32 takes at most 128 forbidden token sequences, and makes up to two of a spelling: as it is, after a space."""
BEFORE = ("(", "=", "[")
"""A byte-level BPE keeps one sign together with the letters after it: `enumerate(loader` may be cut before the bracket,
and the tokens of `(loader` need not hold those of `loader`."""


def spellings(words: Sequence[str]) -> list[str]:
    """Return the spellings of `words` to forbid, each once, `MOST` at most: the words, then names after a sign."""
    names = [word for word in words if len(word) > 1 and word[:1].isidentifier()]
    found = (*words, *(sign + name for sign in BEFORE for name in names))
    return list(dict.fromkeys(found))[:MOST]
