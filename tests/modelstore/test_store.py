from __future__ import annotations

from pathlib import Path

import pytest

from paper2code_local.errors import ModelError
from paper2code_local.modelstore.card import HubSource
from paper2code_local.modelstore.folder import model_folder, open_folder
from paper2code_local.modelstore.pull import pull
from paper2code_local.modelstore.store import RECORD, Store, default_store, remove, size_of, status, verify
from tests.small_model import card_for, imitate_conversion

CARD = card_for(b"GGUF", HubSource(kind="hub", repo="http://127.0.0.1:1/o/t", revision="r", file="tiny.gguf"))


@pytest.fixture
def pulled(store: Store, tmp_path: Path) -> Path:
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF")
    return pull(CARD, store, lambda progress: None, local=tmp_path, convert=imitate_conversion)


def test_the_store_is_where_the_environment_says(tmp_path: Path) -> None:
    assert default_store({"P2C_MODELS": str(tmp_path), "XDG_DATA_HOME": "/elsewhere"}).root == tmp_path
    assert default_store({"XDG_DATA_HOME": str(tmp_path)}).root == tmp_path / "paper2code_local" / "models"
    assert default_store({}).root == Path.home() / ".local/share/paper2code_local/models"


def test_an_untouched_model_has_no_problems(pulled: Path) -> None:
    assert verify(pulled) == ()


def test_each_change_of_a_pulled_model_is_named(pulled: Path) -> None:
    (pulled / "model.safetensors").write_bytes(b"FUGG")
    (pulled / "tokenizer.json").write_text("longer than before")
    (pulled / "chat_template.jinja").unlink()
    (pulled / "extra.json").write_text("")
    assert verify(pulled) == (
        "chat_template.jinja: is missing",
        "extra.json: was not there when it was written",
        "model.safetensors: changed",
        "tokenizer.json: changed its size",
    )


def test_without_a_record_there_is_nothing_to_compare_with(pulled: Path, store: Store) -> None:
    (pulled / RECORD).write_text("{}")
    (problem,) = verify(pulled)
    assert RECORD in problem
    assert status(CARD.id, store, CARD.gguf.sha256).state == "partial"


def test_a_damaged_model_is_not_opened(pulled: Path) -> None:
    (pulled / "model.safetensors").write_bytes(b"GG")
    with pytest.raises(ModelError) as raised:
        open_folder(pulled, CARD)
    assert raised.value.code == "model.damaged"
    assert "models pull tiny" in raised.value.hint


def test_status_tells_pulled_from_absent(pulled: Path, store: Store, tmp_path: Path) -> None:
    found = status(CARD.id, store, CARD.gguf.sha256)
    assert (found.state, found.path) == ("pulled", pulled)
    assert found.bytes_on_disk == sum(path.stat().st_size for path in pulled.iterdir())
    absent = status(CARD.id, Store(tmp_path / "other"))
    assert (absent.state, absent.bytes_on_disk) == ("absent", 0)


def test_a_pulled_model_keeps_its_identity_when_it_moves(pulled: Path, store: Store, tmp_path: Path) -> None:
    before = open_folder(pulled, CARD).identity
    assert model_folder(str(pulled.rename(tmp_path / "moved")), store).identity == before


def never() -> None:
    raise AssertionError("nobody else is here")


def test_several_folders_are_named_like_a_path(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    assert default_store({"P2C_MODELS": f"{one}:{two}:"}) == Store(one, (two,))
    assert default_store({"P2C_MODELS": ":"}) == default_store({})


def test_a_model_in_a_shared_folder_is_found_and_never_written(pulled: Path, tmp_path: Path) -> None:
    shared = pulled.parent
    mine = Store(tmp_path / "mine", (shared,))
    shared.chmod(0o555)
    try:
        assert mine.find(CARD.id) == mine.folder(CARD.id) == pulled
        assert status(CARD.id, mine, CARD.gguf.sha256).state == "pulled"
        assert mine.ids() == (CARD.id,)
        assert model_folder(CARD.id, mine).path == pulled
        assert pull(CARD, mine, lambda progress: None) == pulled, "what is there is not fetched again"
        with pytest.raises(ModelError) as raised:
            remove(CARD.id, mine, never)
    finally:
        shared.chmod(0o755)
    assert raised.value.code == "model.shared"
    assert not mine.root.exists()


def test_the_first_folder_comes_first(pulled: Path, tmp_path: Path) -> None:
    mine = Store(tmp_path / "mine", (pulled.parent,))
    own = pull(CARD, Store(mine.root), lambda progress: None, local=tmp_path, convert=imitate_conversion)
    assert mine.find(CARD.id) == own != pulled


def test_a_removed_model_is_gone_with_what_a_stopped_pull_left(pulled: Path, store: Store) -> None:
    left = store.work(CARD.id) / "hub.part"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half of it")
    size = size_of(pulled) + size_of(left.parent)
    assert remove(CARD.id, store, never) == size
    assert not pulled.exists()
    assert not left.parent.exists()
    assert status(CARD.id, store).state == "absent"


def test_of_a_linked_model_only_the_link_is_removed(pulled: Path, store: Store, tmp_path: Path) -> None:
    elsewhere = pulled.rename(tmp_path / "elsewhere")
    pulled.symlink_to(elsewhere)
    assert remove(CARD.id, store, never) == 0
    assert not pulled.is_symlink()
    assert verify(elsewhere) == ()


@pytest.mark.parametrize("name", ["../outside", "/etc", "", ".", "..", ".pulling", "absent", "Absent"])
def test_nothing_else_is_removed(name: str, pulled: Path, store: Store, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (store.root / ".pulling").mkdir(exist_ok=True)
    with pytest.raises(ModelError) as raised:
        remove(name, store, never)
    assert raised.value.code == "model.not_here"
    assert (tmp_path / "outside").is_dir()
    assert (store.root / ".pulling").is_dir()
    assert verify(pulled) == ()
