"""What is decided of a file before the model writes: its docstring, imports, headers, signatures and docstrings.

In: a file's plan and specification, the names that its needs define. Out: text that is right by construction, and whole
files put together from bodies. Must not know engines or prompts.
"""

from __future__ import annotations

import json
import re
import subprocess
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ruff import find_ruff_bin

from paper2code_local.artifacts.paths import module_of
from paper2code_local.artifacts.plan import ENTRY, ClassPlan, FilePlan, FunctionPlan
from paper2code_local.artifacts.repo import SourceFile
from paper2code_local.artifacts.spec import FileSpec
from paper2code_local.source import known_import, undefined_names

BARE_BASES = {"torch.utils.data.Dataset": "Dataset"}
INDENT = "    "


@dataclass(frozen=True)
class Unit:
    """One function or method whose body the model writes."""

    qualname: str
    plan: FunctionPlan
    owner: ClassPlan | None


@dataclass(frozen=True)
class Interface:
    """What is decided of a file."""

    file: FilePlan
    spec: FileSpec
    names: Mapping[str, tuple[str, ...]]
    """Path of a needed file → the names it defines."""
    packages: tuple[str, ...]
    """Third-party packages that the plan names."""

    def units(self) -> tuple[Unit, ...]:
        """Return the functions and methods in the order of the file."""
        methods = (Unit(f"{c.name}.{m.name}", m, c) for c in self.file.classes for m in c.methods)
        return (*methods, *(Unit(f.name, f, None) for f in self.file.functions))

    def opening(self, unit: Unit) -> str:
        """Return what stands before a unit's body: class header, signature, docstring, the base's __init__ call."""
        pad = INDENT if unit.owner else ""
        lines = [class_header(unit.owner)] if unit.owner else []
        lines.append(f"{pad}{unit.plan.signature}:")
        lines += textwrap.indent(self.docstring(unit), pad + INDENT).split("\n")
        if unit.owner and unit.plan.name == "__init__" and "." in unit.owner.base:
            lines.append(f"{pad}{INDENT}super().__init__()")
        return "\n".join(lines) + "\n"

    def docstring(self, unit: Unit) -> str:
        """Return the docstring of a unit from its specification."""
        described = {d.name: d for d in self.spec.definitions}.get(unit.qualname)
        text = described.does if described else unit.plan.purpose
        shapes = f"\n\nShapes: {described.shapes}" if described and described.shapes else ""
        return quoted(text + shapes)

    def assembled(self, bodies: Mapping[str, str], reason: str) -> SourceFile:
        """Put the file together; a unit without a body becomes an honest stub that names `reason`."""
        stubbed = tuple(u.qualname for u in self.units() if u.qualname not in bodies)
        body = "\n\n\n".join(self._definitions(bodies, stub_line(reason)))
        return SourceFile(path=self.file.path, text=formatted(self.with_imports(body), self.local()), stubbed=stubbed)

    def _definitions(self, bodies: Mapping[str, str], stub: str) -> Iterator[str]:
        written = {u.qualname: self._unit_text(u, bodies, stub) for u in self.units()}
        for planned in self.file.classes:
            attributes = "".join(f"\n{INDENT}{a.name}: {a.type}" for a in planned.attributes)
            head = class_header(planned) + "\n" + textwrap.indent(quoted(planned.purpose), INDENT) + "\n" + attributes
            yield head + "\n\n" + "\n\n".join(written[f"{planned.name}.{m.name}"] for m in planned.methods)
        yield from (written[f.name] for f in self.file.functions)
        if self.file.path == ENTRY:
            yield ENTRY_BLOCK

    def stub(self, unit: Unit, reason: str) -> str:
        """Return a unit as an honest stub that names `reason`, indented as in its file."""
        return self._unit_text(unit, {}, stub_line(reason))

    def _unit_text(self, unit: Unit, bodies: Mapping[str, str], stub: str) -> str:
        opening = self.opening(unit)
        if unit.owner:
            opening = opening.split("\n", 1)[1]
        pad = INDENT * (2 if unit.owner else 1)
        return opening + (bodies[unit.qualname] if unit.qualname in bodies else pad + stub).rstrip()

    def with_imports(self, body: str) -> str:
        """Return `body` under its module docstring and the imports of all names that it uses and we can resolve."""
        lines = self.imports(undefined_names(f"from __future__ import annotations\n{body}"))
        return "\n".join(
            [quoted(self.file.purpose), "", "from __future__ import annotations", "", *lines, "", "", body, ""]
        )

    def imports(self, wanted: tuple[str, ...]) -> list[str]:
        """Return the import lines for those of the `wanted` names that can be resolved, local ones last."""
        outside = sorted({line for name in wanted if (line := known_import(name)) and not self._home(name)})
        local = []
        for path in self.file.needs:
            used = sorted(n for n in wanted if self._home(n) == path)
            if used:
                local.append(f"from {module_of(path)} import {', '.join(used)}")
        return [*outside, *([""] if outside and local else []), *local]

    def unresolved(self, text: str) -> tuple[str, ...]:
        """Return the names in `text` that neither we nor the file can define."""
        own = set(self.file.names())
        return tuple(n for n in undefined_names(text) if n not in own and not self._home(n) and not known_import(n))

    def borrowed(self, text: str) -> tuple[str, ...]:
        """Return the names in `text` that other files of the repository define."""
        return tuple(n for n in undefined_names(text) if self._home(n))

    def importable(self) -> str:
        """Return the local imports that the file may make, as text."""
        return "\n".join(f"from {module_of(p)} import {', '.join(n)}" for p, n in self.names.items() if n)

    def local(self) -> set[str]:
        """Return the top-level modules that the file may import from this repository."""
        return {module_of(path).split(".")[0] for path in self.names}

    def _home(self, name: str) -> str | None:
        return next((path for path, names in self.names.items() if name in names), None)


ENTRY_BLOCK = """if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default="config.yaml", help="settings of the experiment (default: %(default)s)")
    with open(parser.parse_args().config, encoding="utf-8") as stream:
        main(yaml.safe_load(stream))"""


def class_header(planned: ClassPlan) -> str:
    """Return the first line of a class."""
    base = BARE_BASES.get(planned.base, planned.base)
    return f"class {planned.name}({base}):" if base else f"class {planned.name}:"


def quoted(text: str) -> str:
    """Return `text` as a docstring, whatever is in it."""
    lines = textwrap.dedent(text).strip().split("\n")
    wrapped = "\n".join("\n".join(textwrap.wrap(line, 100)) for line in lines)
    safe = wrapped.replace("\\", "\\\\").replace('"""', "'''")
    end = "\n" if "\n" in safe or safe.endswith('"') else ""
    return f'"""{safe}{end}"""'


def stub_line(reason: str) -> str:
    """Return the statement of an honest stub."""
    return f"raise NotImplementedError({json.dumps(re.sub(r'[^ -~]', '?', reason)[:200])})"


def formatted(text: str, local: Iterable[str]) -> str:
    """Return `text` with its imports sorted and formatted by ruff; unchanged when it does not parse.

    `local` names the top-level modules of the repository.
    """
    ours = f"lint.isort.known-first-party={json.dumps(sorted(local))}"
    sort = ["check", "--select", "I", "--fix-only", "--quiet", "--config", ours]
    for arguments in (sort, ["format", "--line-length", "110"]):
        command = [find_ruff_bin(), *arguments, "--isolated", "--no-cache", "--stdin-filename", "x.py", "-"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=20, check=False)
        if done.returncode == 0:
            text = done.stdout
    return text
