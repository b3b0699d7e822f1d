"""What a reader should know before running the code (P2C001 to P2C005): warnings, never more.

In: a file that compiles. Out: findings. Must not know other files. Names are followed through the file's
imports, not through variables: what is hidden is not found.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from paper2code_local.artifacts.finding import Finding
from paper2code_local.source import Usage, chain_of
from paper2code_local.stages.s5_validate.codes import finding

_TESTS = re.compile(r"(?:.*/)?(?:tests?|testing)/.*|(?:.*/)?(?:conftest|test_\w+|\w+_test|setup)\.py")
_SHELL = frozenset(
    {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "commands.getoutput"}
)
_PICKLE = frozenset(
    f"{module}.{name}"
    for module in ("pickle", "cPickle", "dill", "cloudpickle", "joblib")
    for name in ("load", "loads")
) | {"pandas.read_pickle", "yaml.unsafe_load", "yaml.full_load", "pickle.Unpickler", "shelve.open", "marshal.loads"}
_NETWORK = re.compile(
    r"(?:requests|httpx)\.(?:get|post|put|patch|delete|head|request|stream|Session|Client|AsyncClient)"
    r"|urllib2?\.(?:request\.)?(?:urlopen|urlretrieve)|urllib3\.PoolManager|http\.client\.HTTPS?Connection"
    r"|socket\.(?:socket|create_connection|create_server)|aiohttp\.(?:ClientSession|request)|wget\.download"
    r"|gdown\.(?:download\w*|cached_download)|nltk\.download|ftplib\.FTP\w*|smtplib\.SMTP\w*|paramiko\.SSHClient"
    r"|huggingface_hub\.(?:hf_hub_download|snapshot_download|login|upload_\w+)|torch\.hub\.(?:load|download_url_to_file"
    r"|load_state_dict_from_url)|torchvision\.datasets\.utils\.download\w*|tensorflow_hub\.load|kagglehub\.\w+"
    r"|tensorflow_datasets\.load|sklearn\.datasets\.fetch_\w+|gensim\.downloader\.load|boto3\.(?:client|resource)"
)
_BY_NAME = frozenset({"from_pretrained", "load_dataset"})
"""Take the name of something on a hub, or a path."""
_WRITERS: Mapping[str, int] = {
    **dict.fromkeys("os.remove os.unlink os.rmdir os.removedirs os.mkdir os.makedirs shutil.rmtree".split(), 0),  # noqa: SIM905
    **dict.fromkeys("os.rename os.replace shutil.move shutil.copy shutil.copy2 shutil.copyfile".split(), 1),  # noqa: SIM905
    **dict.fromkeys("shutil.copytree torch.save joblib.dump".split(), 1),  # noqa: SIM905
    **dict.fromkeys("numpy.save numpy.savez numpy.savetxt matplotlib.pyplot.savefig".split(), 0),  # noqa: SIM905
}
"""Function → which of its arguments is the path that it changes."""
_METHODS = frozenset({"write_text", "write_bytes", "mkdir", "unlink", "rmdir", "touch", "to_csv", "to_json", "savefig"})
_OUTSIDE = re.compile(r"(?:/(?!dev/|tmp(?:/|$)|proc/|sys/)|~|[A-Za-z]:[\\/]|(?:\./)*\.\.(?:/|$)).*", re.DOTALL)


def safety(path: str, usage: Usage, calls: Sequence[ast.Call]) -> Iterator[Finding]:
    """Yield what running the file may do beyond computing; `calls` has every call in it."""
    if _TESTS.fullmatch(path):
        return
    names = _Names(usage)
    said: set[tuple[str, int]] = set()
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        dotted = names.dotted(call.func)
        for code, check in _CHECKS.items():
            problem = check(call, dotted, names)
            if problem is not None and (code, call.lineno) not in said:
                said.add((code, call.lineno))
                message, hint = problem
                yield finding(code, path, call.lineno, message, hint)


class _Names:
    """What the names of a file are short for."""

    def __init__(self, usage: Usage) -> None:
        self.imported: dict[str, str] = {}
        self.own: set[str] = set()
        for name, binding in ((n, b) for s in usage.scopes for n, bound in s.bindings.items() for b in bound):
            imported = binding.imported
            if imported is None or imported.level:
                self.own.add(name)
            elif binding.name is not None:
                self.imported[name] = f"{imported.module}.{binding.name}"
            else:
                self.imported[name] = imported.module if imported.asname else name

    def dotted(self, node: ast.expr) -> str:
        """Return the full name of what is called; "" when it is not evident, ".name" for a method of something."""
        chain = chain_of(node)
        if chain is None:
            return f".{node.attr}" if isinstance(node, ast.Attribute) else ""
        first = self.imported.get(chain[0])
        if first is not None and chain[0] not in self.own:
            return ".".join((first, *chain[1:]))
        if len(chain) == 1:
            return f"builtins.{chain[0]}" if chain[0] not in self.own and first is None else ""
        return f".{chain[-1]}"


Problem = tuple[str, str] | None


def _runs_text(call: ast.Call, dotted: str, names: _Names) -> Problem:
    if dotted not in ("builtins.eval", "builtins.exec") or not call.args or isinstance(call.args[0], ast.Constant):
        return None
    name = dotted.rpartition(".")[2]
    return f"`{name}` runs text as code.", "Use `ast.literal_eval`, a dictionary of functions, or `getattr`."


def _shell(call: ast.Call, dotted: str, names: _Names) -> Problem:
    shell = _keyword(call, "shell")
    by_keyword = dotted.startswith("subprocess.") and isinstance(shell, ast.Constant) and shell.value is True
    if dotted not in _SHELL and not by_keyword:
        return None
    return f"`{dotted}` runs a command in a shell.", "Use `subprocess.run` with a list of words and without a shell."


def _unpickles(call: ast.Call, dotted: str, names: _Names) -> Problem:
    hint = "Load only what you wrote yourself, or a format that holds data alone."
    if dotted == "torch.load":
        only = _keyword(call, "weights_only")
        if (isinstance(only, ast.Constant) and only.value is False) or (only is None and not _has_star(call)):
            return "`torch.load` may run code that the file holds.", "Give `weights_only=True`."
        return None
    if dotted == "yaml.load":
        loader = _keyword(call, "Loader") or (call.args[1] if len(call.args) > 1 else None)
        name = (chain_of(loader) or ("",))[-1] if loader is not None else "Loader"
        unsafe = name in ("Loader", "UnsafeLoader", "FullLoader")
        return ("`yaml.load` may run code that the file holds.", "Use `yaml.safe_load`.") if unsafe else None
    allow = _keyword(call, "allow_pickle")
    arrays = dotted == "numpy.load" and isinstance(allow, ast.Constant) and allow.value is True
    return (f"`{dotted}` may run code that the file holds.", hint) if dotted in _PICKLE or arrays else None


def _network(call: ast.Call, dotted: str, names: _Names) -> Problem:
    hint = "Say so in the README, and let a local path be given instead."
    if _NETWORK.fullmatch(dotted):
        return f"`{dotted}` uses the network.", hint
    name = dotted.rpartition(".")[2]
    first = call.args[0] if call.args else None
    if name in _BY_NAME and dotted != "" and isinstance(first, ast.Constant) and isinstance(first.value, str):
        local = first.value.startswith((".", "/", "~")) or _keyword(call, "local_files_only") is not None
        is_file = name == "load_dataset" and first.value in ("json", "csv", "text", "parquet", "imagefolder", "arrow")
        return None if local or is_file else (f"`{name}` fetches `{first.value[:60]}` from a hub.", hint)
    download = _keyword(call, "download")
    if isinstance(download, ast.Constant) and download.value is True:
        return f"`{name}` downloads data.", hint
    return None


def _writes_outside(call: ast.Call, dotted: str, names: _Names) -> Problem:
    target: ast.expr | None = None
    name = dotted.rpartition(".")[2]
    if dotted in ("builtins.open", "io.open"):
        mode = _keyword(call, "mode") or (call.args[1] if len(call.args) > 1 else None)
        if isinstance(mode, ast.Constant) and re.search("[wax+]", str(mode.value)):
            target = call.args[0] if call.args else _keyword(call, "file")
    elif dotted in _WRITERS:
        target = call.args[_WRITERS[dotted]] if len(call.args) > _WRITERS[dotted] else None
    elif name in ("to_csv", "to_json", "savefig"):
        target = call.args[0] if call.args else None
    elif name in _METHODS and isinstance(call.func, ast.Attribute):
        target = call.func.value
    where = _place(target, names) if target is not None else None
    if where is None or _OUTSIDE.fullmatch(where) is None:
        return None
    return f"`{name}` changes {where[:80]}, outside of the working directory.", "Take the folder as an argument."


def _place(node: ast.expr, names: _Names) -> str | None:
    """Return the path that an expression begins with; None when it is not evident."""
    for _ in range(10):
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Add | ast.Mod):
            node = node.left
        elif isinstance(node, ast.JoinedStr) and node.values:
            node = node.values[0]
        elif isinstance(node, ast.Call):
            dotted = names.dotted(node.func)
            if dotted == "pathlib.Path.home":
                return "~"
            first = ("os.path.join", "os.path.expanduser", "os.path.abspath", "pathlib.Path", "builtins.str")
            if dotted not in first or not node.args:
                return None
            node = node.args[0]
        else:
            return None
    return None


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((k.value for k in call.keywords if k.arg == name), None)


def _has_star(call: ast.Call) -> bool:
    return any(k.arg is None for k in call.keywords)


_CHECKS: Mapping[str, Callable[[ast.Call, str, _Names], Problem]] = {
    "P2C001": _runs_text,
    "P2C002": _shell,
    "P2C003": _unpickles,
    "P2C004": _network,
    "P2C005": _writes_outside,
}
