"""The settings files of a repository: YAML at its top or in a folder of configurations.

In: the files. Out: trees, and which file a path in the code means. Must not know how the code reads them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

import yaml

from paper2code_local.stages.s5_validate.yaml_file import Entry, Unreadable, read_yaml

_PLACE = re.compile(
    r"(?:(?:.*/)?(?:confi?g?s?|settings|params|hparams|hyperparameters)/)?[^/]+\.ya?ml|(?:.*/)?config\.ya?ml"
)
_OTHERS = re.compile(
    r"(?:.*/)?(?:\..*|_config|mkdocs|docker-compose.*|compose|action|codecov|appveyor|readthedocs|.*env.*|conda.*|meta|"
    r"cog|azure-pipelines|\w*lock|pnpm.*|dvc|mypy|pre-commit.*|catalog-info|cloudbuild|skaffold|netlify)\.ya?ml"
)
_NUMBER = re.compile(r"([-+]?)(\d[\d_]*)?(?:(\.)(\d[\d_]*)?)?[eE]([-+]?)(\d+)")
Keys = tuple[str, ...]


class Settings:
    """The settings files of one repository."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        wanted = [path for path in sorted(files) if _PLACE.fullmatch(path) and not _OTHERS.fullmatch(path)]
        read = {path: read_yaml(files[path]) for path in wanted if files[path].strip() or path == "config.yaml"}
        self.unreadable: Mapping[str, Unreadable] = {p: r for p, r in read.items() if isinstance(r, Unreadable)}
        self.trees: Mapping[str, Entry] = {p: r for p, r in read.items() if isinstance(r, Entry) and r.kind == "map"}

    def named(self, text: str, importer: str, by_tail: bool) -> str | None:
        """Return the file that a path written in the file `importer` means; `by_tail`: only its end is known."""
        path = posixpath.normpath(text.replace("\\", "/"))
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(importer), path))
        known = {*self.trees, *self.unreadable}
        if not by_tail and path in known:
            return path
        if beside in known:
            return beside
        ends = [each for each in known if each == path or each.endswith(f"/{path.lstrip('./')}")]
        return ends[0] if len(ends) == 1 else None

    def only(self) -> str | None:
        """Return the settings file when there is one."""
        return next(iter(self.trees)) if len(self.trees) == 1 and not self.unreadable else None

    def entry(self, path: str, keys: Keys) -> Entry | None:
        """Return what stands under some keys; None when there is nothing, or no mapping on the way."""
        entry: Entry | None = self.trees.get(path)
        for key in keys:
            entry = entry.items.get(key) if entry is not None else None
        return entry

    def lacks(self, path: str, keys: Keys) -> bool:
        """Tell whether the last key certainly is missing, where those before it are there."""
        parent = self.entry(path, keys[:-1])
        if parent is None or not parent.whole or "defaults" in self.trees[path].items:
            return False
        return parent.kind == "null" or (parent.kind == "map" and keys[-1] not in parent.items)


def number_spelling(entry: Entry) -> str | None:
    """Return how to write a number that YAML 1.1 takes for text ("1e-4": "1.0e-4"); None when it is no such thing."""
    match = _NUMBER.fullmatch(entry.text) if entry.plain and entry.kind == "str" else None
    if match is None or not (match[2] or match[4]):
        return None
    sign, whole, _, part, exponent_sign, exponent = match.groups()
    spelled = f"{sign}{whole or '0'}.{part or '0'}e{exponent_sign or '+'}{exponent}"
    return spelled if isinstance(yaml.safe_load(spelled), float) else None
