"""The memory that this process may use: the least of what the machine and each of its cgroups leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from paper2code_local.engine.hardware import available_memory, compiles, cpu_flags, hardware, preload

GIB = 1 << 30


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine with 16 GiB available, in no cgroup."""
    write(tmp_path, "proc/meminfo", f"MemTotal: {32 << 20} kB\nMemFree: 1 kB\nMemAvailable:   {16 << 20} kB\n")
    return tmp_path


def v2(root: Path, group: str, limit: str, usage: int, statistics: str = "") -> None:
    write(root, f"sys/fs/cgroup{group}/memory.max", f"{limit}\n")
    write(root, f"sys/fs/cgroup{group}/memory.current", f"{usage}\n")
    write(root, f"sys/fs/cgroup{group}/memory.stat", statistics)


def v1(root: Path, group: str, limit: int, usage: int, statistics: str = "") -> None:
    write(root, f"sys/fs/cgroup/memory{group}/memory.limit_in_bytes", f"{limit}\n")
    write(root, f"sys/fs/cgroup/memory{group}/memory.usage_in_bytes", f"{usage}\n")
    write(root, f"sys/fs/cgroup/memory{group}/memory.stat", statistics)


def test_without_cgroups_the_machine_decides(root: Path) -> None:
    assert available_memory(root) == 16 * GIB


def test_a_cgroup_without_limit_changes_nothing(root: Path) -> None:
    write(root, "proc/self/cgroup", "0::/user/job\n")
    v2(root, "/user/job", "max", 3 * GIB)
    assert available_memory(root) == 16 * GIB
    write(root, "proc/self/cgroup", "5:memory:/job\n")
    v1(root, "/job", 9223372036854771712, 3 * GIB)
    assert available_memory(root) == 16 * GIB


def test_the_tightest_cgroup_on_the_way_up_decides(root: Path) -> None:
    write(root, "proc/self/cgroup", "0::/slurm/job/step\n")
    v2(root, "/slurm/job/step", "max", GIB)
    v2(root, "/slurm/job", str(8 * GIB), 3 * GIB)
    v2(root, "/slurm", str(12 * GIB), 11 * GIB)
    assert available_memory(root) == 1 * GIB
    v2(root, "", str(2 * GIB), 2 * GIB)
    assert available_memory(root) == 0


def test_page_cache_can_be_had_back_but_shared_memory_cannot(root: Path) -> None:
    write(root, "proc/self/cgroup", "0::/job\n")
    cache = f"anon 1\nfile {4 * GIB}\nshmem {1 * GIB}\nactive_file {2 * GIB}\ninactive_file {1 * GIB}\n"
    v2(root, "/job", str(8 * GIB), 7 * GIB, cache)
    assert available_memory(root) == 4 * GIB


def test_version_1_counts_the_whole_tree(root: Path) -> None:
    write(root, "proc/self/cgroup", "9:cpu,cpuacct:/other\n4:memory:/docker/abc\n0::/\n")
    v1(root, "/docker/abc", 6 * GIB, 5 * GIB, f"active_file 5\ntotal_active_file {GIB}\ntotal_inactive_file {GIB}\n")
    assert available_memory(root) == 3 * GIB


def test_inside_a_container_only_the_top_is_there(root: Path) -> None:
    """Without a cgroup namespace the path is the host's and does not exist here."""
    write(root, "proc/self/cgroup", "4:memory:/docker/abc\n")
    v1(root, "", 6 * GIB, 5 * GIB)
    assert available_memory(root) == 1 * GIB


def test_more_used_than_allowed_leaves_nothing(root: Path) -> None:
    write(root, "proc/self/cgroup", "0::/job\n")
    v2(root, "/job", str(GIB), 2 * GIB)
    assert available_memory(root) == 0


@pytest.mark.parametrize("meminfo", ["", "nonsense", "MemTotal: 5 kB\n"])
def test_an_unknown_machine_has_no_memory(tmp_path: Path, meminfo: str) -> None:
    write(tmp_path, "proc/meminfo", meminfo)
    assert available_memory(tmp_path) == 0


def test_this_machine() -> None:
    found = hardware()
    assert 0 < found.memory < 1 << 50
    assert found.cores >= 1
    assert all(0 <= gpu.free <= gpu.total for gpu in found.gpus)


TCMALLOC, OPENMP = "usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4", "lib/libiomp5.so"


def test_libraries_that_vllm_advises_are_preloaded_where_they_are(tmp_path: Path) -> None:
    prefix = tmp_path / "venv"
    assert preload(tmp_path, prefix, "") == ()
    write(tmp_path, TCMALLOC, "")
    assert preload(tmp_path, prefix, "") == (str(tmp_path / TCMALLOC),)
    write(prefix, OPENMP, "")
    assert preload(tmp_path, prefix, "") == (str(tmp_path / TCMALLOC), str(prefix / OPENMP))


def test_what_the_user_preloads_stays_and_is_not_doubled(tmp_path: Path) -> None:
    write(tmp_path, TCMALLOC, "")
    write(tmp_path, OPENMP, "")
    given = "/opt/libtcmalloc.so.4:/opt/libother.so"
    assert preload(tmp_path, tmp_path, given) == (*given.split(":"), str(tmp_path / OPENMP))


def test_llvms_openmp_under_intels_name_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, "usr/lib64/libomp.so.5", "")
    (tmp_path / "usr/lib64/libiomp5.so").symlink_to("libomp.so.5")
    assert preload(tmp_path, tmp_path / "venv", "") == ()


def test_what_the_cpu_can_do_is_read_from_the_first_one(tmp_path: Path) -> None:
    assert cpu_flags(tmp_path) == frozenset()
    (tmp_path / "proc").mkdir()
    listed = tmp_path / "proc/cpuinfo"
    listed.write_text("processor\t: 0\nflags\t: fpu avx512_vnni\nvmx flags\t: ept\n\nprocessor\t: 1\nflags\t: fpu\n")
    assert cpu_flags(tmp_path) == {"fpu", "avx512_vnni"}
    listed.write_text("processor\t: 0\nFeatures\t: fp asimd\n")
    assert cpu_flags(tmp_path) == {"fp", "asimd"}


@pytest.mark.parametrize(("chosen", "name"), [({}, "g++"), ({"CXX": "my-c++"}, "my-c++")])
def test_torch_compiles_where_its_compiler_and_the_headers_of_python_are(
    tmp_path: Path, chosen: dict[str, str], name: str
) -> None:
    environ, headers = {"PATH": str(tmp_path / "bin"), **chosen}, tmp_path / "include"
    write(tmp_path, "include/Python.h", "")
    assert not compiles(environ, headers)
    write(tmp_path, f"bin/{name}", "")
    (tmp_path / "bin" / name).chmod(0o755)
    assert compiles(environ, headers)
    assert not compiles(environ, tmp_path / "elsewhere")
