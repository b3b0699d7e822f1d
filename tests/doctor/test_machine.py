"""GPUs that nvidia-smi tells of, flags of the CPU, limits and encodings."""

from __future__ import annotations

import resource

import pytest

from paper2code_local.doctor.machine import cpu, encoded, gpu, limited
from paper2code_local.doctor.nvidia import nvidia
from tests.doctor.machines import GPU, Machine

GIB = 1 << 30
NONE = resource.RLIM_INFINITY


def test_without_nvidia_smi_there_is_no_gpu(machine: Machine) -> None:
    (check,) = gpu(machine.subject())
    assert (check.status, "no NVIDIA GPU" in check.found) == ("ok", True)


def test_each_gpu_is_told(machine: Machine) -> None:
    machine.says("nvidia-smi", f"{GPU}\n{GPU}")
    checks = list(gpu(machine.subject()))
    assert [check.status for check in checks] == ["ok", "ok"]
    assert "79.1 of 80.0 GiB free" in checks[0].found


@pytest.mark.parametrize(
    ("line", "cuda", "word"),
    [
        (GPU.replace("580", "575"), "13.0", "needs driver 580"),
        (GPU.replace("580", "575"), "12.9", ""),
        (GPU.replace(" 8.0", " 7.5"), "13.0", "bfloat16"),
    ],
)
def test_a_gpu_that_cannot_be_used_fails_the_engine_for_gpus_only(
    machine: Machine, line: str, cuda: str, word: str
) -> None:
    machine.says("nvidia-smi", line)
    machine.package("torch", "2.13.0", torch_version=f"cuda: Optional[str] = '{cuda}'\n")
    (before,) = gpu(machine.subject())
    machine.package("vllm", "0.32.0")
    (after,) = gpu(machine.subject())
    assert (before.status, after.status) == (("warn", "fail") if word else ("ok", "ok"))
    assert word in after.found


@pytest.mark.parametrize("answer", ["NVIDIA-SMI has failed", "[Unknown Error], [N/A], [N/A], [N/A], [N/A]"])
def test_what_nvidia_smi_cannot_say_is_a_warning(machine: Machine, answer: str) -> None:
    machine.says("nvidia-smi", answer, code=9 if "failed" in answer else 0)
    (check,) = gpu(machine.subject())
    assert (check.status, answer[:12] in check.found) == ("warn", True)
    assert not nvidia(machine.subject().environ).gpus


def test_hidden_gpus_are_told(machine: Machine) -> None:
    machine.says("nvidia-smi", GPU)
    machine.environ["CUDA_VISIBLE_DEVICES"] = ""
    assert [check.fix for check in gpu(machine.subject())] == ["unset CUDA_VISIBLE_DEVICES", ""]


@pytest.mark.parametrize(
    ("vendor", "kind", "status"),
    [("0x10de", "0x030200", "warn"), ("0x10de", "0x020000", "ok"), ("0x8086", "0x030000", "ok")],
)
def test_a_device_without_driver_is_told(machine: Machine, vendor: str, kind: str, status: str) -> None:
    machine.file("sys/bus/pci/devices/0000:01:00.0/vendor", f"{vendor}\n")
    machine.file("sys/bus/pci/devices/0000:01:00.0/class", f"{kind}\n")
    (check,) = gpu(machine.subject())
    assert check.status == status


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("flags\t: fpu sse2 avx avx2 avx512f", "ok"),
        ("flags\t: fpu sse2 avx", "fail"),
        ("Features : asimd bf16", "ok"),
        ("", "ok"),
    ],
)
def test_a_cpu_for_x86_must_have_avx2(machine: Machine, line: str, status: str) -> None:
    machine.file("proc/cpuinfo", f"processor : 0\n{line}\n")
    (check,) = cpu(machine.subject())
    assert check.status == status
    machine.says("nvidia-smi", GPU)
    assert next(cpu(machine.subject())).status == "ok", "the GPU computes"


@pytest.mark.parametrize(
    ("files", "space", "status", "fix"),
    [
        ((1024, 4096), (NONE, NONE), "ok", ""),
        ((256, 4096), (NONE, NONE), "warn", "ulimit -n 1024"),
        ((256, 512), (NONE, NONE), "warn", "administrator"),
        ((1024, 4096), (2 * GIB, NONE), "warn", "ulimit -v unlimited"),
        ((1024, 4096), (2 * GIB, 2 * GIB), "fail", "shell"),
        ((1024, 4096), (64 * GIB, 64 * GIB), "warn", "shell"),
    ],
)
def test_limits(files: tuple[int, int], space: tuple[int, int], status: str, fix: str) -> None:
    check = limited(files, space)
    assert (check.status, fix in check.fix) == (status, True)


@pytest.mark.parametrize(
    ("names", "texts", "status"),
    [("utf-8", "UTF-8", "ok"), ("iso8859-1", "ISO-8859-1", "warn"), ("utf-8", "cp1252", "warn")],
)
def test_encodings(names: str, texts: str, status: str) -> None:
    assert encoded(names, texts).status == status
