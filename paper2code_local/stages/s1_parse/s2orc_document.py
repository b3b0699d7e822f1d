"""The bytes of S2ORC JSON to typed records, refusing what has another shape.

In: bytes that may be hostile. Out: a `Document` whose spans lie inside their texts. Must not know what becomes of it.

The shapes are those of doc2json and of the S2ORC releases since 2019: the parse stands under `pdf_parse`, `latex_parse`
or `grobid_parse`, or its keys at the top; title, authors and abstract at the top or under `metadata`. Keys that say
nothing of the text (hashes, identifiers, affiliations) are not read.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

from paper2code_local.errors import InputError

MAX_BYTES = 50_000_000
"""Several hundred times the JSON of a long paper."""
PARSES = ("latex_parse", "pdf_parse", "grobid_parse")
"""Where a parse may stand, the best first: from LaTeX, formulas are LaTeX."""

_HINT = "Make it again with doc2json (s2orc-doc2json), or give the PDF instead."


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _null_and_empty_are_absent(cls, value: Any) -> Any:
        return {k: v for k, v in value.items() if v not in (None, "")} if isinstance(value, dict) else value


R = TypeVar("R", bound=_Record)


class Span(_Record):
    """A place in a text that cites, refers to a float, or stands for a formula."""

    start: int = Field(ge=0)
    end: int
    text: str = ""
    ref_id: str = ""
    latex: str = ""
    raw_str: str = ""
    eq_num: str = ""


class Passage(_Record):
    """A paragraph."""

    text: str = ""
    section: str = ""
    sec_num: str = ""
    cite_spans: tuple[Span, ...] = ()
    ref_spans: tuple[Span, ...] = ()
    eq_spans: tuple[Span, ...] = ()

    @model_validator(mode="after")
    def _spans_lie_inside(self) -> Passage:
        for span in (*self.cite_spans, *self.ref_spans, *self.eq_spans):
            if not span.start <= span.end <= len(self.text):
                raise ValueError(f"the span from {span.start} to {span.end} is outside of its text")
        return self


class Named(_Record):
    """A float, formula, footnote or section that spans refer to."""

    text: str = ""
    kind: str = Field("", validation_alias=AliasChoices("type_str", "type"))
    num: str = Field("", validation_alias=AliasChoices("num", "fig_num"))
    table: str = Field("", validation_alias=AliasChoices("content", "html"))
    latex: str = ""
    raw_str: str = ""


class Author(_Record):
    """A name in its parts."""

    first: str = ""
    middle: tuple[str, ...] = ()
    last: str = ""
    suffix: str = ""


class Entry(_Record):
    """An entry of the bibliography."""

    title: str = ""
    authors: tuple[Author, ...] = ()
    year: str = ""
    venue: str = ""
    volume: str = ""
    issue: str = Field("", validation_alias=AliasChoices("issue", "issn"))
    pages: str = ""
    raw_text: str = ""


class Parse(_Record):
    """The text of a paper."""

    abstract: tuple[Passage, ...] | str = ()
    body_text: tuple[Passage, ...]
    back_matter: tuple[Passage, ...] = ()
    ref_entries: dict[str, Named] = Field(default_factory=dict)
    bib_entries: dict[str, Entry] = Field(default_factory=dict)


class Metadata(_Record):
    """What stands around the text."""

    title: str = ""
    authors: tuple[Author, ...] = ()
    abstract: tuple[Passage, ...] | str = ""


class Document(BaseModel):
    """One paper: its metadata, and the best parse that the JSON has."""

    metadata: Metadata
    parse: Parse
    parses: tuple[str, ...]
    """The keys under which there are parses; () when the parse stands at the top."""


def s2orc_document(data: bytes) -> Document:
    """Read S2ORC JSON. Raises InputError: `too_large`, `s2orc_shape` with the key that is wrong."""
    if len(data) > MAX_BYTES:
        message = f"The S2ORC JSON has {len(data):,} bytes; at most {MAX_BYTES:,} are read."
        raise InputError("too_large", message, "Give the JSON of a single paper.")
    root = _json(data)
    parses = tuple(key for key in PARSES if isinstance(root.get(key), dict) and root[key].get("body_text"))
    parse = root[parses[0]] if parses else next((root[key] for key in PARSES if root.get(key) is not None), root)
    where = parses[0] if parses else next((key for key in PARSES if root.get(key) is not None), "")
    metadata = root["metadata"] if isinstance(root.get("metadata"), dict) else root
    return Document(
        metadata=_checked(Metadata, metadata, "metadata" if metadata is not root else ""),
        parse=_checked(Parse, parse, where),
        parses=parses,
    )


def is_s2orc(data: bytes) -> bool:
    """Tell whether JSON has a key under which S2ORC keeps a text. Raises InputError (`s2orc_shape`) if it is broken."""
    return not {*PARSES, "body_text"}.isdisjoint(_json(data))


def _json(data: bytes) -> dict[str, Any]:
    """Parse JSON as strictly as its standard, and no key twice in an object."""
    try:
        root = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_unique, parse_constant=_no_number)
        if b"\\ud" in data.lower():
            json.dumps(root, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise _shape(f"it is not UTF-8 at byte {error.start}") from None
    except UnicodeEncodeError:
        raise _shape("it has half of a surrogate pair, which is no character") from None
    except RecursionError:
        raise _shape("it is nested too deeply") from None
    except ValueError as error:  # a JSONDecodeError says where
        raise _shape(f"it is no JSON: {str(error)[:200]}") from None
    if not isinstance(root, dict):
        raise _shape(f"it is a JSON {type(root).__name__}, not an object")
    return root


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key[:60]!r} stands twice in one object")
        found[key] = value
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _checked(kind: type[R], value: Any, where: str) -> R:
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in (*([where] if where else []), *first["loc"]))
        said = first["msg"].replace("tuple", "list").replace("dictionary", "object")
        raise _shape(f"{key or 'the object'}: {said}") from None


def _shape(what: str) -> InputError:
    return InputError("s2orc_shape", f"The JSON has not the shape of S2ORC: {what}", _HINT)
