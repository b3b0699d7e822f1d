"""Values as papers and people spell them: 32,000, 1e-3, 2 x 10^-5, 10 −3, lr = 1 × e −3, 10%, 5k, three.

In: a text. Out: the numbers that it states, and whether it states a value. Must not know the paper's parts.
"""

from __future__ import annotations

import re

_MINUS = str.maketrans({"−": "-", "–": "-", "‐": "-", "×": "x", "·": "x"})
_NUMBER = re.compile(
    r"(?<![\w.])(?P<mantissa>-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\d*\.?\d+)"
    r"(?:[eE](?P<e>[-+]?\d+)|\s*(?:x|\\times|\\cdot)\s*(?:e\s*(?P<t>-\s*\d+)|10\s*\^?\s*\{?\s*(?P<p>-?\s*\d+)\s*\}?))?"
    r"(?P<unit>\s*%|[kKM]\b)?"
)
_POWER = re.compile(r"(?<![\w.])10\s*(?:\^\s*\{?\s*)?(-\s*\d+)")
_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_UNITS = {"%": 0.01, "k": 1e3, "K": 1e3, "M": 1e6}


def tidy(said: str) -> bool | int | float | str:
    """Return a text that spells a number or a truth value as that value: "1e-5" → 0.00001."""
    word = said.strip()
    if word.lower() in {"true", "false"}:
        return word.lower() == "true"
    for read in (int, float):
        try:
            number = read(word)
        except ValueError:
            continue
        return number if number == number and abs(number) != float("inf") else word
    return word


def stands_in(value: bool | int | float | str, key: str, text: str) -> bool:
    """Tell whether `text` states `value`: a number in any usual spelling, a word, a switch's key."""
    plain = text.translate(_MINUS)
    if isinstance(value, bool):
        return all(word in plain.lower() for word in key.split("_"))
    if isinstance(value, str):
        return re.sub(r"[\W_]+", "", value.lower()) in re.sub(r"[\W_]+", "", plain.lower())
    return any(abs(number - value) <= 1e-9 * max(1.0, abs(value)) for number in numbers(plain))


def numbers(text: str) -> set[float]:
    """Return the numbers that `text` states in any spelling; a percentage as both 10 and 0.1."""
    found: set[float] = set()
    for match in _NUMBER.finditer(text):
        number = _read(match)
        found.add(round(number, 12))
        if unit := (match["unit"] or "").strip():
            found.add(round(number * _UNITS[unit], 12))
    found.update(float(n) for n, word in enumerate(_WORDS) if re.search(rf"\b{word}\b", text, re.I))
    found.update(10.0 ** int(p.replace(" ", "")) for p in _POWER.findall(text) if len(p.strip("- ")) <= 2)
    return found


def numerals(text: str) -> tuple[str, ...]:
    """Return the numbers that `text` writes in digits as Python would write them, in order, without repeats."""
    plain = text.translate(_MINUS)
    found = ((match.start(), _scaled(match)) for match in _NUMBER.finditer(_POWER.sub(_blank, plain)))
    powers = ((m.start(), 10.0 ** int(m[1].replace(" ", ""))) for m in _POWER.finditer(plain) if len(m[1]) <= 4)
    return tuple(dict.fromkeys(_written(number) for _, number in sorted([*found, *powers])))


def _read(match: re.Match[str]) -> float:
    number = float(match["mantissa"].replace(",", ""))
    exponent = match["e"] or match["t"] or match["p"]
    if exponent and len(exponent.strip("+- ")) <= 2:
        number *= 10.0 ** int(exponent.replace(" ", ""))
    return number


def _scaled(match: re.Match[str]) -> float:
    unit = (match["unit"] or "").strip()
    return _read(match) * (_UNITS[unit] if unit != "%" and unit else 1)


def _written(number: float) -> str:
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else f"{number:.12g}"


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())
