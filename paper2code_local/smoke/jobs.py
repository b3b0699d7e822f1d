"""What is tried of a repository: every module is imported, every entry point asked for its help.

In: files. Out: jobs for the runner. Must not know sandboxes, nor what a failure is. Files are looked at by pattern, not
parsed: whatever they hold, it takes linear time.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from paper2code_local.smoke.runner import REPO

_GUARD = re.compile(rb"^if\s+__name__\s*==", re.M)
_PARSER = re.compile(
    rb"^[ \t]*(?:import|from)[ \t]+(?:argparse|click|typer|fire|docopt|absl|tyro|hydra|jsonargparse|simple_parsing)\b",
    re.M,
)
_PARSES = re.compile(rb"^(?![ \t#]).*\.parse_(?:known_)?args\(", re.M)
_BUILD = frozenset({"setup.py"})
_BUILD_REASON = "it builds the package: running it means to install"


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to try. Folders and files are as the sandbox sees them."""

    path: str
    """Relative to the repository."""
    kind: Literal["import", "help", "probe"]
    module: str
    """Its dotted name; "" where the path has none."""
    first: tuple[str, ...]
    """Folders that go before what Python searches, the repository's own among them."""
    last: tuple[str, ...]
    """Folders that go after."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """What the code finds in `sys.argv` after its own name."""
        return ("--help",) if self.kind == "help" else ()


def jobs(files: Mapping[str, bytes]) -> Iterator[Job]:
    """Yield what there is to try, in the order of the paths, all imports before all entry points.

    A file is imported unless that would be to run it: `__main__.py`, and a script that reads its command line without
    `if __name__ == "__main__"`. Asked for its help is `__main__.py`, and a script that reads its command line by
    argparse or a library like it. Other scripts are imported only: they might train for days.
    """
    python = sorted(path for path in files if path.endswith(".py") and path not in _BUILD)
    for path in python:
        if not (_is_main(path) or _acts(files[path])):
            yield _job(path, "import", files)
    for path in python:
        guarded = bool(_GUARD.search(files[path]) and _PARSER.search(files[path]))
        if _is_main(path) or _acts(files[path]) or guarded:
            yield _job(path, "help", files)


def left_alone(files: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Yield the files that are not tried at all, and why."""
    yield from ((path, _BUILD_REASON) for path in sorted(_BUILD & files.keys()))


def _is_main(path: str) -> bool:
    return PurePosixPath(path).name == "__main__.py"


def _acts(text: bytes) -> bool:
    return not _GUARD.search(text) and bool(_PARSES.search(text))


def _job(path: str, kind: Literal["import", "help"], files: Mapping[str, bytes]) -> Job:
    """Say how Python would find the file: as a module from the folder that holds its packages, or as a script."""
    place = PurePosixPath(path)
    packaged = _is_package(place.parent, files)
    base = place.parent
    while _is_package(base, files):
        base = base.parent
    if not packaged:
        base = PurePosixPath("src" if place.parts[0] == "src" else ".")
    roots = dict.fromkeys((_inside(base), _inside(PurePosixPath("."))))
    if any(name.startswith("src/") for name in files):
        roots[_inside(PurePosixPath("src"))] = None
    own = (_inside(place.parent),)
    is_script = not packaged and bool(_GUARD.search(files[path]))
    if kind == "help" and (not _is_main(path) or place.parent == PurePosixPath(".")):
        return Job(path, kind, "", (*own, *roots), ())
    if is_script:
        return Job(path, kind, _module(place.relative_to(base)), (*own, *roots), ())
    return Job(path, kind, _module(place.relative_to(base)), tuple(roots), () if packaged else own)


def _is_package(folder: PurePosixPath, files: Collection[str]) -> bool:
    return folder != PurePosixPath(".") and str(folder / "__init__.py") in files


def _module(place: PurePosixPath) -> str:
    parts = place.with_suffix("").parts
    named = parts[:-1] if parts[-1] == "__init__" else parts
    return ".".join(named) if all(part.isidentifier() for part in named) else ""


def _inside(folder: PurePosixPath) -> str:
    return str(PurePosixPath(REPO) / folder)
