"""Whether code and settings files agree (P2C801 to P2C804).

In: the files, and how the code reads settings. Out: findings. Must not know how values are followed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from paper2code_local.artifacts.finding import Finding, Severity
from paper2code_local.source import blocks
from paper2code_local.stages.s5_validate.codes import finding
from paper2code_local.stages.s5_validate.config_flow import Flow
from paper2code_local.stages.s5_validate.config_reads import Reading, Reads
from paper2code_local.stages.s5_validate.config_values import Read
from paper2code_local.stages.s5_validate.receivers import Receivers
from paper2code_local.stages.s5_validate.settings import Keys, Settings, number_spelling
from paper2code_local.stages.s5_validate.yaml_file import Entry

_LOADS = re.compile(r"\byaml\b|omegaconf|hydra", re.IGNORECASE)
_OTHER_LOADERS = re.compile(r"omegaconf|ruamel|hydra|jsonargparse|LightningCLI|confuse|dynaconf", re.IGNORECASE)
_SHOWN = 12
_MOST_TEXT = 20_000_000


class ConfigCheck:
    """Compares the settings files of one repository with its code."""

    def __init__(
        self, files: Mapping[str, bytes], texts: Mapping[str, str], receivers: Receivers, designed: bool
    ) -> None:
        """`texts` has each Python file that compiles; `designed`: we wrote the repository, settings included."""
        self._settings = Settings(files)
        self._texts = texts
        self._receivers = receivers
        self._designed = designed

    def check(self) -> Iterator[Finding]:
        """Yield the findings of the repository."""
        for path, problem in self._settings.unreadable.items():
            if problem.certain and path == "config.yaml":
                message = f"{path} is no YAML: {problem.reason}."
                yield finding("P2C804", path, problem.line, message, "Correct the line.")
        if not self._settings.trees or not (self._designed or self._may_load()):
            return
        flow = Flow(self._settings, self._receivers, {p: blocks(t) for p, t in self._texts.items()}, self._designed)
        flow.run()
        reads = Reading(flow).collect()
        yield from self._missing(reads)
        yield from self._refused(reads)
        yield from self._unread(reads)
        yield from self._numbers(reads)

    def _may_load(self) -> bool:
        """Tell whether the code may load one of the files, and is not too long to be followed."""
        texts = self._texts.values()
        if sum(map(len, texts)) > _MOST_TEXT or not any(_LOADS.search(text) for text in texts):
            return False
        stems = {path.rpartition("/")[2].partition(".")[0] for path in self._settings.trees}
        return self._settings.only() is not None or any(stem in text for text in texts for stem in stems)

    def _missing(self, reads: Reads) -> Iterator[Finding]:
        there: dict[str, list[bool]] = defaultdict(list)
        for file, keys in {(r.file, r.keys) for r in reads.reads}:
            there[file].append(not self._settings.lacks(file, keys))
        said: set[tuple[str, Keys, str]] = set()
        for read in sorted(reads.reads, key=lambda r: (not r.sure, r.path, r.line)):
            known = (read.file, read.keys) in reads.present or _is_below(reads.changed, read)
            if read.kind == "default" or known or not self._settings.lacks(read.file, read.keys):
                continue
            if not read.sure and 2 * sum(there[read.file]) < len(there[read.file]):
                continue  # it may be another file altogether
            if (read.file, read.keys, read.path) not in said:
                said.add((read.file, read.keys, read.path))
                yield self._lacking(read, self._severity(read, reads))

    def _severity(self, read: Read, reads: Reads) -> Severity:
        if self._designed and read.kind != "get":
            return "error"
        certain = read.sure and read.kind != "get" and not _is_below(reads.lost, read)
        return "error" if certain else "warning"

    def _lacking(self, read: Read, severity: Severity) -> Finding:
        parent = self._settings.entry(read.file, read.keys[:-1])
        there = sorted(parent.items) if parent is not None else []
        close = get_close_matches(read.keys[-1], there, n=3)
        instead = close or there[:_SHOWN]
        has = f" It has {', '.join(f'`{key}`' for key in instead)}." if instead else ""
        message = f"`{'.'.join(read.keys)}` is read, but {read.file} has no such key."
        hint = f"Add the key to {read.file}, or read another.{has}"
        return finding("P2C801", read.path, read.line, message, hint, severity, (read.file, *read.keys))

    def _refused(self, reads: Reads) -> Iterator[Finding]:
        for read, name in reads.refused:
            message = f"`{name}` is called with all of {read.file}, and has no parameter `{read.keys[-1]}`."
            hint = f"Remove the key from {read.file}, or give `{name}` a parameter for it."
            severity: Severity = "error" if read.sure and not _is_below(reads.changed | reads.lost, read) else "warning"
            yield finding("P2C801", read.path, read.line, message, hint, severity)

    def _unread(self, reads: Reads) -> Iterator[Finding]:
        read = {(r.file, r.keys) for r in reads.reads}
        for file in sorted({r.file for r in reads.reads}):
            queue: list[tuple[Keys, Entry]] = [((), self._settings.trees[file])]
            for keys, entry in queue:
                below = {r for f, r in read if f == file and r[:-1] == keys}
                if (file, keys) in reads.lost or not entry.whole or not any(r[-1] in entry.items for r in below):
                    continue
                for key, value in entry.items.items():
                    if (*keys, key) in below:
                        queue.append(((*keys, key), value))
                    elif not self._is_mentioned(key):
                        message = f"No code reads `{'.'.join((*keys, key))}`."
                        yield finding(
                            "P2C802", file, value.line, message, "Remove the key, or read it where it counts."
                        )

    def _is_mentioned(self, key: str) -> bool:
        word = re.compile(rf"(?<!\w){re.escape(key)}(?!\w)")
        return any(key in text and word.search(text) for text in self._texts.values())

    def _numbers(self, reads: Reads) -> Iterator[Finding]:
        if any(_OTHER_LOADERS.search(text) for text in self._texts.values()):
            return  # they know more spellings than PyYAML
        for file in sorted({r.file for r in reads.reads}):
            queue: list[tuple[Keys, Entry]] = [((), self._settings.trees[file])]
            for keys, entry in queue:
                queue += [((*keys, key), value) for key, value in entry.items.items()]
                spelled = number_spelling(entry)
                if spelled is not None and not self._is_converted(keys[-1]):
                    message = f"`{'.'.join(keys)}: {entry.text}` is text for PyYAML, no number."
                    yield finding("P2C803", file, entry.line, message, f"Write `{spelled}`.", about=(file, spelled))

    def _is_converted(self, key: str) -> bool:
        """Tell whether the code makes a number of what it reads under a key."""
        made = re.compile(rf"\b(?:float|Decimal|literal_eval|eval)\([^)]*\b{re.escape(key)}\b")
        return any(made.search(text) for text in self._texts.values())


def _is_below(marked: set[tuple[str, Keys]], read: Read) -> bool:
    """Tell whether a mapping that the key stands in is marked."""
    return any((read.file, read.keys[:depth]) in marked for depth in range(len(read.keys)))
