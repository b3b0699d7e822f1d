"""A supplement joins its paper: nothing is lost, ids stay unique, citations still lead somewhere."""

from __future__ import annotations

from paper2code_local.artifacts.paper import Paper, Paragraph
from paper2code_local.stages.s1_parse.joining import join
from paper2code_local.stages.s1_parse.markdown import paper_of_markdown

PAPER = """# On Kettles

Ada Quill

# Abstract

We boil.

# 1 Heat

As in [1] and [2].

$$y = x \\tag{1}$$

Table 1: Pots.

| a | b |
|---|---|
| 1 | 2 |

# References

[1] A. One. First. 2001.

[2] B. Two. Second. 2002.
"""
SUPPLEMENT = """# More on Kettles

Bo Moss

# Abstract

We boil more.

# 1 Proofs

See [1] and [2].[^1]

$$a = b$$

![](pot.png)

Figure 1: A pot.

[^1]: By hand.

# References

[1] B.  Two. Second. 2002.

[2] C. Three. Third. 2003.
"""


def ids(paper: Paper) -> list[str]:
    blocks = [b.id for s in paper.sections for b in s.blocks if not isinstance(b, Paragraph)]
    return [s.id for s in paper.sections] + blocks + [r.id for r in paper.references]


def joined() -> tuple[Paper, Paper, Paper]:
    paper, supplement = paper_of_markdown(PAPER.encode()), paper_of_markdown(SUPPLEMENT.encode())
    return paper, supplement, join(paper, supplement, "more.md")


def test_sections_follow_as_appendices_with_ids_that_go_on() -> None:
    paper, _, both = joined()
    assert both.sections[:1] == paper.sections
    assert [(s.id, s.heading, s.part) for s in both.sections] == [
        ("s1", "Heat", "body"),
        ("s2", "More on Kettles", "appendix"),
        ("s3", "Proofs", "appendix"),
    ]
    assert [f.id for f in both.formulas()] == ["eq1", "eq2"]
    assert len(ids(both)) == len(set(ids(both)))


def test_title_authors_and_abstract_of_the_supplement_are_text() -> None:
    _, _, both = joined()
    assert both.title == "On Kettles"
    assert both.abstract == "We boil."
    assert [b.text for b in both.sections[1].blocks if isinstance(b, Paragraph)] == ["Bo Moss", "We boil more."]


def test_what_both_have_is_not_repeated() -> None:
    paper, _, _ = joined()
    both = join(paper, paper, "again.md")
    assert [s.heading for s in both.sections] == ["Heat", "Heat"]
    assert both.references == paper.references


def test_references_that_both_have_are_one_and_citations_follow() -> None:
    _, _, both = joined()
    assert [(r.id, r.text) for r in both.references] == [
        ("b0", "[1] A. One. First. 2001."),
        ("b1", "[2] B. Two. Second. 2002."),
        ("b2", "[2] C. Three. Third. 2003."),
    ]
    see = next(b for b in both.sections[2].blocks if isinstance(b, Paragraph))
    assert see.citations == ("b1", "b2")


def test_counts_notes_and_warnings_add_up() -> None:
    paper, supplement, both = joined()
    assert both.chars == paper.chars + supplement.chars
    assert both.dropped_chars == paper.dropped_chars + supplement.dropped_chars
    assert [n.text for n in both.footnotes] == ["By hand."]
    bare = paper_of_markdown(b"Only words.")
    assert all(w.startswith("bare.md: No ") for w in join(paper, bare, "bare.md").warnings)
    assert len(bare.warnings) == len(join(paper, bare, "bare.md").warnings) - len(paper.warnings)


def test_several_supplements_can_join() -> None:
    _, supplement, both = joined()
    three = join(both, supplement, "third.md")
    assert len(ids(three)) == len(set(ids(three)))
    assert len(three.sections) == len(both.sections) + 2
    assert three.references == both.references
