from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from paper2code_local.errors import ModelError
from paper2code_local.modelstore.card import GgufCard, HubSource
from paper2code_local.modelstore.folder import open_folder
from paper2code_local.modelstore.pull import PullProgress, pull
from paper2code_local.modelstore.store import RECORD, Store, read_record, status, verify
from tests.modelstore.conftest import Hub, Packages
from tests.small_model import card_for, imitate_conversion

CONTENT = b"GGUF" + bytes(range(256)) * 100
NOWHERE = HubSource(kind="hub", repo="http://127.0.0.1:1/org/tiny", revision="r", file="tiny.gguf")


def ignore(progress: PullProgress) -> None:
    pass


def unexpected(gguf: Path, folder: Path) -> dict[str, str]:
    raise AssertionError("nothing was to be converted")


def test_a_pulled_model_is_whole_recorded_and_alone(hub: Hub, store: Store) -> None:
    hub.content, card = CONTENT, card_for(CONTENT, hub.source)
    seen: list[PullProgress] = []
    folder = pull(card, store, seen.append, convert=imitate_conversion)
    assert folder == store.folder(card.id)
    assert open_folder(folder, card).weights_bytes == len(CONTENT)
    assert verify(folder) == ()
    record = read_record(folder)
    assert record is not None
    assert (record.card, record.gguf_sha256, record.converter) == ("tiny", card.gguf.sha256, {"transformers": "0"})
    assert not store.work(card.id).exists()
    assert list(dict.fromkeys(progress.step for progress in seen)) == ["hub", "check", "convert", "done"]
    assert status(card.id, store, card.gguf.sha256).state == "pulled"


def test_the_second_pull_asks_nobody(hub: Hub, store: Store) -> None:
    hub.content, card = CONTENT, card_for(CONTENT, hub.source)
    pull(card, store, ignore, convert=imitate_conversion)
    requests = len(hub.starts)
    pull(card, store, ignore, convert=unexpected)
    assert len(hub.starts) == requests


def test_the_mirror_serves_where_the_hub_is_away(packages: Packages, store: Store) -> None:
    card = card_for(CONTENT, NOWHERE, packages([CONTENT[:5000], CONTENT[5000:]]))
    seen: list[PullProgress] = []
    folder = pull(card, store, seen.append, convert=imitate_conversion)
    assert (folder / "model.safetensors").read_bytes() == CONTENT
    assert any(progress.step == "wheels" and "refused" in progress.note for progress in seen)


def test_nothing_is_trusted_before_its_sha256(hub: Hub, packages: Packages, store: Store) -> None:
    forged = bytes(len(CONTENT))
    hub.content = forged
    card = card_for(CONTENT, hub.source, packages([forged]))
    with pytest.raises(ModelError) as raised:
        pull(card, store, ignore, convert=unexpected)
    assert raised.value.code == "model.unreachable"
    assert raised.value.message.count("sha256") == 2
    assert not store.folder(card.id).exists()
    assert not any(path.is_file() for path in store.work(card.id).rglob("*"))


def test_a_forged_hub_gives_way_to_an_honest_mirror(hub: Hub, packages: Packages, store: Store) -> None:
    hub.content = bytes(len(CONTENT))
    folder = pull(card_for(CONTENT, hub.source, packages([CONTENT])), store, ignore, convert=imitate_conversion)
    assert (folder / "model.safetensors").read_bytes() == CONTENT


@pytest.mark.parametrize("as_folder", [False, True])
def test_a_local_file_comes_first_and_stays(as_folder: bool, store: Store, tmp_path: Path) -> None:
    gguf = tmp_path / "mine" / "tiny.gguf"
    gguf.parent.mkdir()
    gguf.write_bytes(CONTENT)
    local = gguf.parent if as_folder else gguf
    pull(card_for(CONTENT, NOWHERE), store, ignore, local=local, convert=imitate_conversion)
    assert gguf.read_bytes() == CONTENT


