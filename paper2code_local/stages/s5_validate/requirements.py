"""Whether what is imported is also required, and the other way round (P2C901 to P2C903).

In: the files and modules of a repository. Out: findings. Must not know how requirements are declared, nor what is
installed here.

Sound first: an error is only what is imported for sure when the repository is used, that nothing which is declared can
bring along. Distributions that we do not know may bring anything.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from paper2code_local.artifacts.finding import Finding, Severity
from paper2code_local.source import Import
from paper2code_local.source.distributions import brought_by, distribution, gives, normalised, providers, usual
from paper2code_local.stages.s5_validate.codes import finding
from paper2code_local.stages.s5_validate.declared import declarations
from paper2code_local.stages.s5_validate.imports import imported_files
from paper2code_local.stages.s5_validate.modules import SHARED_NAMESPACES, Modules

_NOT_INSTALLED = frozenset(
    """__main__ __builtin__ _typeshed bpy bmesh mathutils maya hou pymol carla omni pxr isaacgym unreal nuke idaapi
    ConfigParser cPickle cStringIO Queue StringIO urllib2 urlparse httplib HTMLParser commands copy_reg tkMessageBox
    Tkinter tkFileDialog thread dummy_threading htmlentitydefs xmlrpclib SocketServer BaseHTTPServer asynchat asyncore
    distutils imp lib2to3 pip setuptools pkg_resources sitecustomize usercustomize google_colab""".split()  # noqa: SIM905
)
"""What comes with Python of some version, or with the program that runs the code."""
_MACHINE = frozenset(
    """torch torchvision torchaudio torchtext tensorflow tensorflow_gpu jax jaxlib mxnet paddle apex flash_attn
    xformers triton dgl torch_geometric torch_scatter torch_sparse torch_cluster torch_spline_conv detectron2 mmcv
    faiss pytorch3d cupy horovod mpi4py deepspeed tensorrt pycuda nvidia cuda dali spconv MinkowskiEngine tinycudann
    nvdiffrast kaolin mujoco_py""".split()  # noqa: SIM905
)
"""What people install by hand, in the build for their machine."""
_ASIDE = re.compile(
    r"(?:.*/)?(?:tests?|testing|docs?|examples?|demos?|tutorials?|notebooks?|benchmarks?|scripts?|tools?|ci|dev|"
    r"third_party|thirdparty|3rdparty|external|externals|vendor|vendored|_vendor|submodules|contrib|\w*_tests?)/.*"
    r"|(?:.*/)?(?:setup|conftest|noxfile|tasks|fabfile|hubconf|test_\w+|\w+_test|conf)\.py"
)
_SILENT_PARTS = frozenset(
    """accelerate absl-py cython ipython ipywidgets h5py lxml ninja openpyxl pillow protobuf pyarrow scipy sentencepiece
    tables tensorboard tiktoken tensorboardx setuptools typing-extensions numpy six matplotlib xlrd tokenizers kaleido
    imageio-ffmpeg ftfy safetensors hf-transfer grpcio""".split()  # noqa: SIM905
)
"""What others use without being told, or read and write files with."""
_INSTALLABLE = frozenset({"setup.py", "setup.cfg", "pyproject.toml"})
_FREEZE = 40


@dataclass(frozen=True, slots=True)
class _Use:
    """One import of something that is not in the repository."""

    path: str
    imported: Import

    @property
    def top(self) -> str:
        return self.imported.module.partition(".")[0]


class RequirementCheck:
    """Compares what one repository imports with what it declares."""

    def __init__(self, files: Mapping[str, bytes], modules: Modules, designed: bool) -> None:
        """`designed`: we wrote the repository, requirements included."""
        self._files = files
        self._modules = modules
        self._designed = designed
        self._declared = declarations(files)
        self._native = any(path.endswith((".pyx", ".cu", ".cpp", "CMakeLists.txt")) for path in files)
        self._moves_path = any(o.changes_path for o in modules.outlines.values()) or ".gitmodules" in files

    def check(self) -> Iterator[Finding]:
        """Yield the findings of the repository."""
        uses = [use for use in self._uses() if not self._is_local(use)]
        certain = [use for use in uses if use.imported.at_import_time and not use.imported.guarded]
        if not self._declares_anything(certain):
            known = [use for use in certain if not _ASIDE.fullmatch(use.path)]
            if known and not any(path.endswith(("/METADATA", "/PKG-INFO")) for path in self._files):
                yield _nothing_declared(known)
        else:
            yield from self._missing(uses)
        yield from self._unused({use.top.lower() for use in self._uses()})

    def imports(self) -> dict[str, str]:
        """Return what requirements are surely imported as → the requirement: names that are theirs, not beside others.

        What an installable repository requires under a name of its own is itself.
        """
        found: dict[str, str] = {}
        own = {} if _INSTALLABLE & self._files.keys() else self._declared.own
        for name, place in ({**self._declared.names, **own}).items():
            known = distribution(name) if place.group == "main" else None
            if known is not None and not known.is_tool:
                theirs = {
                    each for each in known.imports if each[0] != "_" and normalised(usual(each) or "") == known.name
                }
                found.update({each: name for each in theirs if normalised(each) == known.name or len(theirs) == 1})
        return found

    def _declares_anything(self, uses: list[_Use]) -> bool:
        """Tell whether requirements are declared for anything that is imported; an empty list of a package is none."""
        declared = self._declared
        empty = declared.is_package and declared.understood and all(p.group == "told" for p in declared.names.values())
        covered = not uses or any(declared.covers(use.path) for use in uses)
        return bool(declared.files) and (self._designed or (covered and not empty))

    def _uses(self) -> Iterator[_Use]:
        for path, outline in self._modules.outlines.items():
            for imported in outline.imports:
                top = imported.module.partition(".")[0]
                if imported.level or imported.for_types or top in sys.stdlib_module_names | _NOT_INSTALLED:
                    continue
                if imported.module != "google.colab" and top.isidentifier():
                    yield _Use(path, imported)

    def _is_local(self, use: _Use) -> bool:
        resolved = self._modules.resolve(use.imported, use.path)
        if resolved.modules or resolved.missing:
            return True
        homes = [folder for folder, names in self._modules.children.items() if use.top in names]
        if any(f"{folder}/__init__.py" not in self._modules.files for folder in homes):
            return True  # some folder is put on the path, perhaps
        built_here = self._native or self._moves_path or bool(homes)
        return not providers(use.top) and (built_here or use.top.startswith("_"))

    def _missing(self, uses: list[_Use]) -> Iterator[Finding]:
        names = self._declared.names
        brought = brought_by(name for name, place in names.items() if place.group != "told")
        unknown = any(distribution(name) is None for name, place in names.items() if place.group != "told")
        reached = self._reached()
        worst: dict[str, tuple[Severity, _Use]] = {}
        for use in sorted(uses, key=lambda use: (use.path, use.imported.line)):
            optional = use.imported.guarded or (self._declared.is_package and not use.imported.at_import_time)
            aside = _ASIDE.fullmatch(use.path) or not self._declared.covers(use.path)
            if optional or aside or self._is_covered(use):
                continue
            severity = self._severity(use, unknown, brought, reached)
            if use.top not in worst or (severity == "error" and worst[use.top][0] == "warning"):
                worst[use.top] = (severity, use)
        for top, (severity, use) in worst.items():
            wanted = usual(top) or normalised(top)
            behind = next((brought[name] for name in (wanted.lower(), *providers(top)) if name in brought), None)
            message = f"`{top}` is imported, but {self._declared.place} does not require `{wanted}`"
            message += f", which only comes along with `{behind}`." if behind else "."
            hint = f"Add `{wanted}` to {self._declared.place}."
            yield finding("P2C901", use.path, use.imported.line, message, hint, severity, (top, wanted))

    def _is_covered(self, use: _Use) -> bool:
        if use.top in SHARED_NAMESPACES:
            prefix = normalised(use.top)
            family = (prefix, "protobuf", "tensorflow", "tensorboard") if prefix == "google" else (prefix,)
            return any(name.startswith(family) for name in self._declared.names)
        if any(gives(name, use.top) for name in self._declared.names):
            return True
        wanted = normalised(use.top)
        return not providers(use.top) and any(
            len(wanted) > 2 and (wanted in name or name in wanted)
            for name, place in self._declared.names.items()
            if place.group != "told" and distribution(name) is None
        )

    def _severity(self, use: _Use, unknown: bool, brought: Mapping[str, str], reached: frozenset[str]) -> Severity:
        if not use.imported.at_import_time or not self._declared.understood or unknown or use.top in SHARED_NAMESPACES:
            return "warning"
        if any(name in brought for name in (normalised(use.top), *providers(use.top))):
            return "warning"
        if self._designed:
            return "error"
        return "error" if use.top not in _MACHINE and use.path in reached else "warning"

    def _reached(self) -> frozenset[str]:
        """Return the files that are imported for sure: by the package itself, or by what is run as a script."""
        inits = {
            path for path in self._modules.files if re.fullmatch(r"(?:src/)?[^/]+/__init__\.py", path)
        } & self._modules.outlines.keys()
        found = dict.fromkeys(sorted(path for path in inits if not _ASIDE.fullmatch(path)))
        if not self._declared.is_package:
            scripts = (p for p in self._modules.outlines if "/" not in p or b"__main__" in self._files[p])
            found.update(dict.fromkeys(p for p in scripts if not _ASIDE.fullmatch(p)))
        queue = list(found)
        for path in queue:
            outline = self._modules.outlines.get(path)
            for imported in outline.imports if outline is not None else ():
                if imported.guarded or not imported.at_import_time:
                    continue
                for file in imported_files(self._modules, imported, path):
                    for each in (*self._modules.package_files(file), file):
                        if each not in found:
                            found[each] = None
                            queue.append(each)
        return frozenset(found)

    def _unused(self, imported: set[str]) -> Iterator[Finding]:
        declared = [(name, place) for name, place in self._declared.names.items() if place.group == "main"]
        if len(declared) > _FREEZE:
            return  # a list of everything that happened to be installed
        text = b"\n".join(data for path, data in self._files.items() if path.endswith((".py", ".yaml", ".yml", ".sh")))
        needed_by_others = brought_by(name for name in self._declared.names)
        for name, place in declared:
            known = distribution(name)
            if known is None or known.is_tool or known.name in _SILENT_PARTS or known.name in needed_by_others:
                continue
            if known.imports & imported or any(_mentions(text, each) for each in (*known.imports, name)):
                continue
            message = f"{place.path} requires `{name}`, which no file imports."
            yield finding("P2C902", place.path, place.line, message, "Remove it, unless something needs it unseen.")


def _mentions(text: bytes, word: str) -> bool:
    pattern = rb"\b" + re.escape(word.encode()).replace(rb"\-", b"[-_]") + rb"\b"
    return re.search(pattern, text, re.IGNORECASE) is not None


def _nothing_declared(uses: list[_Use]) -> Finding:
    tops = sorted({usual(use.top) or use.top for use in uses}, key=str.lower)
    first = min(uses, key=lambda use: (use.path, use.imported.line))
    more = f" and {len(tops) - 6} more" if len(tops) > 6 else ""
    message = f"Nothing in this repository says which packages it requires: {', '.join(tops[:6])}{more}."
    return finding("P2C903", first.path, first.imported.line, message, "Write a requirements.txt with their names.")
