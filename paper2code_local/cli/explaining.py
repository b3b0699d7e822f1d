"""What one finding code means, for a person or a program. In: a code. Out: text or data."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterator, Mapping

from paper2code_local.errors import UsageError
from paper2code_local.stages.s5_validate.codes import ELSEWHERE, EXPLAINED

LIST = "list"
_WIDTH = 100
_SHOWN = 600


def explained(code: str) -> str:
    """Explain a code, with a wrong and a right example; "list" lists all codes. Raises UsageError (`unknown_code`)."""
    if code.lower() == LIST:
        return "\n".join(f"{name}  {title} ({severity})" for name, (title, severity, _) in _all())
    name, title, severity, text = _find(code)
    head = f"{name}: {title} ({severity})\n\n{textwrap.fill(text, _WIDTH)}"
    if name not in EXPLAINED:
        return head
    return f"{head}\n\nWrong:\n\n{_example(EXPLAINED[name].wrong)}\n\nRight:\n\n{_example(EXPLAINED[name].right)}"


def explanation(code: str) -> dict[str, object]:
    """Return the same as data. Raises UsageError (`unknown_code`)."""
    if code.lower() == LIST:
        listed = [{"code": name, "title": title, "severity": severity} for name, (title, severity, _) in _all()]
        return {"codes": listed}
    name, title, severity, text = _find(code)
    known = EXPLAINED.get(name)
    examples = {"wrong": _texts(known.wrong), "right": _texts(known.right)} if known else {}
    return {"code": name, "title": title, "severity": severity, "explanation": text, **examples}


def _all() -> Iterator[tuple[str, tuple[str, str, str]]]:
    named = {name: (code.title, code.severity, code.explanation) for name, code in EXPLAINED.items()}
    yield from sorted({**named, **ELSEWHERE}.items())


def _find(code: str) -> tuple[str, str, str, str]:
    known = dict(_all())
    name = code.strip().upper()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=4, cutoff=0.5) or list(known)[:4]
        hint = f"Near it are {', '.join(near)}; `--explain {LIST}` names all."
        raise UsageError("unknown_code", f"there is no finding code {code!r}", hint)
    return name, *known[name]


def _texts(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: _shortened(data) for path, data in files.items()}


def _example(files: Mapping[str, bytes]) -> str:
    parts = [f"# {path}{'' if data else ' (empty)'}\n{_shortened(data)}".rstrip() for path, data in files.items()]
    return textwrap.indent("\n\n".join(parts), "    ")


def _shortened(data: bytes) -> str:
    text = data.decode("utf-8", "backslashreplace")
    return text if len(text) <= _SHOWN else f"{text[:60]}…\n"