@pytest.mark.parametrize(("content", "reason"), [(None, "unreachable"), (b"short", "digest"), (bytes(25604), "digest")])
def test_a_wrong_local_file_is_refused(content: bytes | None, reason: str, store: Store, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "tiny.gguf").write_bytes(content)
    with pytest.raises(ModelError) as raised:
        pull(card_for(CONTENT, NOWHERE), store, ignore, local=tmp_path / "tiny.gguf", convert=unexpected)
    assert raised.value.code == f"model.{reason}"


def test_a_pull_that_was_killed_while_converting_goes_on_without_fetching(hub: Hub, store: Store) -> None:
    hub.content, card = CONTENT, card_for(CONTENT, hub.source)

    def killed(gguf: Path, folder: Path) -> dict[str, str]:
        imitate_conversion(gguf, folder)
        (folder / "config.json").unlink()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(card, store, ignore, convert=killed)
    assert not store.folder(card.id).exists()
    assert status(card.id, store, card.gguf.sha256).state == "partial"
    requests = len(hub.starts)
    assert verify(pull(card, store, ignore, convert=imitate_conversion)) == ()
    assert len(hub.starts) == requests


def test_a_conversion_that_is_not_what_the_card_says_is_not_shown(hub: Hub, store: Store) -> None:
    hub.content, card = CONTENT, card_for(CONTENT, hub.source)

    def other_end(gguf: Path, folder: Path) -> dict[str, str]:
        versions = imitate_conversion(gguf, folder)
        (folder / "tokenizer_config.json").write_text('{"eos_token": "</s>"}')
        return versions

    with pytest.raises(ModelError, match="</s>"):
        pull(card, store, ignore, convert=other_end)
    assert not store.folder(card.id).exists()


def test_two_pulls_of_one_model_take_turns(hub: Hub, store: Store) -> None:
    hub.content, card = CONTENT, card_for(CONTENT, hub.source)
    converting, waiting = threading.Event(), threading.Event()
    conversions: list[Path] = []

    def slow(gguf: Path, folder: Path) -> dict[str, str]:
        conversions.append(folder)
        converting.set()
        assert waiting.wait(10)
        return imitate_conversion(gguf, folder)

    first = threading.Thread(target=pull, args=(card, store, ignore), kwargs={"convert": slow})
    first.start()
    assert converting.wait(10)
    pull(card, store, lambda progress: waiting.set() if progress.step == "waiting" else None, convert=unexpected)
    first.join()
    assert len(conversions) == 1


def test_a_damaged_model_is_replaced(hub: Hub, store: Store) -> None:
    hub.content, card = CONTENT, card_for(CONTENT, hub.source)
    folder = pull(card, store, ignore, convert=imitate_conversion)
    (folder / "tokenizer.json").write_text("{ }")
    assert status(card.id, store, card.gguf.sha256).state == "partial"
    assert verify(pull(card, store, ignore, convert=imitate_conversion)) == ()


def test_a_full_disk_is_seen_before_anything_is_fetched(hub: Hub, store: Store) -> None:
    fields = card_for(CONTENT, hub.source).model_dump()
    card = GgufCard.model_validate({**fields, "converted": {"precision": "bf16", "gib": 1e9, "memory_gib": 1e9}})
    with pytest.raises(ModelError) as raised:
        pull(card, store, ignore, convert=unexpected)
    assert raised.value.code == "model.no_space"
    assert hub.starts == []


def test_a_store_that_cannot_be_made_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError) as raised:
        pull(card_for(CONTENT, NOWHERE), Store(tmp_path / "file"), ignore)
    assert raised.value.code == "model.store"


def test_a_shared_store_can_be_read_by_others(hub: Hub, store: Store) -> None:
    hub.content = CONTENT

    def private(gguf: Path, folder: Path) -> dict[str, str]:
        versions = imitate_conversion(gguf, folder)
        (folder / "model.safetensors").chmod(0o600)
        return versions

    folder = pull(card_for(CONTENT, hub.source), store, ignore, convert=private)
    assert all(os.stat(path).st_mode & 0o044 == 0o044 for path in [folder, *folder.iterdir()])  # noqa: PTH116
    assert json.loads((folder / RECORD).read_text())["schema_version"] == 1
