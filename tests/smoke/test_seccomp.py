"""The filter of system calls, run as the kernel runs it."""

from __future__ import annotations

import errno
import struct

import pytest

from paper2code_local.smoke.seccomp import seccomp_filter

ALLOW, KILL = "allow", "kill"
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
CALLS = {
    "x86_64": {"read": 0, "clone": 56, "fork": 57, "execve": 59, "ptrace": 101, "mount": 165, "unshare": 272}
    | {"setns": 308, "memfd_create": 319, "shmget": 29, "add_key": 248, "bpf": 321, "userfaultfd": 323},
    "aarch64": {"read": 63, "clone": 220, "execve": 221, "ptrace": 117, "mount": 40, "unshare": 97}
    | {"setns": 268, "memfd_create": 279, "shmget": 194, "add_key": 217, "bpf": 280, "userfaultfd": 282},
}
HARMLESS = {"read", "fork", "execve", "clone"}


def answer(program: bytes, audit: int, number: int, argument: int = 0) -> str | int:
    """Return what a filter says to a system call: allow, kill, or the error that the caller gets."""
    data = struct.pack("<IIQ6Q", number, audit, 0, argument, 0, 0, 0, 0, 0)
    code, at, held = list(struct.iter_unpack("<HBBI", program)), 0, 0
    while True:
        operation, yes, no, value = code[at]
        match operation:
            case 0x20:
                (held,) = struct.unpack_from("<I", data, value)
                at += 1
            case 0x15 | 0x35 | 0x45:
                holds = {0x15: held == value, 0x35: held >= value, 0x45: bool(held & value)}[operation]
                at += 1 + (yes if holds else no)
            case 0x06:
                return {0x7FFF0000: ALLOW, 0x80000000: KILL}.get(value, value & 0xFFFF)


@pytest.mark.parametrize("machine", MACHINES)
def test_harmless_calls_pass_and_the_others_are_refused(machine: str) -> None:
    program = seccomp_filter(machine)
    assert program is not None
    for name, number in CALLS[machine].items():
        expected = ALLOW if name in HARMLESS else errno.EPERM
        assert answer(program, MACHINES[machine], number) == expected, name
    for number in (425, 428, 429, 430, 432, 438, 442, 447):
        assert answer(program, MACHINES[machine], number) == errno.EPERM
    assert answer(program, MACHINES[machine], 435) == errno.ENOSYS


@pytest.mark.parametrize("machine", MACHINES)
def test_a_clone_may_make_threads_and_no_namespaces(machine: str) -> None:
    program, clone = seccomp_filter(machine), CALLS[machine]["clone"]
    assert program is not None
    thread = 0x3D0F00
    assert answer(program, MACHINES[machine], clone, thread) == ALLOW
    for bit in (17, 25, 26, 27, 28, 29, 30):
        assert answer(program, MACHINES[machine], clone, thread | 1 << bit) == errno.EPERM


def test_calls_of_other_machines_end_the_process() -> None:
    program = seccomp_filter("x86_64")
    assert program is not None
    assert answer(program, 0x40000003, 0) == KILL
    assert answer(program, MACHINES["x86_64"], 0x40000000) == errno.EPERM
    assert seccomp_filter("toaster") is None
