"""Machines to examine: an environment, a folder of programs, one of packages, and a root, all of them made up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from paper2code_local.doctor.check import Subject

GPU = "NVIDIA A100-SXM4-80GB, 580.95.05, 8.0, 81000, 81920"
"""What nvidia-smi says of one: name, driver, compute capability, MiB free and in all."""


@dataclass
class Machine:
    """What a `Subject` is made of. Nothing is on its PATH but what is put there."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    def program(self, name: str, script: str) -> None:
        """Put a program on the PATH."""
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def says(self, name: str, text: str, code: int = 0) -> None:
        """Put a program on the PATH that says something and ends with `code`."""
        self.program(name, f"echo '{text}'; exit {code}")

    def package(self, name: str, version: str, requires: tuple[str, ...] = (), **files: str) -> None:
        """Install a package: its metadata, and files "torch/version.py" as torch_version."""
        metadata = self.folder / "site" / f"{name.replace('-', '_')}-{version}.dist-info" / "METADATA"
        metadata.parent.mkdir(parents=True)
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        metadata.write_text("\n".join([*lines, *(f"Requires-Dist: {each}" for each in requires)]) + "\n")
        for module, text in files.items():
            path = self.folder / "site" / f"{module.replace('_', '/', 1)}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)

    def file(self, path: str, text: str) -> None:
        """Write a file below the root."""
        place = self.folder / "root" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def subject(self, **given: object) -> Subject:
        """Return the machine as it is examined."""
        environ: Mapping[str, str] = {"PATH": str(self.folder / "bin"), "HOME": str(self.folder)} | self.environ
        made: dict[str, object] = {
            "environ": environ,
            "grobid": "http://127.0.0.1:8070",
            "root": self.folder / "root",
            "packages": (str(self.folder / "site"),),
            "checkout": self.folder / "checkout",
        }
        return Subject(**made | given)  # type: ignore[arg-type]
