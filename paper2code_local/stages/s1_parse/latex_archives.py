"""Archives as folders in memory: nothing is ever unpacked to disk.

In: the bytes of a tar or zip file, or of gzip. Out: trees of names and bytes. Links inside an archive are followed only
to its own entries; absolute names and names with ".." that leave it do not exist. Must not know LaTeX.
"""

from __future__ import annotations

import io
import posixpath
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator

from paper2code_local.errors import InputError
from paper2code_local.stages.s1_parse.latex_folder import MAX_BYTES, MAX_ENTRIES, MAX_TEXT, OUTSIDE, TOO_LARGE, too_many
from paper2code_local.stages.s1_parse.latex_sources import within

MAX_LINKS = 5
MAX_WARNINGS = 10
MAX_DIRECTORY = 10_000_000
"""Bytes of a zip's directory: 20,000 entries with names of 450 characters."""
_END = struct.Struct("<4s4H2LH")
_TAR_ERRORS = (tarfile.TarError, EOFError, OSError, ValueError, OverflowError, RecursionError, LookupError)
_ZIP_ERRORS = (zipfile.BadZipFile, EOFError, OSError, ValueError, OverflowError, RuntimeError, struct.error, zlib.error)
_CHUNK = 1 << 20


class Archive:
    """The files of an archive that was opened: `entries` are the ways to read them."""

    def __init__(self) -> None:
        self.entries: dict[str, Callable[[], bytes | None]] = {}
        self.links: dict[str, str] = {}
        """Name → the name that it links to."""
        self.warnings: list[str] = []

    def warn(self, warning: str) -> None:
        """Say what was left out, of many only the first."""
        if len(self.warnings) < MAX_WARNINGS and warning not in self.warnings:
            self.warnings.append(warning)

    def add(self, name: str, read: Callable[[], bytes | None], link: str | None) -> None:
        """Take in an entry; the last of a name counts, as when unpacking."""
        inside = within("", name)
        target = within(link) if link is not None and inside is not None else ""
        if inside is None or target is None:
            self.warn(OUTSIDE.format(name[:100]))
        elif link is not None:
            self.links[inside] = target
        else:
            self.entries[inside] = read

    def names(self) -> list[str]:
        """Return the names of all files and links."""
        return sorted({*self.entries, *self.links})

    def read(self, name: str) -> bytes | None:
        """Return the bytes of an entry, through at most five links."""
        for _ in range(MAX_LINKS):
            if name not in self.links:
                break
            name = self.links[name]
        return self.entries[name]() if name in self.entries else None


def unpacked(data: bytes, name: str) -> bytes:
    """Return what gzip holds. Raises InputError: `damaged`, `too_large`."""
    found = bytearray()
    stream, position = zlib.decompressobj(wbits=31), 0
    while position < len(data):
        chunk = data[position : position + _CHUNK]
        position += len(chunk)
        try:
            while chunk and not stream.eof:
                found += stream.decompress(chunk, _CHUNK)
                chunk = stream.unconsumed_tail
                if len(found) > MAX_BYTES:
                    raise _too_large(name)
        except zlib.error as error:
            raise _damaged(name, "gzip") from error
        if stream.eof and (rest := len(stream.unused_data) + len(data) - position):
            position = len(data) - len(data[-rest:].lstrip(b"\0"))  # some servers pad with zeros
            stream = zlib.decompressobj(wbits=31) if position < len(data) else stream
    if not stream.eof:
        raise _damaged(name, "gzip")
    return bytes(found)


