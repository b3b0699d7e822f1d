"""The memory and the GPUs that are really there: what this process may use, not what the machine was sold with.

In: /proc, cgroup limits, nvidia-smi, a probe of torch.cuda in a process of its own. Out: `Hardware`. Decides nothing.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from paper2code_local.artifacts.frozen import Frozen

PROBE = """
import json, torch
print(json.dumps([[torch.cuda.get_device_name(i), *torch.cuda.mem_get_info(i)]
                  for i in range(torch.cuda.device_count())]))
"""


PRELOADED = (("libtcmalloc_minimal.so.4", "libtcmalloc.so.4"), ("libiomp5.so",))
"""What vLLM's documentation advises to preload on the CPU: of each group one. Here it made no difference
(benchmarks/results/decoding.md)."""
INT8_FLAGS = frozenset({"avx512_vnni", "amx_int8"})
PLACES = ("usr/lib/x86_64-linux-gnu", "usr/lib64", "usr/local/lib", "opt/intel/oneapi/compiler/latest/lib")


class Gpu(Frozen):
    """One CUDA device as this process sees it; a MIG slice is a device of its own."""

    name: str
    device: str
    """What CUDA_VISIBLE_DEVICES calls it."""
    free: int
    """Bytes."""
    total: int
    """Bytes."""


class Hardware(Frozen):
    """What an engine may use."""

    memory: int
    """Bytes of main memory available to this process: the least of MemAvailable and what its cgroups leave."""
    cores: int
    gpus: tuple[Gpu, ...] = ()
    preload: tuple[str, ...] = ()
    """Libraries for LD_PRELOAD of an engine on the CPU: the user's, then those of `PRELOADED` that are there."""
    int8: bool = False
    """Whether the CPU has instructions for products of 8-bit integers that vLLM's kernels use."""
    compiler: bool = False
    """Whether torch can compile for the CPU: there are a C++ compiler and the headers of Python."""


def hardware() -> Hardware:
    """Look at the machine. CUDA_VISIBLE_DEVICES, cgroups, MIG slices and CPU affinity are respected."""
    return Hardware(
        memory=available_memory(Path("/")),
        cores=len(os.sched_getaffinity(0)),
        gpus=_gpus() if shutil.which("nvidia-smi") else (),
        preload=preload(Path("/"), Path(sys.prefix), os.environ.get("LD_PRELOAD", "")),
        int8=not INT8_FLAGS.isdisjoint(cpu_flags(Path("/"))),
        compiler=compiles(os.environ, Path(sysconfig.get_path("include"))),
    )


def compiles(environ: Mapping[str, str], headers: Path) -> bool:
    """Say whether the compiler that torch would call is there, and Python.h among the `headers`."""
    return (
        shutil.which(environ.get("CXX", "g++"), path=environ.get("PATH")) is not None
        and (headers / "Python.h").is_file()
    )


def cpu_flags(root: Path) -> frozenset[str]:
    """Return what the first CPU can do, as the kernel calls it (`flags`; `Features` on ARM)."""
    lines = (line.partition(":")[::2] for line in _text(root / "proc/cpuinfo").splitlines())
    return frozenset(next((value.split() for key, value in lines if key.strip() in ("flags", "Features")), ()))


def preload(root: Path, prefix: Path, given: str) -> tuple[str, ...]:
    """Return what LD_PRELOAD should name: what is `given`, and of each kind that is not, what is there.

    pip and conda put libraries into `lib` below the environment's `prefix`. Some distributions call LLVM's OpenMP
    libiomp5.so too, which vLLM would take for it: that is left out.
    """
    named = [name for name in re.split("[: ]", given) if name]
    for kind in PRELOADED:
        stems = {name.partition(".")[0] for name in kind}
        if any(stem in name for stem in stems for name in named):
            continue
        places = [prefix / "lib", *(root / place for place in PLACES)]
        found = [place / name for place in places for name in kind if (place / name).is_file()]
        named += [str(path) for path in found if path.resolve().name.partition(".")[0] in stems][:1]
    return tuple(named)


def available_memory(root: Path) -> int:
    """Return the bytes of main memory that may still be used; `root` is "/" but for tests."""
    meminfo = _text(root / "proc/meminfo")
    fields = dict(line.split(":", 1) for line in meminfo.splitlines() if ":" in line)
    free = int(fields.get("MemAvailable", "0").split()[0]) * 1024
    return min([free, *_cgroup_room(root)])


def _cgroup_room(root: Path) -> list[int]:
    """Return limit − usage of every memory cgroup (v1 and v2) that this process is in, page cache not counted."""
    room = []
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base, limit_name, usage_name, prefix = root / "sys/fs/cgroup", "memory.max", "memory.current", ""
        elif "memory" in controllers.split(","):
            base = root / "sys/fs/cgroup/memory"
            limit_name, usage_name, prefix = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_"
        else:
            continue
        place = base / path.lstrip("/")
        for folder in [place, *place.parents]:
            limit, usage = _text(folder / limit_name).strip(), _text(folder / usage_name).strip()
            if limit.isdigit() and usage.isdigit():
                statistics = _text(folder / "memory.stat").split()
                counts = dict(zip(statistics[::2], map(int, statistics[1::2]), strict=False))
                cache = sum(counts.get(f"{prefix}{kind}_file", 0) for kind in ("active", "inactive"))
                room.append(max(0, int(limit) - int(usage) + cache))
            if folder == base:
                break
    return room


def _gpus() -> tuple[Gpu, ...]:
    """Ask torch in a process of its own, so that ours never initialises CUDA."""
    with suppress(OSError, subprocess.SubprocessError, ValueError):
        probe = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, timeout=120, check=True)
        found = json.loads(probe.stdout)
        devices = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
        devices = devices if len(devices) >= len(found) and devices[0] else list(map(str, range(len(found))))
        return tuple(
            Gpu(name=name, device=device, free=free, total=total)
            for device, (name, free, total) in zip(devices, found, strict=False)
        )
    return ()


def _text(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text()
    return ""
