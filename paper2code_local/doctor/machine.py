"""The machine itself: GPUs and their driver, the CPU, what the shell and the locale allow."""

from __future__ import annotations

import locale as system_locale
import os
import resource
import sys
from collections.abc import Iterator
from typing import Literal

from paper2code_local.doctor.check import Check, Subject, failed, fine, warned
from paper2code_local.doctor.installed import declared, installed
from paper2code_local.doctor.nvidia import Seen
from paper2code_local.isolated import MEMORY as READER_MEMORY

GIB = 1 << 30
BFLOAT16 = 8.0
"""The compute capability from which on a GPU has bfloat16, which the engine is started with."""
DRIVERS = {"12": 525, "13": 580}
"""CUDA → the first driver that runs it (CUDA Toolkit release notes, minor version compatibility)."""
FILES = 1024
"""Open files at a time: what every system allows unless somebody lowered it."""
RAISE_FILES = f"ask an administrator for {FILES} open files (nofile in limits.conf)"
LISTED = " of NVIDIA, until nvidia-smi lists the GPU"
NVIDIA, DISPLAY = "0x10de", "0x03"
"""PCI vendor, and the beginning of the class of every display or 3D controller."""


def gpu(subject: Subject) -> Iterator[Check]:
    """Check that each GPU can be used; none at all is fine."""
    found = subject.nvidia
    if found.trouble:
        yield warned("gpu", found.trouble, f"reboot, or reinstall the driver{LISTED}")
    elif not found.gpus and _has_device(subject):
        yield warned("gpu", "an NVIDIA GPU without a driver: the CPU is used", f"install the driver{LISTED}")
    elif not found.gpus:
        yield fine("gpu", "no NVIDIA GPU: the engine runs on the CPU")
    elif subject.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1"):
        yield warned("gpu", f"{len(found.gpus)} of them, hidden by CUDA_VISIBLE_DEVICES", "unset CUDA_VISIBLE_DEVICES")
    torch, engine = installed(subject, "torch"), installed(subject, "vllm")
    cuda = declared(torch, "torch/version.py", "cuda") if torch else ""
    for each in found.gpus:
        yield judged(each, cuda, "fail" if engine else "warn")


def judged(seen: Seen, cuda: str, status: Literal["warn", "fail"]) -> Check:
    """Judge a GPU for a torch that is built for `cuda`; `status` is how bad it is when it cannot be used."""
    said = f"{seen.name}, {seen.free / GIB:.1f} of {seen.total / GIB:.1f} GiB free, driver {seen.driver}"
    oldest = DRIVERS.get(cuda.partition(".")[0], 0)
    if int(seen.driver.partition(".")[0]) < oldest:
        fix = f"install NVIDIA's driver {oldest} or later, and reboot"
        return Check("gpu", status, f"{said}: torch is built for CUDA {cuda}, which needs driver {oldest}", fix)
    if seen.capability < BFLOAT16:
        found = f"{said}: no bfloat16, as its compute capability is {seen.capability}"
        return Check("gpu", status, found, "export P2C_ENGINE_ARG=dtype=half")
    return fine("gpu", said)


def _has_device(subject: Subject) -> bool:
    devices = subject.root.glob("sys/bus/pci/devices/*")
    return any(
        subject.text(f"{device.relative_to(subject.root)}/vendor").strip() == NVIDIA
        and subject.text(f"{device.relative_to(subject.root)}/class").startswith(DISPLAY)
        for device in devices
    )


def cpu(subject: Subject) -> Iterator[Check]:
    """Check that the CPU has what vLLM's kernels for x86 are compiled for: AVX2, or better AVX-512 with bfloat16."""
    from paper2code_local.engine.hardware import cpu_flags  # with pydantic, which may be what is missing

    flags = cpu_flags(subject.root)
    known = [f for f in ("amx_bf16", "avx512_bf16", "amx_int8", "avx512_vnni", "avx512f", "avx2", "bf16") if f in flags]
    said = f"{_count(len(os.sched_getaffinity(0)), 'core')}" + (f" with {', '.join(known)}" if known else "")
    if "sse2" in flags and "avx2" not in flags and not subject.nvidia.gpus:
        fix = "use another machine: only `generate` needs more than this one has"
        yield failed("cpu", f"{said}, without AVX2: vLLM cannot run on it", fix)
    else:
        yield fine("cpu", said)


def limits(_subject: Subject) -> Iterator[Check]:
    """Check the limits of the shell that have stopped a run: open files, and address space."""
    yield limited(resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_AS))


def limited(files: tuple[int, int], space: tuple[int, int]) -> Check:
    """Judge limits, each as it is and as it may be raised to: open files, and bytes of address space."""
    lowest = min((limit for limit in space if limit != resource.RLIM_INFINITY), default=None)
    if lowest is not None:
        can_raise = space[1] == resource.RLIM_INFINITY
        fix = "ulimit -v unlimited" if can_raise else "start from a shell or job whose address space is not limited"
        too_low = not can_raise and space[1] < READER_MEMORY
        found = f"address space is limited to {lowest / GIB:.1f} GiB"
        if too_low:
            return failed("limits", f"{found}, reading a paper takes {READER_MEMORY / GIB:.0f} GiB", fix)
        return warned("limits", f"{found}: an engine maps more than it uses, and may not start", fix)
    if files[0] < FILES:
        fix = f"ulimit -n {FILES}" if files[1] >= FILES or files[1] == resource.RLIM_INFINITY else RAISE_FILES
        return warned("limits", f"{files[0]} open files at a time: an engine may need more", fix)
    return fine("limits", f"{files[0]:,} open files, address space unlimited")


def locale(_subject: Subject) -> Iterator[Check]:
    """Check that file names and texts are UTF-8."""
    yield encoded(sys.getfilesystemencoding(), system_locale.getpreferredencoding(do_setlocale=False))


def encoded(names: str, texts: str) -> Check:
    """Judge the encodings of file names and of texts."""
    if {names.lower().replace("-", ""), texts.lower().replace("-", "")} == {"utf8"}:
        return fine("locale", "UTF-8")
    found = f"file names are {names}, texts {texts}: names with other characters cannot be written"
    return warned("locale", found, "export PYTHONUTF8=1")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