def is_tar(data: bytes) -> bool:
    """Tell a tar file by its first header's checksum."""
    if len(data) < tarfile.BLOCKSIZE:
        return False
    try:
        tarfile.TarInfo.frombuf(data[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return False
    return True


def is_zip(data: bytes) -> bool:
    """Tell a zip file by its first bytes."""
    return data.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def tar_tree(data: bytes, name: str) -> Archive:
    """Open a tar file. Raises InputError: `damaged`, `too_many`."""
    archive = Archive()
    try:
        # not closed here, since its entries are read later; all is in memory
        tar = tarfile.open(fileobj=io.BytesIO(data), mode="r:")  # noqa: SIM115
        for count, member in enumerate(_members(tar, data, name)):
            if count >= MAX_ENTRIES:
                raise too_many(name)
            if member.isreg():
                archive.add(member.name, _tar_reader(archive, tar, member), None)
            elif member.issym():
                archive.add(member.name, lambda: None, posixpath.join(posixpath.dirname(member.name), member.linkname))
            elif member.islnk():
                archive.add(member.name, lambda: None, member.linkname)
    except _TAR_ERRORS as error:
        raise _damaged(name, "tar") from error
    return archive


def _members(tar: tarfile.TarFile, data: bytes, name: str) -> Iterator[tarfile.TarInfo]:
    """Yield the members; a file that ends inside one is damaged, which tarfile does not say of the last."""
    for member in tar:
        if member.isreg() and not member.sparse and member.offset_data + member.size > len(data):
            raise _damaged(name, "tar")
        yield member
    if 0 < len(data) - tar.offset < tarfile.BLOCKSIZE:
        raise _damaged(name, "tar")


def _tar_reader(archive: Archive, tar: tarfile.TarFile, member: tarfile.TarInfo) -> Callable[[], bytes | None]:
    def read() -> bytes | None:
        if member.size > MAX_TEXT:
            archive.warn(TOO_LARGE.format(member.name))
            return None
        stream = tar.extractfile(member)
        return stream.read() if stream else None

    return read


def zip_tree(data: bytes, name: str) -> Archive:
    """Open a zip file. Raises InputError: `damaged`, `too_many`, `encrypted`."""
    archive = Archive()
    _check_directory(data, name)
    try:
        opened = zipfile.ZipFile(io.BytesIO(data))
        entries = opened.infolist()
        if len(entries) > MAX_ENTRIES:
            raise too_many(name)
        for entry in entries:
            if entry.flag_bits & 1:
                raise InputError(
                    "encrypted", f"{name} is encrypted", "Unpack it with its password, and give the folder."
                )
            mode = entry.external_attr >> 16
            if stat.S_ISLNK(mode):
                target = opened.read(entry)[:1000].decode("utf-8", "replace") if entry.file_size < _CHUNK else "/"
                archive.add(entry.filename, lambda: None, posixpath.join(posixpath.dirname(entry.filename), target))
            elif not entry.is_dir():
                archive.add(entry.filename, _zip_reader(archive, opened, entry, name), None)
    except _ZIP_ERRORS as error:
        raise _damaged(name, "zip") from error
    return archive


def _zip_reader(
    archive: Archive, opened: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str
) -> Callable[[], bytes | None]:
    def read() -> bytes | None:
        try:
            with opened.open(entry) as stream:
                data = stream.read(MAX_TEXT + 1)
        except _ZIP_ERRORS as error:
            raise _damaged(name, "zip") from error
        if len(data) > MAX_TEXT:
            archive.warn(TOO_LARGE.format(entry.filename))
            return None
        return data

    return read


def _check_directory(data: bytes, name: str) -> None:
    """Refuse a zip whose directory alone would fill the memory: `zipfile` reads it whole."""
    end = data.rfind(b"PK\x05\x06", max(0, len(data) - 65_600))
    if end < 0 or len(data) - end < _END.size:
        raise _damaged(name, "zip")
    size = _END.unpack_from(data, end)[5]
    if size > MAX_DIRECTORY or data[max(0, end - 20) : end].startswith(b"PK\x06\x07"):  # or written for 4 GB and more
        raise too_many(name)


def _damaged(name: str, kind: str) -> InputError:
    return InputError("damaged", f"{name} is a damaged or cut {kind} file", "Download it again.")


def _too_large(name: str) -> InputError:
    return InputError(
        "too_large", f"{name} unpacks to more than {MAX_BYTES // 1_000_000} MB", "Give the paper's own files only."
    )
