"""git and the sandbox, with programs that stand in for them."""

from __future__ import annotations

import os

import pytest

from paper2code_local.doctor.tools import git, sandbox
from tests.doctor.machines import Machine

DEVICES = "Inter-|   Receive\n face |bytes\n    lo:       0       0\n"


def test_without_git_there_is_no_commit_and_a_way_to_get_it(machine: Machine) -> None:
    (check,) = git(machine.subject())
    assert (check.status, check.fix) == ("warn", "install git")
    machine.says("apt-get", "")
    assert "apt-get install -y git" in next(git(machine.subject())).fix


def test_who_has_no_name_commits_under_ours(machine: Machine) -> None:
    machine.environ |= {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
    (check,) = git(machine.subject())
    assert (check.status, "paper2code_local" in check.found) == ("ok", True)
    (machine.folder / ".gitconfig").write_text("[user]\n\tname = Ada\n")
    assert next(git(machine.subject())).found.endswith("commits as Ada")
    (machine.folder / ".gitconfig").write_text("[user\n")
    (check,) = git(machine.subject())
    assert (check.status, "bad config" in check.found) == ("warn", True)


def test_without_bubblewrap_there_is_no_sandbox(machine: Machine) -> None:
    machine.says("dnf", "")
    (check,) = sandbox(machine.subject())
    assert (check.status, check.fix.endswith("dnf install -y bubblewrap")) == ("warn", True)


@pytest.mark.parametrize(("devices", "status"), [(DEVICES, "ok"), (f"{DEVICES}  eth0:  7\n", "warn")])
def test_a_sandbox_has_no_network(machine: Machine, devices: str, status: str) -> None:
    machine.says("bwrap", devices)
    (check,) = sandbox(machine.subject())
    assert (check.status, "eth0" in check.found) == (status, status == "warn")


@pytest.mark.parametrize(
    ("name", "value", "fix"),
    [
        ("user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=15000"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"),
        ("kernel/apparmor_restrict_unprivileged_userns", "0", "allow user namespaces"),
    ],
)
def test_what_forbids_a_sandbox_is_found_in_the_kernel(machine: Machine, name: str, value: str, fix: str) -> None:
    machine.says("bwrap", "bwrap: setting up uid map: Permission denied", 1)
    machine.file(f"proc/sys/{name}", f"{value}\n")
    (check,) = sandbox(machine.subject())
    assert (check.status, "setting up uid map" in check.found, fix in check.fix) == ("warn", True, True)
