"""Text that goes in circles: small models fall into repeating themselves until their limit is spent.

In: what a model has written so far. Out: whether it repeats itself. Must not know engines or questions.
"""

from __future__ import annotations

import zlib

SHORTEST = 240
"""Characters; below, a repetition has cost nothing yet."""
COMPRESSION = 12
"""Prose compresses two- to fourfold, code up to sixfold."""
ROUNDS = 5
"""Times that the same lines stand one after the other: the layers of a network seldom do so more often."""
LONGEST_ROUND = 12
"""Lines."""
LONG_BLOCK = 16
"""Lines, empty ones not counted, that nobody writes twice: a small model defines the same helpers again and again."""
LOOK_EVERY = 48
"""Tokens between two looks while an answer is being written."""


def repeats_itself(text: str) -> bool:
    """Tell whether `text` says the same over and over, as a whole or in its last complete lines."""
    if len(text) < SHORTEST:
        return False
    data = text.encode("utf-8", "replace")
    return len(zlib.compress(data)) * COMPRESSION < len(data) or _circles(text.split("\n")[:-1])


def _circles(lines: list[str]) -> bool:
    return any(_ends_in_rounds(lines, size) for size in range(1, LONGEST_ROUND + 1)) or _ends_in_old_block(lines)


def _ends_in_old_block(lines: list[str]) -> bool:
    written = [line for line in lines if line.strip()]
    last = written[-LONG_BLOCK:]
    if len(set(last)) < LONG_BLOCK // 2 or sum(map(len, last)) < SHORTEST:
        return False
    starts = range(len(written) - 2 * LONG_BLOCK + 1)
    return any(written[at : at + LONG_BLOCK] == last for at in starts if written[at] == last[0])


def _ends_in_rounds(lines: list[str], size: int) -> bool:
    last = lines[-size * ROUNDS :]
    if len(last) < size * ROUNDS or sum(map(len, last)) < SHORTEST // 2:
        return False
    return all(line == last[i % size] for i, line in enumerate(last))
