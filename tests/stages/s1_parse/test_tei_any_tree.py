"""Properties of TEI to Paper that hold for any tree at all: counts, characters, ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from tei_fixtures import HEADER

from paper2code_local.artifacts.paper import Figure, Formula, Paper, Paragraph, Table, block_chars, visible
from paper2code_local.stages.s1_parse.tei import paper_of_tei

ANY_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

CONTAINERS = (
    "div",
    "p",
    "s",
    "list",
    "item",
    "listBibl",
    "back",
    "figDesc",
    "table",
    "row",
    "cell",
    "quote",
    "analytic",
)
LEAVES = (
    "head",
    "formula",
    "figure",
    "biblStruct",
    "note",
    "label",
    "ref",
    "author",
    "title",
    "date",
    "unheardOf",
    "hi",
)
ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["table", "annex", "acknowledgement", "references", "bibr", "figure"]),
        "place": st.sampled_from(["foot", "margin"]),
        "n": st.sampled_from(["1", "2.1.", "A.2", "IV", ".", "n" * 30]),
        "target": st.sampled_from(["#b0", "#b1 #b2", "#fig_0", "b0"]),
        "xml:id": st.sampled_from(["b0", "b1", "fig_0", "formula_0"]),
        "when": st.sampled_from(["2019", "2019-05", "soon"]),
    },
)
Tree = tuple[str, dict[str, str], list["Tree | str"]]


def trees(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Tree]:
    def element(children: st.SearchStrategy[Tree | str]) -> st.SearchStrategy[Tree]:
        return st.tuples(st.sampled_from(CONTAINERS + LEAVES), ATTRIBUTES, st.lists(children, max_size=5))

    nested = st.recursive(texts, element, max_leaves=40)
    return st.tuples(st.just("text"), st.just({}), st.lists(nested, max_size=8))


def serial(tree: Tree | str) -> str:
    if isinstance(tree, str):
        return escape(tree)
    name, attributes, children = tree
    written = "".join(f" {k}={quoteattr(v)}" for k, v in attributes.items())
    return f"<{name}{written}>{''.join(map(serial, children))}</{name}>"


def document(tree: Tree) -> bytes:
    return f'<TEI xmlns="http://www.tei-c.org/ns/1.0">{HEADER}{serial(tree)}</TEI>'.encode()


def strings(paper: Paper) -> Iterator[str]:
    """Everything that a paper keeps of its `text`, and the numbers and years that only attributes had."""
    for section in paper.sections:
        yield from (section.number, section.heading)
        for block in section.blocks:
            match block:
                case Paragraph():
                    yield block.text
                case Formula():
                    yield from (block.text, block.label)
                case Table():
                    yield from (block.label, block.caption, block.note, *(c for row in block.rows for c in row))
                case Figure():
                    yield from (block.label, block.caption, block.text)
    yield from (reference.text for reference in paper.references)
    yield from (note.text for note in paper.footnotes)


PRINTED = st.sampled_from(
    [
        "Table 2 :",
        "Figure 1 .",
        "see Figure 1",
        "3.1. Methods",
        "A Proofs",
        "B More",
        "II. Data",
        "(3)",
        "1",
        "  \n ",
        "α, β",
    ]
)


@pytest.mark.thorough
@settings(ANY_MACHINE, max_examples=200)
@given(trees(PRINTED))
def test_counts_and_characters_hold_for_any_tree(tree: Tree) -> None:
    data = document(tree)
    paper = paper_of_tei(data)
    text = etree.fromstring(data, etree.XMLParser(collect_ids=False)).find("{*}text")
    assert text is not None
    figures = list(text.iter("{*}figure"))

    assert len(paper.formulas()) == len(list(text.iter("{*}formula")))
    assert len(paper.tables()) == sum(f.get("type") == "table" for f in figures)
    assert len(paper.figures()) == sum(f.get("type") != "table" for f in figures)
    assert len(paper.references) == len(
        text.xpath(".//t:listBibl//t:biblStruct", namespaces={"t": "http://www.tei-c.org/ns/1.0"})
    )
    assert paper.chars + paper.dropped_chars == visible("".join(str(t) for t in text.itertext()))
    assert paper.dropped_chars >= 0
    for section in paper.sections:
        assert section.chars == visible(section.heading) + sum(map(block_chars, section.blocks))


@pytest.mark.thorough
@settings(ANY_MACHINE, max_examples=200)
@given(trees(st.just("w")))
def test_every_word_is_kept_once(tree: Tree) -> None:
    words: list[str] = []

    def name(node: Tree | str) -> Tree | str:
        if isinstance(node, str):
            words.append(f"«{len(words)}»")
            return words[-1]
        return node[0], node[1], [name(child) for child in node[2]]

    named = name(tree)
    assert not isinstance(named, str)
    paper = paper_of_tei(document(named))
    kept = " ".join(strings(paper))
    assert Counter({word: kept.count(word) for word in words}) == Counter(words)
    assert paper.dropped_chars == 0
    assert paper.chars == sum(map(visible, words))


@settings(ANY_MACHINE, max_examples=100)
@given(trees(PRINTED))
def test_ids_are_ours_and_unique_and_citations_name_references(tree: Tree) -> None:
    paper = paper_of_tei(document(tree))
    blocks = [*paper.formulas(), *paper.tables(), *paper.figures()]
    ids = [s.id for s in paper.sections] + [b.id for b in blocks] + [r.id for r in paper.references]
    assert len(ids) == len(set(ids))
    assert [s.id for s in paper.sections] == [f"s{i}" for i in range(1, len(paper.sections) + 1)]
    cited = {c for s in paper.sections for b in s.blocks if isinstance(b, Paragraph) for c in b.citations}
    assert cited <= {r.id for r in paper.references}
