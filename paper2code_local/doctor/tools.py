"""Other programs: git, which commits the repository, and bubblewrap, in which generated code can be tried."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from paper2code_local.doctor.check import Check, Subject, fine, last_line, sudo, warned

MANAGERS = {
    "apt-get": "{sudo}apt-get update && {sudo}apt-get install -y {name}",
    "dnf": "{sudo}dnf install -y {name}",
    "zypper": "{sudo}zypper --non-interactive install {name}",
    "pacman": "{sudo}pacman -S --noconfirm {name}",
    "apk": "{sudo}apk add {name}",
}
"""Package managers → how they install."""
NAMESPACES = {
    "user/max_user_namespaces": ("0", "15000"),
    "kernel/unprivileged_userns_clone": ("0", "1"),
    "kernel/apparmor_restrict_unprivileged_userns": ("1", "0"),
}
"""Kernel settings that forbid user namespaces: the value that does, and the one that does not."""


def git(subject: Subject) -> Iterator[Check]:
    """Check that git is here and its settings can be read. Who has no name in them commits under ours."""
    code, version = subject.run("git", "--version")
    if code:
        yield warned("git", f"{version}: the repository is written without a commit", _install(subject, "git"))
        return
    with tempfile.TemporaryDirectory(prefix="p2c-doctor-") as folder:
        code, name = subject.run("git", "config", "--get", "user.name", folder=Path(folder))
    if code not in (0, 1):
        yield warned("git", f"there is no commit while git says: {last_line(name)}", "git config --global --edit")
    else:
        who = f"as {name}" if name and not code else "as paper2code_local, as user.name is not set"
        yield fine("git", f"{version.removeprefix('git version ')}, commits {who}")


def sandbox(subject: Subject) -> Iterator[Check]:
    """Start a sandbox without network, and look from inside whether it has one."""
    if not subject.which("bwrap"):
        found = "bubblewrap is not installed: generated code cannot be tried in a sandbox"
        yield warned("sandbox", found, _install(subject, "bubblewrap"))
        return
    code, said = subject.run("bwrap", "--ro-bind", "/", "/", "--unshare-net", "cat", "/proc/net/dev")
    if code:
        yield warned("sandbox", f"none can be started: {last_line(said)}", _allow_namespaces(subject))
        return
    devices = {line.partition(":")[0].strip() for line in said.splitlines() if ":" in line}
    if devices != {"lo"}:
        yield warned("sandbox", f"it has a network: {', '.join(sorted(devices))}", _install(subject, "bubblewrap"))
    else:
        yield fine("sandbox", "bubblewrap starts one without network")


def _allow_namespaces(subject: Subject) -> str:
    for name, (forbids, allows) in NAMESPACES.items():
        if subject.text(f"proc/sys/{name}").strip() == forbids:
            return f"{sudo()}sysctl -w {name.replace('/', '.')}={allows}"
    return "allow user namespaces, where this container or its kernel is set up"


def _install(subject: Subject, name: str) -> str:
    for manager, how in MANAGERS.items():
        if subject.which(manager):
            return how.format(sudo=sudo(), name=name)
    return f"install {name}"
