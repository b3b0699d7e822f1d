from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest

from paper2code_local.modelstore.digests import WORTH_KEEPING, cache_folder, file_sha256, unknown_bytes

OLD = 1_700_000_000


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "digests"


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file worth keeping a digest of, last changed long ago."""
    path = tmp_path / "model.safetensors"
    with path.open("wb") as file:
        file.truncate(WORTH_KEEPING)
    os.utime(path, (OLD, OLD))
    return path


def right(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def reads(path: Path, cache: Path) -> int:
    """Return how many pieces of `path` are read for its digest, and hold the digest to the truth."""
    ticks: list[int] = []
    assert file_sha256(path, cache, ticks.append) == right(path)
    return len(ticks)


def test_a_file_is_read_once(large: Path, cache: Path) -> None:
    assert unknown_bytes((large,), cache) == WORTH_KEEPING
    assert reads(large, cache)
    assert unknown_bytes((large,), cache) == 0
    assert reads(large, cache) == 0


@pytest.mark.parametrize("how", ["content", "time", "size", "another file", "moved"])
def test_whatever_may_have_changed_is_read_again(how: str, large: Path, cache: Path) -> None:
    reads(large, cache)
    if how == "moved":
        large = large.rename(large.with_name("other"))
    elif how == "another file":
        new = large.with_name("new")
        new.write_bytes(b"x" * WORTH_KEEPING)
        os.utime(new, (OLD, OLD))
        new.replace(large)
    elif how == "time":
        os.utime(large, (OLD + 1, OLD + 1))
    else:
        with large.open("r+b") as file:
            file.truncate(WORTH_KEEPING + (how == "size"))
            file.write(b"changed")
    assert reads(large, cache)


def test_a_file_that_was_just_changed_is_not_kept(large: Path, cache: Path) -> None:
    os.utime(large)
    reads(large, cache)
    assert unknown_bytes((large,), cache) == WORTH_KEEPING


@pytest.mark.parametrize("kept", [b"", b"0" * 63, b"0" * 65, b"G" * 64, b"\xff" * 64, b"../" * 30])
def test_what_is_no_digest_is_not_believed(kept: bytes, large: Path, cache: Path) -> None:
    reads(large, cache)
    (entry,) = cache.iterdir()
    entry.write_bytes(kept)
    assert reads(large, cache)


def test_a_cache_that_others_can_write_is_not_believed(large: Path, cache: Path) -> None:
    reads(large, cache)
    (entry,) = cache.iterdir()
    entry.write_bytes(b"0" * 64)
    cache.chmod(0o777)
    assert reads(large, cache)


def test_where_nothing_can_be_kept_the_digest_is_right_all_the_same(large: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert reads(large, tmp_path / "file" / "digests")


def test_small_files_are_not_kept(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    reads(tmp_path / "config.json", cache)
    assert not cache.exists()


def test_several_at_once_agree(large: Path, cache: Path) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(file_sha256(large, cache))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {right(large)}
    assert [path.read_text() for path in cache.iterdir()] == [right(large)]


def test_the_cache_is_the_users(tmp_path: Path) -> None:
    assert cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "paper2code_local" / "digests"
    assert cache_folder({}) == Path.home() / ".cache/paper2code_local/digests"
