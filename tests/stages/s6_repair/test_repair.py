"""Repair and honest stubs: rounds are bounded, what comes out compiles and imports only what is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paper2code_local.artifacts.finding import Finding, errors_of
from paper2code_local.artifacts.import_order import ImportOrder, OrderedFile
from paper2code_local.artifacts.repo import Repo, SourceFile, Unwritten, ValidatedRepo
from paper2code_local.artifacts.spec import FileSpec
from paper2code_local.errors import AnswerError
from paper2code_local.stages.s4_code import skeleton_file
from paper2code_local.stages.s5_validate.gate import validate
from paper2code_local.stages.s6_repair import complaint, contents, look, repair, settle
from tests.stages.s7_write.small_repository import PLAN

ORDER = ImportOrder(files=tuple(OrderedFile(path=f.path, needs=f.needs) for f in PLAN.files))
SPECS = {f.path: FileSpec(path=f.path, definitions=(), steps=(), config_keys=(), edge_cases=()) for f in PLAN.files}
LOADER = "import numpy as np\n\n\ndef load(path: str) -> np.ndarray:\n    return np.load(path)\n"
MODEL = "from data.loader import load\n\n\nclass Smoother:\n    def forward(self, x):\n        return load(x)\n\n\nclass HalfSmoother(Smoother):\n    size = 2\n"  # noqa: E501
MAIN = "from data.loader import load\nfrom model import Smoother\n\n\ndef main(config):\n    return Smoother().forward(load('x'))\n"  # noqa: E501
GOOD = {"data/loader.py": LOADER, "model.py": MODEL, "main.py": MAIN}


async def gate(files: Mapping[str, bytes]) -> tuple[Finding, ...]:
    return validate(files, ORDER)


@cache
def skeleton(path: str, reason: str) -> SourceFile:
    return skeleton_file(path, PLAN, SPECS, reason)


def plain_skeleton(path: str, _reason: str) -> SourceFile:
    """Be quick where many files are broken in many ways."""
    return skeleton(path, "P2C101: broken")


def repo(**changed: str | None) -> Repo:
    """Return the good repository with some files changed; None is a file that could not be had."""
    texts: dict[str, str | None] = {**GOOD, **{name.replace("__", "/") + ".py": text for name, text in changed.items()}}
    return Repo(
        files=tuple(
            Unwritten(path=path, reason="the answer is empty") if text is None else SourceFile(path=path, text=text)
            for path, text in texts.items()
        )
    )


async def settled(given: Repo, make: Callable[[str, str], SourceFile] = skeleton) -> ValidatedRepo:
    """Settle, and look again at what came out."""
    made = await settle(given, PLAN, gate, make)
    again = validate({f.path: f.text.encode() for f in made.files}, ORDER)
    assert again == made.findings
    assert not [f for f in errors_of(again) if f.code.startswith(("P2C1", "P2C2"))]
    for file in made.files:
        compile(file.text, file.path, "exec", dont_inherit=True)
    return made


HEIR = PLAN.files[1].classes[0].model_copy(update={"base": "load"})
"""A class whose header needs a name of another file."""
MAIN_PLAN = PLAN.files[2].model_copy(update={"needs": ()})


class Rewriter:
    """Gives back what `texts` has, and remembers what it was asked."""

    def __init__(self, texts: Mapping[str, list[str | None]]) -> None:
        self.texts = {path: list(left) for path, left in texts.items()}
        self.asked: list[tuple[str, str, tuple[str, ...]]] = []
        self.complaints: list[str] = []
        self.read: list[Repo] = []

    async def __call__(
        self, path: str, complaint: str, units: tuple[str, ...], label: str, repo: Repo
    ) -> SourceFile | Unwritten:
        self.asked.append((label, path, units))
        self.complaints.append(complaint)
        self.read.append(repo)
        left = self.texts.get(path, [])
        text = left.pop(0) if left else None
        return Unwritten(path=path, reason="empty") if text is None else SourceFile(path=path, text=text)


async def test_a_good_repository_is_left_alone() -> None:
    rewriter = Rewriter({})
    repaired = await repair(repo(), gate, rewriter, 2, frozenset())
    assert (repaired.repo, repaired.rounds, rewriter.asked) == (repo(), 0, [])
    made = await settled(repaired.repo)
    assert (made.stubbed_files, made.stubbed_names) == ((), ())
    assert {f.path: f.text for f in made.files} == {**GOOD, "data/__init__.py": ""}


async def test_a_bad_import_is_fed_back_with_its_line_and_repaired() -> None:
    rewriter = Rewriter({"main.py": [MAIN]})
    broken = repo(main=MAIN.replace("import Smoother\n", "import Smother\n"))
    repaired = await repair(broken, gate, rewriter, 2, frozenset())
    assert repaired.repo == repo()
    assert [f.code for f in errors_of(repaired.before)] == ["P2C202", "P2C601"]
    assert not errors_of(repaired.after)
    assert rewriter.asked == [("repair1", "main.py", ())]
    (said,) = rewriter.complaints
    assert "P2C202, line 2" in said
    assert "Did you mean `Smoother`" in said
    assert "from model import Smother" in said


async def test_a_fault_inside_a_function_names_the_function() -> None:
    inside = MAIN.replace("    return", "    from model import Nothing\n    return")
    rewriter = Rewriter({})
    await repair(repo(main=inside), gate, rewriter, 1, frozenset())
    assert rewriter.asked == [("repair1", "main.py", ("main",))]


async def test_a_body_that_could_not_be_had_is_asked_for_again_with_no_complaint() -> None:
    stub = MAIN.replace(
        "    return", '    raise NotImplementedError("P2C401: the model gave no usable body")\n    return'
    )
    rewriter = Rewriter({})
    await repair(repo(main=stub), gate, rewriter, 1, frozenset())
    assert rewriter.asked == [("repair1", "main.py", ("main",))]
    assert rewriter.complaints == [""]


async def test_a_round_that_brings_nothing_is_thrown_away_and_the_next_asks_anew() -> None:
    broken = MAIN.replace("import Smoother\n", "import Smother\n")
    worse = "from model import A, B\nfrom later import C\n\n\ndef main(config):\n    return 1\n"
    rewriter = Rewriter({"main.py": [worse, None, MAIN]})
    repaired = await repair(repo(main=broken), gate, rewriter, 3, frozenset())
    assert repaired.repo == repo()
    assert [label for label, _, _ in rewriter.asked] == ["repair1", "repair2", "repair3"]
    assert rewriter.read == [repo(main=broken)] * 3


async def test_rounds_are_bounded() -> None:
    broken = repo(main="def main(")
    for rounds in (0, 1, 3):
        rewriter = Rewriter({"main.py": ["def main("] * 9})
        repaired = await repair(broken, gate, rewriter, rounds, frozenset())
        assert (repaired.rounds, len(rewriter.asked), repaired.repo) == (rounds, rounds, broken)


async def test_all_of_a_round_read_the_same_repository() -> None:
    rewriter = Rewriter({"model.py": [MODEL], "main.py": [MAIN]})
    broken = repo(model="class Smoother(", main="def main(")
    repaired = await repair(broken, gate, rewriter, 1, frozenset())
    assert repaired.repo == repo()
    assert rewriter.read == [broken, broken]


async def test_a_file_that_is_the_users_is_never_asked_again() -> None:
    rewriter = Rewriter({"main.py": [MAIN]})
    broken = repo(main="def main(")
    assert (await repair(broken, gate, rewriter, 2, frozenset({"main.py"}))).repo == broken
    assert rewriter.asked == []


async def test_a_file_that_is_not_there_is_asked_for_and_its_importers_are_not_blamed() -> None:
    missing = repo(model=None)
    assert {(f.code, f.path) for f in errors_of(await look(missing, gate))} == {("P2C402", "model.py")}
    rewriter = Rewriter({"model.py": [MODEL]})
    assert (await repair(missing, gate, rewriter, 2, frozenset())).repo == repo()
    assert "the model gave no usable version" in rewriter.complaints[0]
    assert complaint(missing.files[1], ()) == ""


# -- honest stubs ------------------------------------------------------------------------------------------------------


async def test_a_name_that_is_imported_but_defined_nowhere_gets_a_stub_that_says_so() -> None:
    lost = MAIN.replace("import Smoother\n", "import Smoother, evaluate, report as r\n")
    made = await settled(repo(main=lost))
    assert made.stubbed_names == ("model.py:evaluate", "model.py:report")
    assert made.stubbed_files == ()
    (model,) = (f for f in made.files if f.path == "model.py")
    assert model.text.startswith(MODEL)
    assert 'raise NotImplementedError("P2C202: evaluate was never written")' in model.text
    assert [f.code for f in errors_of(made.findings)] == ["P2C401", "P2C401"]


async def test_a_file_that_does_not_compile_becomes_its_skeleton() -> None:
    made = await settled(repo(model="Here is the code you asked for:\n"))
    assert (made.stubbed_files, made.stubbed_names) == (("model.py",), ())
    (model,) = (f for f in made.files if f.path == "model.py")
    assert "class Smoother(nn.Module):" in model.text
    assert "def forward(self, x: torch.Tensor" in model.text
    assert '"P2C103: ' in model.text
    assert "P2C401" in {f.code for f in errors_of(made.findings)}


async def test_a_skeleton_may_import_what_its_need_never_defined() -> None:
    """The plan says that main.py may import `load`; the person who edited data/loader.py took it away."""
    made = await settled(repo(data__loader="x = 1\n", model="("))
    assert made.stubbed_files == ("model.py",)
    assert "data/loader.py:load" in made.stubbed_names


@pytest.mark.parametrize(
    "given",
    [
        repo(main="def main("),
        repo(main=None),
        repo(data__loader="(", model="("),
        repo(data__loader=None, model="import nothing.at.all as x\n("),
    ],
)
async def test_without_the_entry_point_or_with_more_stubs_than_files_nothing_may_be_written(given: Repo) -> None:
    with pytest.raises(AnswerError, match="of 3 files") as told:
        await settle(given, PLAN, gate, skeleton)
    assert (told.value.code, told.value.exit_code) == ("answer.stubs", 6)


garbage = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            [
                *("from model import A", "from model import *", "from data.loader import load, B as C", "import main"),
                *("from data import loader, nothing", "import data.nothing", "from . import x", "from ..y import z"),
                *("from main import main", "from model import main", "if True:", "    from model import Z", "else:"),
                *(
                    "class Smoother:",
                    "    pass",
                    "def load(path): return 1",
                    "x = '''",
                    "'''",
                    "\\",
                    "return",
                    "\tx = 1",
                ),
                *(
                    "try:",
                    "    import model",
                    "except ImportError:",
                    "    model = None",
                    "def f(",
                    ")",
                    "print 'x'",
                    "\x00",
                ),
                *("__all__ = ['A']", "def __getattr__(name): return 1", "from data.loader import Ünder, class_", "\f"),
            ]
        ),
        max_size=9,
    ).map("\n".join),
    st.sampled_from(list(GOOD.values())),
)


@settings(max_examples=60, deadline=None)
@given(loader=garbage, model=garbage, main=garbage)
def test_whatever_the_files_hold_the_result_compiles_and_every_import_resolves_or_there_is_none(
    loader: str, model: str, main: str
) -> None:
    try:
        made = asyncio.run(settled(repo(data__loader=loader, model=model, main=main), plain_skeleton))
    except AnswerError:
        return
    assert {f.path for f in made.files} == {*GOOD, "data/__init__.py"}


@settings(max_examples=40, deadline=None)
@given(loader=garbage, model=garbage, main=garbage)
def test_files_of_the_user_stay_as_they_are_and_all_others_compile(loader: str, model: str, main: str) -> None:
    mine = frozenset({"data/loader.py"})
    try:
        made = asyncio.run(settle(repo(data__loader=loader, model=model, main=main), PLAN, gate, plain_skeleton, mine))
    except AnswerError:
        return
    texts = {f.path: f.text for f in made.files}
    assert texts.pop("data/loader.py") == loader
    for path, text in texts.items():
        compile(text, path, "exec", dont_inherit=True)


async def test_a_stub_that_imports_what_the_users_file_lacks_is_a_finding() -> None:
    plan = PLAN.model_copy(
        update={"files": (PLAN.files[0], PLAN.files[1].model_copy(update={"classes": (HEIR,)}), MAIN_PLAN)}
    )

    def made(path: str, reason: str) -> SourceFile:
        return skeleton_file(path, plan, SPECS, reason)

    given = repo(data__loader="x = 1\n", model="(", main="def main(config):\n    return 1\n")
    settled = await settle(given, plan, gate, made, frozenset({"data/loader.py"}))
    assert settled.stubbed_files == ("model.py",)
    assert ("P2C202", "model.py") in {(f.code, f.path) for f in errors_of(settled.findings)}


def test_every_folder_with_code_is_a_package() -> None:
    files = {"a/b/c.py": SourceFile(path="a/b/c.py", text="x = 1\n"), "d.py": SourceFile(path="d.py", text="")}
    assert contents(files) == {"a/__init__.py": b"", "a/b/__init__.py": b"", "a/b/c.py": b"x = 1\n", "d.py": b""}
