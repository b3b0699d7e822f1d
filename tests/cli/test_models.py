"""`models` on an empty store, and on one with a model in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from paper2code_local.cli import main
from paper2code_local.modelstore.card import GgufCard, cards, load_card
from paper2code_local.modelstore.store import RECORD, Record, Store, StoredFile, digest
from tests.small_model import write_model

ID = "smollm2-135m-instruct"


def models(root: Path, *args: str) -> Result:
    return CliRunner(env={"P2C_MODELS": str(root)}).invoke(main, ["models", *args])


@pytest.fixture
def pulled(tmp_path: Path) -> Path:
    """A store whose model is as its record says."""
    card = load_card(ID)
    assert isinstance(card, GgufCard)
    folder = write_model(Store(tmp_path).folder(card.id))
    files = tuple(StoredFile(name=p.name, size=p.stat().st_size, sha256=digest(p)) for p in folder.iterdir())
    record = Record(card=ID, gguf_sha256=card.gguf.sha256, files=files, converter={})
    (folder / RECORD).write_text(record.model_dump_json())
    return tmp_path


def test_the_list_shows_the_catalogue_and_what_is_here(tmp_path: Path, pulled: Path) -> None:
    told = models(pulled, "list").output.splitlines()
    assert [line[2:].split()[0] for line in told[1:-1]] == [card.id for card in cards()]
    assert [line for line in told if line.startswith("* ")]
    assert " here " in next(line for line in told if ID in line)
    machine = json.loads(models(pulled, "list", "--json").stdout)
    assert machine["schema_version"] == 1
    assert {m["id"]: m["state"] for m in machine["models"]} == {
        card.id: "pulled" if card.id == ID else "absent" for card in cards()
    }
    assert sum(m["default"] for m in machine["models"]) == 1


def test_the_path_of_a_pulled_model_is_printed(pulled: Path) -> None:
    assert models(pulled, "path", ID).stdout == f"{pulled / ID}\n"


def test_a_pull_of_what_is_here_prints_its_folder_alone(pulled: Path) -> None:
    told = models(pulled, "pull", ID)
    assert (told.exit_code, told.stdout) == (0, f"{pulled / ID}\n")


@pytest.mark.parametrize("command", ["path", "verify"])
def test_a_model_that_is_not_here_is_5_and_says_how_to_get_it(tmp_path: Path, command: str) -> None:
    told = models(tmp_path, command, ID)
    assert (told.exit_code, told.stdout) == (5, "")
    assert f"p2c-local models pull {ID}" in told.stderr


@pytest.mark.parametrize("command", ["path", "verify", "pull"])
def test_an_unknown_model_is_5_and_says_which_are_known(tmp_path: Path, command: str) -> None:
    told = models(tmp_path, command, "nonsense")
    assert told.exit_code == 5
    assert ID in told.stderr


def test_a_file_that_is_not_the_catalogues_is_refused(tmp_path: Path) -> None:
    (tmp_path / "any.gguf").write_bytes(b"other weights")
    told = models(tmp_path / "store", "pull", ID, "--from", str(tmp_path / "any.gguf"))
    assert (told.exit_code, told.stdout) == (5, "")
    assert "sha256" in told.stderr


def test_a_model_as_it_was_written_verifies(pulled: Path) -> None:
    assert models(pulled, "verify", ID).exit_code == 0
    machine = json.loads(models(pulled, "verify", ID, "--json").stdout)
    assert machine == {
        **{"schema_version": 1, "ok": True, "id": ID, "path": str(pulled / ID), "hashes": True},
        "problems": [],
    }


def test_a_model_that_was_changed_does_not(pulled: Path) -> None:
    weights = pulled / ID / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[::-1])
    told = models(pulled, "verify", ID)
    assert (told.exit_code, told.stdout) == (5, "model.safetensors: changed\n")
    told = models(pulled, "verify", ID, "--json")
    machine = json.loads(told.stdout)
    assert (told.exit_code, machine["ok"], machine["problems"]) == (5, False, ["model.safetensors: changed"])
    assert machine["error"]["code"] == "model.damaged"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model of the user's own, with safetensors that hold nothing."""
    model = write_model(tmp_path / "mine" / "My-Coder")
    (model / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    return model


def test_a_model_without_hashes_is_marked_and_pull_names_the_commands(tmp_path: Path) -> None:
    told = models(tmp_path, "list").output
    marked = [line.split()[0] for line in told.splitlines() if line.endswith("no hashes")]
    assert marked == [card.id for card in cards() if not isinstance(card, GgufCard)]
    told = models(tmp_path, "pull", "phi-4").stderr
    assert "no hashes" in told
    assert "hf download microsoft/phi-4" in told
    assert "p2c-local models import phi-4 --as phi-4" in told
    assert models(tmp_path, "pull", "phi-4").exit_code == 5


def test_an_imported_model_is_listed_verified_and_removed(tmp_path: Path, folder: Path) -> None:
    store = tmp_path / "store"
    told = models(store, "import", str(folder), "--as", "mine")
    assert (told.exit_code, told.stdout) == (0, f"{store / 'mine'}\n")
    assert [line.split()[:2] for line in models(store, "list").output.splitlines() if "mine" in line] == [
        ["mine", "imported"]
    ]
    told = models(store, "verify", "mine")
    assert told.exit_code == 0
    assert "no hashes are known" in told.stdout
    assert json.loads(models(store, "verify", "mine", "--json").stdout)["hashes"] is False
    told = models(store, "rm", "mine", "--yes")
    assert (told.exit_code, told.stdout) == (0, "mine: removed, 0.0 GB freed\n")
    assert not (store / "mine").exists()
    assert folder.exists()


def test_an_import_under_an_id_of_the_catalogue_is_what_pull_and_path_mean(tmp_path: Path, folder: Path) -> None:
    store = tmp_path / "store"
    models(store, "import", str(folder), "--as", "phi-4")
    for command in ("pull", "path"):
        assert models(store, command, "phi-4").stdout == f"{store / 'phi-4'}\n"
    assert {m["id"]: m["state"] for m in json.loads(models(store, "list", "--json").stdout)["models"]}[
        "phi-4"
    ] == "imported"


def test_removing_asks_first(pulled: Path) -> None:
    no = CliRunner(env={"P2C_MODELS": str(pulled)}).invoke(main, ["models", "rm", ID], input="n\n")
    assert no.exit_code != 0
    assert (pulled / ID).is_dir()
    yes = CliRunner(env={"P2C_MODELS": str(pulled)}).invoke(main, ["models", "rm", ID], input="y\n")
    assert yes.exit_code == 0
    assert not (pulled / ID).exists()


def test_a_folder_named_by_its_path_is_not_removed(tmp_path: Path, folder: Path) -> None:
    told = models(tmp_path / "store", "rm", str(folder), "--yes")
    assert told.exit_code == 5
    assert folder.is_dir()


def test_a_shared_folder_is_named_in_the_list_and_only_read(tmp_path: Path, pulled: Path, folder: Path) -> None:
    both = f"{tmp_path / 'own'}:{pulled}"
    told = CliRunner(env={"P2C_MODELS": both}).invoke(main, ["models", "list"])
    assert f"Apache-2.0  in {pulled}" in next(line for line in told.output.splitlines() if ID in line)
    assert CliRunner(env={"P2C_MODELS": both}).invoke(main, ["models", "verify", ID]).exit_code == 0
    told = CliRunner(env={"P2C_MODELS": both}).invoke(main, ["models", "rm", ID, "--yes"])
    assert told.exit_code == 5
    assert "shared" in told.stderr
    assert (pulled / ID).is_dir()
