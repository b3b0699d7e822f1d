"""A small paper, its plan and its repository, in our own words, for the tests of this stage."""

from __future__ import annotations

from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.paper import Formula, Paper, Paragraph, Section
from paper2code_local.artifacts.plan import (
    Attribute,
    Call,
    ClassPlan,
    ConfigValue,
    FilePlan,
    FunctionPlan,
    Overview,
    Plan,
    Relation,
)
from paper2code_local.artifacts.provenance import Provenance
from paper2code_local.artifacts.repair import Change, RepairReport
from paper2code_local.artifacts.repo import SourceFile, ValidatedRepo
from paper2code_local.artifacts.smoke import SmokePolicy, SmokeReport, Trial
from paper2code_local.artifacts.spec import DefinitionSpec, FileSpec, Step
from paper2code_local.stages.s7_write import render_repository

CODE = {
    "data/loader.py": "import numpy as np\n\n\ndef load(path):\n    return np.load(path)\n",
    "model.py": "import torch\nfrom torch import nn\n\n\nclass Smoother(nn.Module):\n    pass\n",
    "main.py": "import yaml\n\n"
    "from data.loader import load\nfrom model import Smoother\n\n\ndef main(config):\n    load('x')\n",
}
PROVENANCE = Provenance(
    model="small-coder",
    model_identity="sha256:00ff",
    parser="tei",
    seed=7,
    version="0.1.0",
    paper="smoothing.tei.xml",
    paper_sha256="ab" * 32,
)
FINDING = Finding(code="P2C301", severity="warning", path="model.py", line=5, message="the body is empty", hint="Fill.")


def section(identifier: str, number: str, heading: str, *blocks: Paragraph | Formula) -> Section:
    return Section(id=identifier, number=number, heading=heading, level=1, blocks=blocks, chars=0)


PAPER = Paper(
    title="Smoothing Labels",
    authors=("Ada Example", "Bo Sample"),
    abstract="We smooth labels.",
    sections=(
        section(
            "s1", "3", "Method", Formula(id="eq1", label="(2)", text="y = x"), Formula(id="eq2", label="", text="z")
        ),
        section("s2", "4.1", "Training", Paragraph(text="We use a learning rate of 1e-5.")),
    ),
    references=(),
    footnotes=(),
    chars=100,
    dropped_chars=4,
    parser="tei",
    warnings=("there is no abstract in the header",),
)


def function(signature: str, purpose: str = "does it") -> FunctionPlan:
    return FunctionPlan(signature=signature, purpose=purpose)


MODEL = ClassPlan(
    name="Smoother",
    base="nn.Module",
    purpose="Smooths labels.",
    attributes=(Attribute(name="weights", type="dict[str, float]"),),
    methods=(
        function("def forward(self, x: torch.Tensor, names: dict[str, list[int]] | None = None) -> torch.Tensor"),
    ),
)
HALF = ClassPlan(name="HalfSmoother", base="Smoother", purpose="Half of it.", attributes=(), methods=())
PLAN = Plan(
    overview=Overview(task="Smooth labels", method=("mix", "train"), data="digits", training="Adam", evaluation="ECE"),
    files=(
        FilePlan(
            path="data/loader.py",
            purpose="reads data",
            needs=(),
            classes=(),
            functions=(function("def load(path: str) -> np.ndarray"),),
        ),
        FilePlan(
            path="model.py",
            purpose="the model",
            needs=("data/loader.py",),
            classes=(MODEL, HALF),
            functions=(),
            implements="label smoothing",
            sections=("s1",),
            formulas=("eq1", "eq2"),
        ),
        FilePlan(
            path="main.py",
            purpose="runs it",
            needs=("data/loader.py", "model.py"),
            classes=(),
            functions=(function("def main(config: dict[str, Any]) -> None"),),
        ),
    ),
    relations=(Relation(source="HalfSmoother", target="Smoother", kind="composition"),),
    calls=(
        Call(caller="main.py", callee="data/loader.py", definition="load"),
        Call(caller="main.py", callee="model.py", definition="Smoother.forward"),
    ),
    order_reason="data first",
    packages=("torch",),
    shared_knowledge=("labels are one-hot",),
    unclear=("the batch size of the large model",),
    config=(
        ConfigValue(key="learning_rate", value=1e-5, section="s2", origin="traced"),
        ConfigValue(key="epochs", value=3, section="s2", origin="untraced"),
        ConfigValue(key="on", value="yes", section="", origin="assumed"),
    ),
)
SPECS = (
    FileSpec(
        path="model.py",
        definitions=(DefinitionSpec(name="Smoother.forward", does="Smooth.", shapes="(B, C) to (B, C)"),),
        steps=(Step(text="mix the labels", source="eq1"), Step(text="return them", source="")),
        config_keys=("learning_rate",),
        edge_cases=("an empty batch",),
    ),
)
REPO = ValidatedRepo(
    files=tuple(SourceFile(path=path, text=text) for path, text in CODE.items()),
    findings=(FINDING,),
    stubbed_files=("data/loader.py",),
    stubbed_names=("model.py:Smoother.forward",),
)


REPORT = RepairReport(
    before=(FINDING, FINDING),
    mended=(FINDING,),
    after=(FINDING,),
    rounds=2,
    ended="rounds",
    changes=(
        Change(by="mechanical", path="model.py", codes=("P2C601",), what="`import math` is added."),
        Change(by="model", path="model.py", codes=("P2C703",), what="`Smoother.forward` is written again."),
    ),
)


SMOKE = SmokeReport(
    sandbox="bubblewrap 0.8.0",
    python="3.11.2",
    policy=SmokePolicy(),
    trials=(
        Trial(path="model.py", kind="import", status="ok"),
        Trial(path="main.py", kind="help", status="not installed", reason="torchsmoothx"),
    ),
    findings=(),
)


def rendered(plan: Plan = PLAN, paper: Paper = PAPER, repo: ValidatedRepo = REPO) -> dict[str, bytes]:
    """Render the repository of all of the above."""
    return render_repository(repo, plan, SPECS, paper, ("references",), (FINDING,), PROVENANCE, REPORT, SMOKE)
