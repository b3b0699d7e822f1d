"""The bytes of a TEI document to its tree, refusing what a paper never needs.

In: bytes that may be hostile. Out: the root element, free of comments and processing instructions. Must not know what
stands in the document.
"""

from __future__ import annotations

from lxml import etree

from paper2code_local.errors import InputError
from paper2code_local.stages.s1_parse.tei_walk import local_name

MAX_BYTES = 50_000_000
"""Several hundred times the TEI of a long paper."""

_REGENERATE = "Let GROBID (processFulltextDocument) make the TEI again, or give the PDF instead."


def tei_root(data: bytes) -> etree._Element:
    """Parse `data`, in any encoding that its declaration or byte order mark names.

    Entities are not resolved, nothing is fetched; libxml2 bounds depth (256) and the size of a text (10 MB).
    Raises InputError: `too_large`, `empty`, `doctype`, `malformed_xml`, `not_tei`.
    """
    if len(data) > MAX_BYTES:
        message = f"The TEI document has {len(data):,} bytes; at most {MAX_BYTES:,} are read."
        raise InputError("too_large", message, "Give the TEI of a single paper.")
    data = data.lstrip(b" \t\r\n")  # XML allows no white space before its declaration; editors leave some
    if not data:
        raise InputError("empty", "The TEI document is empty.", _REGENERATE)
    try:
        _refuse_doctype(data)
        root = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as error:
        message = f"The TEI document is not well-formed XML: {error.msg or 'no reason known'}"
        raise InputError("malformed_xml", message, _REGENERATE) from None
    if (name := local_name(root)) != "TEI":
        raise InputError("not_tei", f"The document is XML, but its root is {name[:60]!r} instead of TEI.", _REGENERATE)
    return root


class _DoctypeError(Exception):
    pass


class _RootReachedError(Exception):
    pass


class _Prolog:
    """A parser target that stops at the DOCTYPE or at the first element, whatever the encoding."""

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise _DoctypeError

    def start(self, tag: str | bytes, attrib: dict[str | bytes, str | bytes]) -> None:
        raise _RootReachedError

    def end(self, tag: str | bytes) -> None: ...

    def data(self, data: str | bytes) -> None: ...

    def comment(self, text: str | bytes) -> None: ...

    def close(self) -> None: ...


def _refuse_doctype(data: bytes) -> None:
    """Stop before a document type declares its first entity: GROBID writes none, and attacks need one."""
    try:
        etree.fromstring(data, _parser(_Prolog()))
    except _DoctypeError:
        message = "The document declares a DOCTYPE, which can define entities and fetch files: it is refused."
        hint = "Remove the <!DOCTYPE …> declaration; the TEI that GROBID writes has none."
        raise InputError("doctype", message, hint) from None
    except _RootReachedError:
        return


def _parser(target: _Prolog | None = None) -> etree.XMLParser:
    return etree.XMLParser(
        target=target,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,  # two elements with the same xml:id are no reason to refuse a paper
    )
