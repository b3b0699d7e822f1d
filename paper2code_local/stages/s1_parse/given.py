"""What the user gave, read once and safely.

In: a path. Out: a `Given`, bytes in memory and the digest by which the run is known. Must not know what a paper looks
like inside, beyond telling LaTeX from the rest. Nothing is written, and nothing is opened that was not given: of a
LaTeX document what its main file reaches inside its own folder, of an archive its own entries, in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from paper2code_local.errors import InputError
from paper2code_local.stages.s1_parse.latex_archives import is_tar, is_zip, tar_tree, unpacked, zip_tree
from paper2code_local.stages.s1_parse.latex_folder import MAX_BYTES, Folder, Tree, read_file
from paper2code_local.stages.s1_parse.latex_main import find_main, reached
from paper2code_local.stages.s1_parse.latex_sources import is_latex

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Given:
    """The paper as it was given, before anything is understood of it."""

    name: str
    """Of the file or folder."""
    files: Mapping[str, bytes]
    """Posix names inside the folder or archive → bytes; one entry for a single file that is not LaTeX."""
    main: str
    """The entry to start from: the main .tex file, or the only entry."""
    sha256: str
    """Of the bytes of a file or archive; of names and digests of what was read when that is several loose files."""
    warnings: tuple[str, ...] = ()
    """For the user, e.g. which of several main files was chosen: they belong in front of the paper's own."""


def given(path: Path) -> Given:
    r"""Read the paper at `path`: a file of any kind, a folder of LaTeX, or an archive of one, told by content.

    A LaTeX file brings what it reaches with \input and its kin inside its own folder. At most 200 MB are read, 20 MB of
    one text file, 20,000 entries of a folder or archive.
    Raises InputError: `unreadable`, `not_a_file`, `too_large`, `too_many`, `empty`, `damaged`, `encrypted`, `no_tex`,
    `no_main`.
    """
    if path.is_dir():
        return _loose(path.resolve().name, Folder(path), None)
    data = read_file(path, MAX_BYTES)
    if not data.strip():
        raise InputError("empty", f"{path.name} is empty", "Download or export the paper again.")
    digest = hashlib.sha256(data).hexdigest()
    if data.startswith(_GZIP):
        data = unpacked(data, path.name)
        if not is_tar(data):
            return _single_source(path.name, data, digest)
    if is_tar(data):
        return _archive(path.name, tar_tree(data, path.name), digest)
    if is_zip(data):
        return _archive(path.name, zip_tree(data, path.name), digest)
    if is_latex(data):
        return _loose(path.name, Folder(path.parent), path.name)
    return Given(path.name, {path.name: data}, path.name, digest)


def _single_source(name: str, data: bytes, digest: str) -> Given:
    """A paper of one file as arXiv serves it: LaTeX inside gzip."""
    if not is_latex(data):
        raise InputError("no_tex", f"{name} is compressed and holds no LaTeX", "Unpack it and give the paper itself.")
    inside = f"{name.removesuffix('.gz').removesuffix('.tex')}.tex"
    return Given(name, {inside: data}, inside, digest)


def _archive(name: str, tree: Tree, digest: str) -> Given:
    main = find_main(tree, name)
    return Given(name, reached(tree, main), main, digest, tuple(tree.warnings))


def _loose(name: str, tree: Folder, main: str | None) -> Given:
    start = find_main(tree, name) if main is None else main
    files = reached(tree, start, may_list=main is None)
    if len(files) == 1 and main is not None:
        digest = hashlib.sha256(files[main]).hexdigest()
    else:
        lines = (f"{hashlib.sha256(files[each]).hexdigest()}  {each}\n" for each in sorted(files))
        digest = hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
    return Given(name, files, start, digest, tuple(tree.warnings))
