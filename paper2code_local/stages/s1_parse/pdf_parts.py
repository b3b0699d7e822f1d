"""Which part of a paper a section belongs to.

In: number and heading, and the part of the section before. Out: the part. Must not know where headings come from.
"""

from __future__ import annotations

import re
from typing import Literal

Part = Literal["body", "acknowledgements", "appendix", "back"]

_ACKNOWLEDGEMENTS = re.compile(r"acknowledge?ments?\b|funding\b", re.IGNORECASE)
_BACK = re.compile(
    r"(author )?contributions?$|competing interests?|conflicts? of interest|declarations?$|"
    r"(data|code)( and \w+)? availability|.*\bchecklist$",
    re.IGNORECASE,
)
_APPENDIX = re.compile(r"appendi(x|ces)\b|supplement|supporting information", re.IGNORECASE)


def part_of(number: str, heading: str, before: Part) -> Part:
    """Return the part of a section; once the appendix has begun, sections stay in it."""
    if _ACKNOWLEDGEMENTS.match(heading):
        return "acknowledgements"
    if _BACK.match(heading):
        return "back"
    if before == "appendix" or _APPENDIX.match(heading) or re.match(r"[A-Z](\.|$)", number):
        return "appendix"
    return "body"
