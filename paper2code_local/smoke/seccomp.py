"""The system calls that nothing in the sandbox may make, as a filter for the kernel.

In: the machine's architecture. Out: the filter, as classic BPF (seccomp(2), linux/filter.h), for `bwrap --seccomp`.
Must not know what is run.

Refused is what would reach other processes (ptrace and its kin), what would make a namespace in which the limits can be
undone (unshare, mount, clone with new namespaces), what takes memory that belongs to no process (memfd_create, System V
shared memory and queues), and large parts of the kernel that no import needs (bpf, io_uring, keys, userfaultfd).
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _MACHINE, _FIRST_ARGUMENT = 0, 4, 16
"""Offsets in struct seccomp_data, little-endian."""
_KILL, _ALLOW, _ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
_X32 = 0x40000000
_NEW_NAMESPACE = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET."""
_CLONE3 = 435
"""Its flags lie in memory, where a filter cannot look: "no such call" makes the C library use clone."""
_SINCE_5_1 = (425, 428, 429, 430, 432, 438, 442, 447)
"""io_uring_setup open_tree move_mount fsopen fsmount pidfd_getfd mount_setattr memfd_secret, on every architecture."""


@dataclass(frozen=True, slots=True)
class _Machine:
    audit: int
    """AUDIT_ARCH_…, linux/audit.h."""
    clone: int
    refused: tuple[int, ...]
    """ptrace process_vm_readv process_vm_writev mount unshare setns memfd_create shmget msgget add_key request_key
    keyctl bpf perf_event_open userfaultfd."""


_MACHINES = {
    "x86_64": _Machine(
        0xC000003E, 56, (101, 310, 311, 165, 272, 308, 319, 29, 68, 248, 249, 250, 321, 298, 323, *_SINCE_5_1)
    ),
    "aarch64": _Machine(
        0xC00000B7, 220, (117, 270, 271, 40, 97, 268, 279, 194, 186, 217, 218, 219, 280, 241, 282, *_SINCE_5_1)
    ),
}


def seccomp_filter(machine: str) -> bytes | None:
    """Return the filter for `machine` (as `platform.machine()` calls it); None when there is none for it."""
    if machine not in _MACHINES:
        return None
    of = _MACHINES[machine]
    refuse, allow = len(of.refused) + 10, len(of.refused) + 9
    program = [(_LOAD, 0, 0, _MACHINE), (_EQUAL, 1, 0, of.audit), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, _NUMBER)]

    def on(test: int, value: int, target: int) -> None:
        program.append((test, target - len(program) - 1, 0, value))

    on(_AT_LEAST, _X32, refuse)
    on(_EQUAL, _CLONE3, refuse + 1)
    for number in of.refused:
        on(_EQUAL, number, refuse)
    program.append((_EQUAL, 0, allow - len(program) - 1, of.clone))
    program.append((_LOAD, 0, 0, _FIRST_ARGUMENT))
    on(_ANY_BIT, _NEW_NAMESPACE, refuse)
    program.append((_RETURN, 0, 0, _ALLOW))
    program.append((_RETURN, 0, 0, _ERRNO | errno.EPERM))
    program.append((_RETURN, 0, 0, _ERRNO | errno.ENOSYS))
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in program)
