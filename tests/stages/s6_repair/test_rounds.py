"""The rounds of repair: mended first, asked then, and only what is better is kept."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pytest

from paper2code_local.artifacts.finding import Finding, errors_of
from paper2code_local.artifacts.repo import SourceFile
from paper2code_local.stages import s6_repair
from paper2code_local.stages.s6_repair import Scope, look
from tests.stages.s6_repair.small_faults import GOOD, LOADER, MAIN, MODEL, Rewriter, gate, repo, settled

repair = partial(s6_repair.repair, answers=1)
SMOTHER = MAIN.replace("import Smoother\n", "import Smother\n").replace("Smoother()", "Smother()")
"""A class that nobody defines."""
USES = MAIN.replace("    return", "    print(result)\n    return")
"""A name that nobody defines."""


async def test_a_good_repository_is_left_alone() -> None:
    rewriter = Rewriter({})
    repaired = await repair(repo(), gate, rewriter, 2)
    assert (repaired.repo, repaired.report.rounds, rewriter.asked) == (repo(), 0, [])
    assert (repaired.report.ended, repaired.report.changes) == ("clean", ())
    made = await settled(repaired.repo)
    assert (made.stubbed_files, made.stubbed_names) == ((), ())
    assert {f.path: f.text for f in made.files} == {**GOOD, "data/__init__.py": ""}


async def test_a_bad_import_is_fed_back_with_its_line_and_repaired() -> None:
    rewriter = Rewriter({"main.py": [MAIN]})
    repaired = await repair(repo(main=SMOTHER), gate, rewriter, 2)
    assert repaired.repo == repo()
    assert [f.code for f in errors_of(repaired.report.before)] == ["P2C202"]
    assert not errors_of(repaired.report.after)
    assert rewriter.asked == [("repair1", "main.py", None)]
    (fault,) = rewriter.faults
    assert "P2C202, line 2" in fault.complaint
    assert "Did you mean `Smoother`" in fault.complaint
    assert "from model import Smother" in fault.complaint
    (change,) = repaired.report.changes
    assert (change.by, change.path, change.codes) == ("model", "main.py", ("P2C202",))


async def test_what_can_be_mended_is_mended_and_no_model_is_asked() -> None:
    rewriter = Rewriter({})
    forgotten = MAIN.replace("from data.loader import load\n", "")
    repaired = await repair(repo(main=forgotten), gate, rewriter, 2)
    assert rewriter.asked == []
    assert (repaired.report.rounds, repaired.report.ended) == (0, "clean")
    assert not errors_of(repaired.report.mended)
    (change,) = repaired.report.changes
    assert (change.by, change.codes) == ("mechanical", ("P2C601",))
    assert "from data.loader import load" in change.what


async def test_a_fault_inside_a_function_names_the_function_and_what_it_must_not_write() -> None:
    rewriter = Rewriter({})
    await repair(repo(main=USES), gate, rewriter, 1)
    assert rewriter.asked == [("repair1", "main.py", "main")]
    assert rewriter.faults[0].avoid == ("result",)


async def test_a_fault_says_how_often_it_was_asked_for_in_vain() -> None:
    other = MAIN.replace("    return", "    print(outcome)\n    return")
    rewriter = Rewriter({"main.py": [other, MAIN]})
    broken = MODEL.replace("load(x)", "load(unknown)")
    await repair(repo(main=USES, model=broken), gate, rewriter, 2)
    asked = [(fault.path, fault.asked) for fault in rewriter.faults]
    assert asked == [("model.py", 0), ("main.py", 0), ("model.py", 1), ("main.py", 1)]


async def test_only_what_is_in_scope_is_asked_for() -> None:
    rewriter = Rewriter({})
    broken = repo(main=USES, model=MODEL.replace("load(x)", "load(unknown)"))
    await repair(broken, gate, rewriter, 1, Scope(only=frozenset({("main.py", "main")})))
    assert rewriter.asked == [("repair1", "main.py", "main")]
    rewriter = Rewriter({})
    repaired = await repair(broken, gate, rewriter, 1, Scope(only=frozenset()))
    assert (rewriter.asked, len(errors_of(repaired.report.after))) == ([], 2)


async def test_what_was_proved_wrong_stays_forbidden_in_later_rounds() -> None:
    other = MAIN.replace("    return", "    print(outcome)\n    return")
    rewriter = Rewriter({"main.py": [other.replace("outcome", "outcome, more"), other]})
    await repair(repo(main=USES), gate, rewriter, 2)
    assert [fault.avoid for fault in rewriter.faults] == [("result",), ("result",)]
    rewriter = Rewriter({"main.py": [other.replace("load('x')", "load()"), MAIN]})
    twice = USES.replace("print(result)", "print(result, ending)")
    await repair(repo(main=twice), gate, rewriter, 2)
    first, second = (set(fault.avoid) for fault in rewriter.faults)
    assert first == {"result", "ending"}
    assert second >= first


async def test_only_the_unit_at_fault_is_taken_from_the_answer_and_every_other_byte_stays() -> None:
    two = USES + "\n\ndef report():   # spaced   oddly\n    return 1\n"
    answer = MAIN.replace("load('x')", "load('y')") + "\n\ndef report():\n    return 2\n"
    repaired = await repair(repo(main=two), gate, Rewriter({"main.py": [answer]}), 1)
    (main,) = (f for f in repaired.repo.files if f.path == "main.py")
    assert isinstance(main, SourceFile)
    assert main.text == two.replace("    print(result)\n", "").replace("load('x')", "load('y')")


async def test_a_good_answer_is_kept_beside_a_bad_one() -> None:
    broken = repo(main=USES, data__loader=LOADER.replace("np.load(path)", "np.load(file)"))
    worse = LOADER.replace("np.load(path)", "np.load(file, mode, kind)")
    repaired = await repair(broken, gate, Rewriter({"main.py": [MAIN], "data/loader.py": [worse]}), 1)
    assert {f.path: f.text for f in repaired.repo.files if isinstance(f, SourceFile)} == {
        **GOOD,
        "data/loader.py": LOADER.replace("np.load(path)", "np.load(file)"),
    }
    assert [change.path for change in repaired.report.changes] == ["main.py"]


async def test_answers_that_help_only_together_are_kept_together() -> None:
    """Each alone breaks what the other file relies on."""
    renamed = MODEL.replace("Smoother", "Blur")
    broken = repo(model=MODEL + "\n\ndef size():\n    return width\n", main=USES)
    answers: dict[str, list[str | None]] = {"model.py": [renamed], "main.py": [MAIN.replace("Smoother", "Blur")]}
    whole = repo(model=MODEL + "width = size_of_nothing\n", main="from model import Nothing\n" + MAIN)
    repaired = await repair(whole, gate, Rewriter(answers), 1)
    assert not errors_of(repaired.report.after)
    assert await look(broken, gate)


async def test_an_answer_that_lacks_an_import_of_custom_is_mended_before_it_is_judged() -> None:
    answer = MAIN.replace("    return", "    print(math.pi)\n    return")
    repaired = await repair(repo(main=USES), gate, Rewriter({"main.py": [answer]}), 1)
    (main,) = (f for f in repaired.repo.files if f.path == "main.py")
    assert isinstance(main, SourceFile)
    assert "import math\n" in main.text
    assert [change.by for change in repaired.report.changes] == ["model", "mechanical"]


async def test_a_body_that_could_not_be_had_is_asked_for_again_with_no_complaint() -> None:
    stub = MAIN.replace(
        "    return", '    raise NotImplementedError("P2C401: the model gave no usable body")\n    return'
    )
    rewriter = Rewriter({})
    await repair(repo(main=stub), gate, rewriter, 1)
    assert rewriter.asked == [("repair1", "main.py", "main")]
    assert rewriter.faults[0].complaint == ""


async def test_a_round_that_brings_nothing_is_thrown_away_and_the_next_asks_anew() -> None:
    worse = "from model import A, B\nfrom later import C\n\n\ndef main(config):\n    return D\n"
    rewriter = Rewriter({"main.py": [worse, MAIN]})
    repaired = await repair(repo(main=SMOTHER), gate, rewriter, 3)
    assert repaired.repo == repo()
    assert [label for label, _, _ in rewriter.asked] == ["repair1", "repair2"]
    assert rewriter.read == [repo(main=SMOTHER)] * 2


async def test_rounds_are_bounded_and_end_early_when_they_bring_nothing() -> None:
    broken = repo(main="def main(")
    for rounds, asked, ended in ((0, 0, "rounds"), (1, 1, "rounds"), (9, 2, "stuck")):
        rewriter = Rewriter({"main.py": ["def main("] * 9})
        repaired = await repair(broken, gate, rewriter, rounds)
        assert (repaired.report.rounds, len(rewriter.asked), repaired.repo) == (asked, asked, broken)
        assert repaired.report.ended == ended


async def test_tokens_are_bounded() -> None:
    units = "".join(f"def f{n}():\n    return nothing{n}\n\n\n" for n in range(100))
    rewriter = Rewriter({})
    repaired = await repair(repo(model=MODEL + "\n\n" + units), gate, rewriter, 9)
    assert len(rewriter.asked) == 64
    assert repaired.report.ended == "tokens"


async def test_all_of_a_round_read_the_same_repository() -> None:
    rewriter = Rewriter({"model.py": [MODEL], "main.py": [MAIN]})
    broken = repo(model="class Smoother(", main="def main(")
    repaired = await repair(broken, gate, rewriter, 1)
    assert repaired.repo == repo()
    assert rewriter.read == [broken, broken]


async def test_a_file_that_is_the_users_is_neither_mended_nor_asked_again() -> None:
    rewriter = Rewriter({"main.py": [MAIN]})
    for text in ("def main(", MAIN.replace("from data.loader import load\n", "")):
        repaired = await repair(repo(main=text), gate, rewriter, 2, Scope(kept=frozenset({"main.py"})))
        assert repaired.repo == repo(main=text)
    assert rewriter.asked == []


async def test_a_file_that_is_not_there_is_asked_for_and_its_importers_are_not_blamed() -> None:
    missing = repo(model=None)
    assert {(f.code, f.path) for f in errors_of(await look(missing, gate))} == {("P2C402", "model.py")}
    rewriter = Rewriter({"model.py": [MODEL]})
    assert (await repair(missing, gate, rewriter, 2)).repo == repo()
    assert "the model gave no usable version" in rewriter.faults[0].complaint


async def test_the_constructor_is_at_fault_for_an_attribute_that_it_was_to_set() -> None:
    model = MODEL.replace(
        "    def forward(self, x):\n        return load(x)",
        "    def __init__(self):\n        self.size = 3\n\n    def forward(self, x):\n        return self.width",
    )
    for planned, unit in ((frozenset({"width"}), "Smoother.__init__"), (frozenset[str](), "Smoother.forward")):
        rewriter = Rewriter({})
        await repair(repo(model=model), gate, rewriter, 1, Scope(assigned={"model.py:Smoother": planned}))
        assert rewriter.asked == [("repair1", "model.py", unit)]
        assert rewriter.faults[0].avoid == (() if planned else ("self.width", "self. width"))


@pytest.mark.parametrize(
    ("read", "unit"),
    [
        ("self.width", "Smoother.forward"),
        ("self.width, self.width", "Smoother.forward"),
        ("self.width, self.depth", "Smoother.__init__"),
        ("self.width(x), self.depth(x)", "Smoother.forward"),
    ],
)
async def test_the_constructor_is_at_fault_for_several_attributes_that_nobody_calls(read: str, unit: str) -> None:
    model = MODEL.replace(
        "    def forward(self, x):\n        return load(x)",
        f"    def __init__(self):\n        self.size = 3\n\n    def forward(self, x):\n        return {read}",
    )
    rewriter = Rewriter({})
    await repair(repo(model=model), gate, rewriter, 1)
    assert rewriter.asked == [("repair1", "model.py", unit)]


async def test_when_one_side_was_asked_in_vain_for_an_attribute_it_is_the_turn_of_the_other() -> None:
    model = MODEL.replace(
        "    def forward(self, x):\n        return load(x)",
        "    def __init__(self):\n        self.size = 3\n\n    def forward(self, x):\n        return self.width",
    )
    turns = ["Smoother.__init__", "Smoother.forward"] * 2
    for planned, units in ((frozenset({"width"}), turns[:3]), (frozenset[str](), turns[1:])):
        other = model.replace("self.size = 3", "self.size = 4")
        rewriter = Rewriter({"model.py": [other] * 3})
        scope = Scope(assigned={"model.py:Smoother": planned})
        await repair(repo(model=model), _never_stuck(gate), rewriter, 3, scope)
        assert [unit for _, _, unit in rewriter.asked] == units


def _never_stuck(gate: s6_repair.Gate) -> s6_repair.Gate:
    """Return a gate in whose eyes each look has one warning less, so that each round seems to bring something."""
    left = [
        Finding(code="P2C805", severity="warning", path="main.py", line=1, message=str(n), hint="") for n in range(99)
    ]

    async def lessening(texts: Mapping[str, str]) -> tuple[Finding, ...]:
        left.pop()
        return (*await gate(texts), *left)

    return lessening


@pytest.mark.parametrize(("faults", "each"), [(1, 3), (4, 3), (5, 2), (6, 2), (7, 1), (20, 1)])
async def test_few_units_that_were_asked_for_in_vain_are_asked_for_several_times(faults: int, each: int) -> None:
    units = "".join(f"def f{n}():\n    return nothing{n}\n\n\n" for n in range(faults))
    rewriter = Rewriter({})
    await s6_repair.repair(repo(model=MODEL + "\n\n" + units), gate, rewriter, 2)
    labels = [label for label, _, _ in rewriter.asked]
    asked = sorted((label, f.unit, f.sample) for label, f in zip(labels, rewriter.faults, strict=True))
    first = [("repair1", f"f{n}", 0) for n in range(faults)]
    again = [("repair2", f"f{n}", sample) for n in range(faults) for sample in range(each)]
    assert asked == sorted(first + again)


async def test_a_whole_file_is_asked_for_once_in_a_round() -> None:
    rewriter = Rewriter({})
    await s6_repair.repair(repo(main="def main("), gate, rewriter, 2)
    assert rewriter.asked == [("repair1", "main.py", None), ("repair2", "main.py", None)]


@pytest.mark.parametrize("good", [0, 1, 2])
async def test_of_several_answers_the_best_is_taken(good: int) -> None:
    texts: list[str | None] = [USES.replace("print(result)", "print(result, other)")] * 3
    texts[good] = MAIN
    loader = LOADER.replace("np.load(path)", "np.load(source)")
    rewriter = Rewriter({"main.py": [None, *texts], "data/loader.py": [None, loader, None, LOADER]})
    repaired = await s6_repair.repair(repo(main=USES, data__loader=loader), gate, rewriter, 2)
    assert repaired.repo == repo()
    assert [change.path for change in repaired.report.changes] == ["data/loader.py", "main.py"]
