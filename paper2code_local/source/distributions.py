"""Import names and the distributions that give them: `cv2` is `opencv-python`.

In: a name. Out: names, and what a distribution brings along, from `distributions.txt`. Must not know repositories, nor
what is installed here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_USUAL = {
    "cv2": "opencv-python",
    "faiss": "faiss-cpu",
    "google": "protobuf",
    "Levenshtein": "python-Levenshtein",
    "ot": "POT",
    "PIL": "Pillow",
    "pytorch_lightning": "pytorch-lightning",
    "torchcrf": "pytorch-crf",
    "yaml": "PyYAML",
}
"""Import name → the distribution that people mean, where several give it or it is written otherwise."""
_EXTRA_WORDS = re.compile(r"^(python|py)-|-(python3?|py|binary|headless|cpu|gpu|cu\d+|cuda\w*|nightly|dev)$")


@dataclass(frozen=True, slots=True)
class Distribution:
    """What is known of one distribution."""

    name: str
    """As PyPI writes it, lower case and with hyphens."""
    imports: frozenset[str]
    """The import names that it gives, in lower case."""
    requires: frozenset[str]
    """The distributions that it brings along."""
    is_tool: bool
    """Nobody has to import it."""


def normalised(name: str) -> str:
    """Return a distribution's name as PEP 503 compares it: "Ruamel.YAML" is "ruamel-yaml"."""
    return re.sub(r"[-_.]+", "-", name).lower()


def distribution(name: str) -> Distribution | None:
    """Return what is known of a distribution, by any of its names; None when nothing is."""
    return _table().get(normalised(name))


def providers(import_name: str) -> tuple[str, ...]:
    """Return the distributions that are known to give a top-level import name, the usual one first."""
    return _providers().get(import_name.lower(), ())


def usual(import_name: str) -> str | None:
    """Return the distribution to require for an import name; None when it is not known."""
    if import_name in _USUAL:
        return _USUAL[import_name]
    found = [name for name in providers(import_name) if _table()[name].name == name]
    return next((name for name in found if name == normalised(import_name)), found[0] if found else None)


def gives(name: str, import_name: str) -> bool:
    """Tell whether the distribution `name` gives an import name, known or evident from the names alone."""
    known = distribution(name)
    if known is not None:
        return import_name.lower() in known.imports
    plain, wanted = normalised(name), normalised(import_name)
    bare = _EXTRA_WORDS.sub("", _EXTRA_WORDS.sub("", plain))
    return wanted in (plain, bare) or wanted.replace("-", "") == plain.replace("-", "")


def brought_by(names: Iterable[str]) -> dict[str, str]:
    """Return every distribution that comes along with `names`, directly or not, and the one of `names` behind it."""
    found: dict[str, str] = {}
    for first in names:
        queue = [first]
        for name in queue:
            known = distribution(name)
            new = sorted((known.requires if known else frozenset()) - found.keys())
            found.update(dict.fromkeys(new, first))
            queue.extend(new)
    return found


@cache
def _table() -> Mapping[str, Distribution]:
    table: dict[str, Distribution] = {}
    aliases: dict[str, str] = {}
    text = files("paper2code_local.source").joinpath("distributions.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if " = " in line and not line.startswith("#"):
            name, _, other = line.partition(" = ")
            aliases[name] = other
        elif not line.startswith("#"):
            name, _, rest = line.partition(":")
            imports, _, requires = rest.partition("|")
            given = imports.lower().split()
            own = {name.replace("-", "_")} if not given else set(given) - {"-"}
            table[name] = Distribution(name, frozenset(own), frozenset(requires.split()), "-" in given)
    return table | {name: table[other] for name, other in aliases.items()}


@cache
def _providers() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name, known in _table().items():
        for given in known.imports:
            usual = name == known.name and normalised(given) == name
            found[given].insert(0 if usual else len(found[given]), name)
    return {given: tuple(names) for given, names in found.items()}
