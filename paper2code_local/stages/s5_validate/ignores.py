"""`# p2c: ignore[P2C601]` at the end of a line: findings that somebody does not want to see.

In: the text of a file. Out: which codes are ignored on which line, or the text without such comments. Must not know
when they are honoured.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator, Mapping

from paper2code_local.artifacts.finding import Finding
from paper2code_local.stages.s5_validate.codes import CODES, ELSEWHERE, finding

_COMMENT = re.compile(r"#[ \t]{0,8}p2c:[ \t]{0,8}ignore\b(?:\[([^\]\n]*)\])?")
_NOQA = re.compile(r"#[ \t]{0,8}noqa:[ \t\w,]{0,80}\bF821\b")
"""How ruff and flake8 are told that a name comes from elsewhere."""
_HINT = "Write `# p2c: ignore[CODE]` with a code of docs/findings.md, such as P2C601."


def ignored(text: str) -> dict[int, tuple[str, ...]]:
    """Return for each 1-based line the codes that its comment names; `# noqa: F821` names an undefined name, too."""
    found = {line: _codes(match) for line, _, match in _comments(text, "p2c:", _COMMENT)}
    for line, _, _ in _comments(text, "F821", _NOQA):
        found[line] = (*found.get(line, ()), "P2C601")
    return found


def without_ignores(text: str) -> tuple[str, tuple[int, ...]]:
    """Return a text without such comments, and the 1-based lines that had one."""
    lines = text.split("\n")
    found: list[int] = []
    for line, column, match in _comments(text, "p2c:", _COMMENT):
        rest = lines[line - 1]
        before, after = rest[: column + match.start()], rest[column + match.end() :].strip()
        lines[line - 1] = f"{before}# {after.lstrip('# ')}" if after.lstrip("# ") else before.rstrip()
        found.append(line)
    return "\n".join(lines), tuple(found)


def unknown_codes(path: str, lines: Mapping[int, tuple[str, ...]]) -> Iterator[Finding]:
    """Yield a warning for each comment that names no code, or one that there is not."""
    for line, codes in lines.items():
        unknown = [code for code in codes if code not in CODES and code not in ELSEWHERE]
        if unknown or not codes:
            what = f"names `{unknown[0]}`, which is no code" if unknown else "names no code"
            yield finding("P2C106", path, line, f"The comment `p2c: ignore` {what}: it has no effect.", _HINT)


def _codes(match: re.Match[str]) -> tuple[str, ...]:
    return tuple(code.strip() for code in (match.group(1) or "").split(",") if code.strip())


def _comments(text: str, word: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, int, re.Match[str]]]:
    """Yield (line, 0-based column, match) of each comment that is one, not of strings that look like it."""
    if word not in text:
        return
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and (match := pattern.search(token.string)):
                yield token.start[0], token.start[1], match
    except (tokenize.TokenError, SyntaxError):
        return
