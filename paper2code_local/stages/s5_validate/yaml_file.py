"""A YAML file as a tree with line numbers.

In: bytes, which may be anything. Out: a tree, or why there is none. Must not know what the file is for. Nothing is
constructed: tags of other programs are kept as text, and a document with many anchors is not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from paper2code_local.stages.s5_validate.syntax import MAX_BYTES

MAX_ANCHORS = 100
MAX_NODES = 20_000
MAX_DEPTH = 60
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "tag:yaml.org,2002:merge"
_CORE = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a YAML file."""

    line: int
    """1-based line on which the value, or for a mapping's entry its key, stands."""
    kind: str
    """What PyYAML makes of it: "map", "seq", "str", "int", "float", "bool", "null", …; "" with a tag of its own."""
    text: str = ""
    """A scalar as written."""
    plain: bool = False
    """A scalar without quotes."""
    items: Mapping[str, Entry] = field(default_factory=dict)
    """What a mapping has, by key; keys that are no scalars are left out."""
    elements: tuple[Entry, ...] = ()
    """What a sequence has."""
    whole: bool = True
    """The items are all that there are."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a file has no tree."""

    line: int
    """1-based; 0 when no line applies."""
    reason: str
    certain: bool
    """It is no YAML; otherwise it is only not looked at."""


def read_yaml(data: bytes) -> Entry | Unreadable:
    """Read one document; an empty one is an empty mapping."""
    if len(data) > MAX_BYTES:
        return Unreadable(0, f"it is larger than {MAX_BYTES:,} bytes", False)
    try:
        loader = _LOADER(data)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = str(getattr(error, "problem", None) or error).splitlines()[0][:200]
        several = "expected a single document" in str(error)
        return Unreadable(mark.line + 1 if mark is not None else 0, reason, not several)
    except (RecursionError, ValueError, UnicodeError) as error:
        return Unreadable(0, f"{type(error).__name__} while it was read", isinstance(error, UnicodeError))
    if node is None:
        return Entry(0, "map")
    return _Growing().entry(node, 0) or Unreadable(0, "it is nested too deeply or has too many aliases", False)


class _Growing:
    """Makes entries of nodes, each node once."""

    def __init__(self) -> None:
        self.made: dict[int, Entry] = {}
        self.nodes = 0
        self.aliases = 0

    def entry(self, node: yaml.Node, depth: int) -> Entry | None:
        """Return a node as an entry; None when the document is out of bounds."""
        if id(node) in self.made:
            self.aliases += 1
            return self.made[id(node)] if self.aliases <= MAX_ANCHORS else None
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            return None
        made = self._made(node, depth)
        if made is not None:
            self.made[id(node)] = made
        return made

    def _made(self, node: yaml.Node, depth: int) -> Entry | None:
        line = node.start_mark.line + 1
        kind = node.tag.removeprefix(_CORE) if node.tag.startswith(_CORE) else ""
        if isinstance(node, yaml.ScalarNode):
            tagged = node.end_mark.column - node.start_mark.column != len(node.value)
            return Entry(line, kind, node.value, not node.style and not tagged)
        if isinstance(node, yaml.SequenceNode):
            elements = [self.entry(each, depth + 1) for each in node.value]
            whole = tuple(each for each in elements if each is not None)
            return Entry(line, kind, elements=whole) if len(whole) == len(elements) else None
        return self._mapping(node, kind, depth) if isinstance(node, yaml.MappingNode) else None

    def _mapping(self, node: yaml.MappingNode, kind: str, depth: int) -> Entry | None:
        own: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        whole = True
        for key, value in node.value:
            made = self.entry(value, depth + 1)
            if made is None:
                return None
            if key.tag == _MERGE:
                for each in made.elements or (made,):
                    merged = {**each.items, **merged}
                    whole = whole and each.whole and each.kind == "map"
            elif isinstance(key, yaml.ScalarNode):
                own[key.value] = Entry(
                    key.start_mark.line + 1, made.kind, made.text, made.plain, made.items, made.elements, made.whole
                )
            else:
                whole = False
        return Entry(node.start_mark.line + 1, kind, items={**merged, **own}, whole=whole)
