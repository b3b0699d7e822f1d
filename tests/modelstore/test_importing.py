from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from paper2code_local.errors import ModelError
from paper2code_local.modelstore.card import load_card
from paper2code_local.modelstore.folder import model_folder
from paper2code_local.modelstore.importing import import_model
from paper2code_local.modelstore.pull import PullProgress
from paper2code_local.modelstore.store import Store, read_record, status, verify
from tests.small_model import imitate_conversion, write_model

HEADER = json.dumps({"w": {"dtype": "BF16", "shape": [3, 1], "data_offsets": [0, 6]}}).encode()
WEIGHTS = struct.pack("<Q", len(HEADER)) + HEADER + b"sixbyt"


def ignore(progress: PullProgress) -> None:
    pass


def unexpected(gguf: Path, folder: Path) -> dict[str, str]:
    raise AssertionError("nothing was to be converted")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder as people have them, with much that is not needed."""
    folder = write_model(tmp_path / "downloads" / "My_Coder-7B")
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    (folder / "README.md").write_text("# My coder")
    (folder / ".gitattributes").write_text("")
    (folder / "figures").mkdir()
    (folder / "figures" / "plot.png").write_bytes(b"")
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_imported_folder_is_found_by_its_name_and_verifies(source: Path, store: Store) -> None:
    seen: list[PullProgress] = []
    folder = import_model(source, None, store, seen.append, convert=unexpected)
    assert folder == store.root / "my-coder-7b"
    assert model_folder("my-coder-7b", store).path == folder
    assert verify(folder) == ()
    assert status("my-coder-7b", store).state == "imported"
    assert store.ids() == ("my-coder-7b",)
    assert [now.step for now in (seen[0], seen[-1])] == ["copy", "done"]
    assert all(now.done <= now.total for now in seen if now.total)
    assert not store.work("my-coder-7b").exists()


def test_only_what_is_needed_is_copied_and_the_source_stays(source: Path, store: Store) -> None:
    before = files(source)
    kept = files(import_model(source, "mine", store, ignore))
    assert files(source) == before
    assert set(kept) - {"p2c-model.json"} == {
        name for name in before if name.endswith((".json", ".jinja", ".safetensors"))
    }
    assert all(kept[name] == before[name] for name in kept if name != "p2c-model.json")


def test_the_copy_does_not_change_with_its_source(source: Path, store: Store, tmp_path: Path) -> None:
    blob = (source / "model.safetensors").rename(tmp_path / "blob")  # a snapshot of the hub's cache is made of links
    (source / "model.safetensors").symlink_to(blob)
    folder = import_model(source, "mine", store, ignore)
    blob.write_bytes(b"other")
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert not (folder / "model.safetensors").is_symlink()


def test_the_identity_of_an_import_is_that_of_its_source_files(source: Path, store: Store) -> None:
    (source / "README.md").unlink()
    (source / ".gitattributes").unlink()
    assert (
        model_folder(str(source), store).identity
        == model_folder(str(import_model(source, "mine", store, ignore)), store).identity
    )


def test_a_model_of_another_store_gets_a_record_of_its_own(source: Path, store: Store, tmp_path: Path) -> None:
    first = import_model(source, "mine", store, ignore)
    second = import_model(first, "copied", Store(tmp_path / "other"), ignore)
    assert verify(second) == ()
    assert (record := read_record(second)) is not None
    assert (record.card, record.imported_from) == ("copied", str(first))


def test_with_an_id_of_the_catalogue_the_card_is_used(source: Path, store: Store) -> None:
    card = load_card("qwen2.5-coder-7b-instruct")
    import_model(source, card.id, store, ignore)
    opened = model_folder(card.id, store)
    assert (opened.card, opened.sampling, opened.granularity) == (card, card.sampling, "file")


@pytest.mark.parametrize("as_folder", [False, True])
def test_a_gguf_is_converted_alone(as_folder: bool, store: Store, tmp_path: Path) -> None:
    gguf = tmp_path / "some" / "My-Coder.Q8_0.gguf"
    gguf.parent.mkdir()
    gguf.write_bytes(b"GGUF and more")
    (gguf.parent / "modeling.py").write_text("")
    beside: list[str] = []

    def convert(given: Path, folder: Path) -> dict[str, str]:
        beside.extend(path.name for path in given.parent.iterdir())
        return imitate_conversion(given, folder)

    folder = import_model(gguf.parent if as_folder else gguf, None, store, ignore, convert=convert)
    assert folder.name == "my-coder.q8-0"
    assert beside == [gguf.name]
    record = read_record(folder)
    assert record is not None
    assert (record.imported_from, record.converter) == (str(gguf), {"transformers": "0"})
    assert verify(folder) == ()
    assert gguf.exists()


def broken(source: Path, name: str) -> None:
    (source / name).write_bytes(b"")


REFUSED = {
    "pickled_weights": lambda source: broken(source, "training_args.bin"),
    "python_files": lambda source: broken(source, "modeling_mine.py"),
    "no_tokenizer": lambda source: (source / "tokenizer.json").unlink(),
    "no_chat_template": lambda source: (source / "chat_template.jinja").unlink(),
    "cut": lambda source: (source / "model.safetensors").write_bytes(WEIGHTS[:-1]),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_is_refused_leaves_nothing(reason: str, source: Path, store: Store) -> None:
    REFUSED[reason](source)
    with pytest.raises(ModelError) as raised:
        import_model(source, "mine", store, ignore)
    assert raised.value.code == f"model.{reason}"
    assert raised.value.hint
    assert status("mine", store).state != "imported"
    assert store.ids() == ()


@pytest.mark.parametrize(
    "weights",
    [b"", b"short", struct.pack("<Q", 2**63) + b"{}", struct.pack("<Q", 0), WEIGHTS + b"x", WEIGHTS[:20]],
    ids=["empty", "no header", "endless header", "header of nothing", "longer", "cut header"],
)
def test_safetensors_that_are_not_whole_are_refused(weights: bytes, source: Path, store: Store) -> None:
    (source / "model.safetensors").write_bytes(weights)
    with pytest.raises(ModelError) as raised:
        import_model(source, "mine", store, ignore)
    assert raised.value.code == "model.cut"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("../elsewhere", "id"), ("Mine", "id"), ("a/b", "id"), ("", "id"), ("smollm2-135m-instruct", "hashed")],
)
def test_a_name_is_never_a_path_nor_that_of_a_model_with_hashes(
    name: str, reason: str, source: Path, store: Store
) -> None:
    source = source.rename(source.parent / "___") if name == "" else source
    with pytest.raises(ModelError) as raised:
        import_model(source, name or None, store, ignore)
    assert raised.value.code == f"model.{reason}"
    assert not store.root.exists()


def test_what_is_there_is_not_replaced(source: Path, store: Store) -> None:
    folder = import_model(source, "mine", store, ignore)
    before = files(folder)
    with pytest.raises(ModelError) as raised:
        import_model(source, "mine", store, ignore)
    assert raised.value.code == "model.exists"
    assert "models rm mine" in raised.value.hint
    assert files(folder) == before


def test_several_ggufs_are_one_too_many(store: Store, tmp_path: Path) -> None:
    for name in ("a.gguf", "b.gguf"):
        (tmp_path / name).write_bytes(b"GGUF")
    with pytest.raises(ModelError) as raised:
        import_model(tmp_path, "mine", store, ignore)
    assert raised.value.code == "model.several"


def test_an_import_that_was_killed_leaves_nothing_and_can_be_made_again(source: Path, store: Store) -> None:
    def killed(now: PullProgress) -> None:
        if now.step == "copy":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_model(source, "mine", store, killed)
    assert store.find("mine") is None
    assert not (store.root / "mine").exists()
    assert verify(import_model(source, "mine", store, ignore)) == ()


def test_a_folder_that_cannot_be_written_is_said(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError) as raised:
        import_model(source, "mine", Store(tmp_path / "file"), ignore)
    assert raised.value.code == "model.store"
    assert "P2C_MODELS" in raised.value.hint
