"""What a repository says that it requires.

In: the files of a repository. Out: distributions, and whether that is certainly all. Must not know what is imported.
"""

from __future__ import annotations

import ast
import configparser
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from paper2code_local.source.distributions import normalised
from paper2code_local.stages.s5_validate.requirement_lines import Line, decoded, included, requirement_name, split_lines
from paper2code_local.stages.s5_validate.yaml_file import Entry, read_yaml

Group = Literal["main", "extra", "told"]
REQUIREMENTS = re.compile(r"(?:.*/)?(?:[^/]*requirements?[^/]*\.(?:txt|in)|requirements/[^/]+\.(?:txt|in))")
_ENVIRONMENT = re.compile(r"(?:.*/)?[^/]*(?:env|conda)[^/]*\.ya?ml")
_TOLD = re.compile(r"(?:README|INSTALL|Dockerfile|[^/]+\.sh)[^/]*", re.IGNORECASE)
_INSTALL = re.compile(r"\b(?:pip3?|conda|mamba|uv(?: pip)?|poetry)\s+(?:install|add)\s+([^\n`&|;)]+)")
_SYSTEM = re.compile(
    r"python|pip|_.*|lib.*|ld_impl.*|g(?:cc|xx)[-_].*|cuda.*|cudnn|pytorch-(?:cuda|mutex)|cpuonly|blas|mkl.*|ffmpeg|make"
    r"|openssl|ca-certificates|intel-openmp|x264|xz|zlib|zstd|tk|sqlite|readline|ncurses|freetype|jpeg|lcms2|lz4-c|git"
    r"|bzip2|cmake|git-lfs|nccl|openmpi|nodejs"
)
"""Packages of conda that hold no Python."""
_EXTRA = re.compile(r"dev|test|doc|lint|optional|extra|example|ci", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Declaration:
    """One distribution, where it is declared first."""

    path: str
    line: int
    """1-based; 0 when it is not known."""
    group: Group
    """"extra": optional, or for developers; "told": only mentioned in a command for the reader."""


@dataclass(frozen=True, slots=True)
class Declared:
    """Everything that a repository declares."""

    names: Mapping[str, Declaration]
    """Normalised name of each distribution."""
    own: Mapping[str, Declaration]
    """Those that are called like a module or folder at the top: the repository itself, or what it hides."""
    files: tuple[str, ...]
    """Those that declare something; none: the repository does not say."""
    understood: bool
    """`names` is all."""
    is_package: bool
    """Only the metadata of a package declares: what is not part of it may need more."""

    def covers(self, path: str) -> bool:
        """Tell whether a file stands in or below the folder of one of `files`, or beside its folder `requirements`."""
        folders = (re.sub(r"(?:^|/)requirements$", "", declaring.rpartition("/")[0]) for declaring in self.files)
        return any(not folder or path.startswith(f"{folder}/") for folder in folders)

    @property
    def place(self) -> str:
        """Return the file to which a requirement should be added."""
        return self.files[0] if self.files else "requirements.txt"


def declarations(files: Mapping[str, bytes]) -> Declared:
    """Read every file of a repository that declares requirements."""
    found = _Found(files)
    for path in sorted(files, key=lambda p: (p.count("/"), p)):
        name = path.rpartition("/")[2]
        if REQUIREMENTS.fullmatch(path):
            found.requirements(path, "extra" if _EXTRA.search(path.replace("requirements", "")) else "main")
        elif name == "pyproject.toml":
            found.pyproject(path)
        elif name == "setup.cfg":
            found.setup_cfg(path)
        elif name == "setup.py":
            found.setup_py(path)
        elif name == "Pipfile":
            found.pipfile(path)
        elif _ENVIRONMENT.fullmatch(path):
            found.environment(path)
        elif "/" not in path and _TOLD.fullmatch(name):
            found.told(path)
    own: dict[str, Declaration] = {}
    for name in {re.sub(r"^src/", "", path).partition("/")[0] for path in files if path.endswith(".py")}:
        if (declared := found.names.pop(normalised(name), None)) is not None:
            own[normalised(name)] = declared  # it requires itself, with extras, or tells how it is installed itself
    is_package = not any(REQUIREMENTS.fullmatch(path) or path.endswith((".yml", ".yaml")) for path in found.files)
    return Declared(found.names, own, tuple(found.files), found.understood, is_package)


class _Found:
    """What has been read so far."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._contents = files
        self.names: dict[str, Declaration] = {}
        self.files: list[str] = []
        self.understood = True
        self._read: set[str] = set()

    def requirements(self, path: str, group: Group) -> None:
        """Take a requirements file, and those that it includes."""
        text = decoded(self._contents.get(path, b""))
        if path in self._read:
            return
        self._read.add(path)
        if text is None:
            self.understood = False
            return
        self._declares(path)
        for line in split_lines(text):
            other = included(path, line.text)
            if other is not None:
                if self._contents.get(other):
                    self.requirements(other, group)
                else:
                    self.understood = False
            else:
                self._add_line(path, line, group)

    def pyproject(self, path: str) -> None:
        """Take the metadata of PEP 621 and PEP 735, and what Poetry, PDM, uv and Hatch have of their own."""
        table = self._toml(path)
        project = _table(table, "project")
        tool = _table(table, "tool")
        poetry = _table(tool, "poetry")
        if "dependencies" in project or "dependencies" in poetry:
            self._declares(path)
        if "dependencies" in _list(project.get("dynamic")):
            self._dynamic(path, _table(_table(tool, "setuptools"), "dynamic"))
        self._add_all(path, project.get("dependencies"), "main")
        for group in ("optional-dependencies", "dependency-groups"):
            for each in (_table(project, group) or _table(table, group)).values():
                self._add_all(path, each, "extra")
        self._add_keys(path, _table(poetry, "dependencies"), "main")
        self._add_keys(path, _table(poetry, "dev-dependencies"), "extra")
        for each in _table(poetry, "group").values():
            self._add_keys(path, _table(each if isinstance(each, dict) else {}, "dependencies"), "extra")
        for each in _table(_table(tool, "pdm"), "dev-dependencies").values():
            self._add_all(path, each, "extra")
        self._add_all(path, _table(tool, "uv").get("dev-dependencies"), "extra")
        for each in _table(_table(tool, "hatch"), "envs").values():
            self._add_all(path, each.get("dependencies") if isinstance(each, dict) else None, "extra")

    def setup_cfg(self, path: str) -> None:
        """Take `install_requires` and the extras."""
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(decoded(self._contents[path]) or "")
        except configparser.Error:
            self.understood = False
            return
        wanted = [("options", "install_requires", "main"), ("options", "tests_require", "extra")]
        if parser.has_section("options.extras_require"):
            wanted += [("options.extras_require", name, "extra") for name in parser.options("options.extras_require")]
        for section, option, group in wanted:
            value = parser.get(section, option, fallback="")
            if value.strip().startswith("file:"):
                self._from_files(value.strip()[5:].split(","))
            elif value.strip():
                self._declares(path)
                for line in split_lines(value.replace(";\n", "\n")):
                    self._add_line(path, Line(self._line_of(path, line.text), line.text), _group(group))

    def setup_py(self, path: str) -> None:
        """Take what the call of `setup` says in literals; anything computed is not understood."""
        try:
            tree = ast.parse(decoded(self._contents[path]) or "")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            self.understood = False
            return
        known = {
            target.id: node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        } | {
            node.optional_vars.id: node.context_expr
            for node in ast.walk(tree)
            if isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name)
        }
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
            if name == "setup":
                self._setup_call(path, call, known)

    def _setup_call(self, path: str, call: ast.Call, known: Mapping[str, ast.expr]) -> None:
        for keyword in call.keywords:
            if keyword.arg is None:
                self.understood = False
            elif keyword.arg in ("install_requires", "requires", "tests_require", "extras_require"):
                group: Group = "main" if keyword.arg == "install_requires" else "extra"
                self._declares(path)
                read = self._read_by(path, keyword.value, known)
                for other in read:
                    self.requirements(other, group)
                for text, line in self._literals(keyword.value, known) if not read else ():
                    self._add_line(path, Line(line, text), group)

    def _read_by(self, path: str, node: ast.expr, known: Mapping[str, ast.expr]) -> list[str]:
        """Return the requirements files that an expression names, also by what its names stand for."""
        folder = path.rpartition("/")[0]
        found: dict[str, None] = {}
        queue: list[ast.expr] = [node]
        seen: set[str] = set()
        for each in queue:
            for part in ast.walk(each):
                if isinstance(part, ast.Name) and part.id in known and part.id not in seen:
                    seen.add(part.id)
                    queue.append(known[part.id])
                elif isinstance(part, ast.Constant) and isinstance(part.value, str):
                    other = f"{folder}/{part.value}" if folder else part.value
                    found.update([(other, None)] if REQUIREMENTS.fullmatch(other) and other in self._contents else [])
        return list(found)

    def _literals(self, node: ast.expr, known: Mapping[str, ast.expr], depth: int = 0) -> Iterator[tuple[str, int]]:
        """Yield the strings of a literal list, tuple, dictionary of lists, or sum of them."""
        if isinstance(node, ast.Name) and node.id in known and depth < 5:
            yield from self._literals(known[node.id], known, depth + 1)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            for line in split_lines(node.value):
                yield line.text, node.lineno
        elif isinstance(node, ast.List | ast.Tuple | ast.Set) and depth < 5:
            for each in node.elts:
                yield from self._literals(each, known, depth + 1)
        elif isinstance(node, ast.Dict) and depth < 5:
            for each in node.values:
                yield from self._literals(each, known, depth + 1)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and depth < 5:
            yield from self._literals(node.left, known, depth + 1)
            yield from self._literals(node.right, known, depth + 1)
        else:
            self.understood = False

    def pipfile(self, path: str) -> None:
        """Take both tables of a Pipfile."""
        table = self._toml(path)
        self._declares(path)
        self._add_keys(path, _table(table, "packages"), "main")
        self._add_keys(path, _table(table, "dev-packages"), "extra")

    def environment(self, path: str) -> None:
        """Take conda's list, and pip's inside it."""
        tree = read_yaml(self._contents[path])
        listed = tree.items.get("dependencies") if isinstance(tree, Entry) else None
        if listed is None:
            return
        self._declares(path)
        for entry in listed.elements:
            below = entry.items.get("pip")
            for each in below.elements if below is not None else ():
                other = included(path, each.text)
                if other is None:
                    self._add_line(path, Line(each.line, each.text), "main")
            if entry.text:
                name = re.match(r"(?:[\w-]+::)?([\w.-]+)", entry.text)
                if name is not None and not _SYSTEM.fullmatch(name[1]):
                    self._add(path, Line(entry.line, name[1]), "main")

    def told(self, path: str) -> None:
        """Take what the reader is told to install."""
        for match in _INSTALL.finditer(decoded(self._contents[path]) or ""):
            for word in match[1].split():
                name = requirement_name(word.strip("'\""))
                if name and not word.startswith("-"):
                    self.names.setdefault(normalised(name), Declaration(path, 0, "told"))

    def _dynamic(self, path: str, dynamic: Mapping[str, object]) -> None:
        value = dynamic.get("dependencies")
        if isinstance(value, dict):
            given = value.get("file")
            self._declares(path)
            self._from_files(given if isinstance(given, list) else [given])
        elif not any(p.rpartition("/")[2] == "setup.py" for p in self._contents):
            self.understood = False

    def _from_files(self, names: Sequence[object]) -> None:
        for name in names:
            if isinstance(name, str) and self._contents.get(name.strip()):
                self.requirements(name.strip(), "main")
            else:
                self.understood = False

    def _toml(self, path: str) -> Mapping[str, object]:
        try:
            return tomllib.loads(decoded(self._contents[path]) or "")
        except (tomllib.TOMLDecodeError, RecursionError):
            self.understood = False
            return {}

    def _add_all(self, path: str, values: object, group: Group) -> None:
        for value in _list(values):
            if isinstance(value, str):
                self._declares(path)
                self._add_line(path, Line(self._line_of(path, value), value), group)

    def _add_keys(self, path: str, table: Mapping[str, object], group: Group) -> None:
        for name in table:
            if name != "python":
                self._add(path, Line(self._line_of(path, name), name), group)

    def _add_line(self, path: str, line: Line, group: Group) -> None:
        name = requirement_name(line.text)
        if name:
            self._add(path, Line(line.number, name), group)
        elif name is None:
            self.understood = False

    def _add(self, path: str, line: Line, group: Group) -> None:
        name = normalised(line.text)
        if name not in self.names or self.names[name].group == "told":
            self.names[name] = Declaration(path, line.number, group)

    def _line_of(self, path: str, text: str) -> int:
        before, found, _ = self._contents[path].partition(text.encode())
        return before.count(b"\n") + 1 if found else 0

    def _declares(self, path: str) -> None:
        if path not in self.files:
            self.files.append(path)


def _table(table: Mapping[str, object], name: str) -> dict[str, object]:
    value = table.get(name)
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _group(name: str) -> Group:
    return "main" if name == "main" else "extra"
