"""Memory and models: what fits, what is here, and what was changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from paper2code_local.doctor.stored import memory, models
from paper2code_local.modelstore.card import cards, choose_default
from paper2code_local.modelstore.store import RECORD, Record, StoredFile, digest
from tests.doctor.machines import GPU, Machine
from tests.small_model import write_model

ID = "smollm2-135m-instruct"


@pytest.fixture
def stocked(machine: Machine) -> Machine:
    """A machine with 16 GiB and one model."""
    machine.file("proc/meminfo", f"MemAvailable: {16 << 20} kB\n")
    machine.environ["P2C_MODELS"] = str(machine.folder / "models")
    folder = write_model(machine.folder / "models" / ID)
    files = tuple(StoredFile(name=p.name, size=p.stat().st_size, sha256=digest(p)) for p in folder.iterdir())
    (folder / RECORD).write_text(Record(card=ID, files=files, converter={}).model_dump_json())
    return machine


def weights(machine: Machine) -> Path:
    return machine.folder / "models" / ID / "model.safetensors"


def test_a_model_that_is_here_is_told_and_the_default_that_is_not_fails(stocked: Machine) -> None:
    default, other = models(stocked.subject())
    assert (default.status, default.fix.endswith(f"models pull {choose_default(16 << 30).id}")) == ("fail", True)
    assert (other.status, "sizes as recorded" in other.found) == ("ok", True)


def test_the_model_that_is_named_is_the_one_that_must_be_here(stocked: Machine) -> None:
    (check,) = models(stocked.subject(model=ID))
    assert check.status == "ok"
    checks = list(models(stocked.subject(model=f"plan={choose_default(16 << 30).id},code={ID}")))
    assert [check.status for check in checks] == ["fail", "ok"]
    nonsense, _ = models(stocked.subject(model="nonsense"))
    assert (nonsense.status, ID in nonsense.fix) == ("fail", True)


def test_only_hashing_finds_a_change_of_the_same_size(stocked: Machine) -> None:
    notes: list[str] = []
    assert next(models(stocked.subject(model=ID, deep=True, note=notes.append))).status == "ok"
    assert len(notes) == 1
    weights(stocked).write_bytes(weights(stocked).read_bytes()[::-1])
    assert next(models(stocked.subject(model=ID))).status == "ok"
    (check,) = models(stocked.subject(model=ID, deep=True))
    assert (check.status, "model.safetensors: changed" in check.found) == ("fail", True)


def test_a_change_of_size_is_found_without(stocked: Machine) -> None:
    weights(stocked).write_bytes(b"")
    (check,) = models(stocked.subject(model=ID))
    assert (check.status, check.fix.startswith("rm -r "), check.fix.endswith(f"models pull {ID}")) == (
        "fail",
        True,
        True,
    )


def test_what_fits_depends_on_the_memory_there_is(stocked: Machine) -> None:
    (check,) = memory(stocked.subject())
    assert (check.status, "16.0 GiB free" in check.found) == ("ok", True)
    stocked.file("proc/meminfo", f"MemAvailable: {1 << 20} kB\n")
    (check,) = memory(stocked.subject())
    assert (check.status, "1.0 GiB free" in check.found) == ("fail", True)


def test_on_the_cpu_only_plain_weights_count(stocked: Machine) -> None:
    stocked.file("proc/meminfo", f"MemAvailable: {2 << 30} kB\n")
    plain = sum(any(weights.precision == "bf16" for weights in card.weights) for card in cards())
    assert f" {plain} of the catalogue's {len(cards())} models fit in 16 bits" in next(memory(stocked.subject())).found


def test_on_a_gpu_its_memory_counts(stocked: Machine) -> None:
    stocked.file("proc/meminfo", f"MemAvailable: {1 << 20} kB\n")
    stocked.says("nvidia-smi", GPU)
    (check,) = memory(stocked.subject())
    assert (check.status, "79.1 on the GPU" in check.found) == ("ok", True)


def test_a_smaller_model_is_proposed_only_where_one_fits(stocked: Machine) -> None:
    stocked.file("proc/meminfo", f"MemAvailable: {4 << 20} kB\n")
    (check,) = memory(stocked.subject(model="qwen2.5-coder-1.5b-instruct"))
    name, _, proposed = check.fix.partition("=")
    assert (check.status, name) == ("fail", "export P2C_MODEL")
    assert next(memory(stocked.subject(model=proposed))).status == "ok"
