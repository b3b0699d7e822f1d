from __future__ import annotations

import pytest

from paper2code_local.artifacts.plan import ClassPlan, FilePlan, FunctionPlan, Overview, Plan
from paper2code_local.artifacts.promises import import_order


def plan(*functions: FunctionPlan) -> Plan:
    method = FunctionPlan(signature="def forward(self, x: int) -> int", purpose="Map x.")
    net = ClassPlan(name="Net", base="", purpose="A net.", attributes=(), methods=(method,))
    files = (
        FilePlan(path="model.py", purpose="The model.", needs=(), classes=(net,), functions=functions),
        FilePlan(path="main.py", purpose="Runs it.", needs=("model.py",), classes=(), functions=()),
    )
    overview = Overview(task="t", method=(), data="", training="", evaluation="")
    return Plan(
        overview=overview,
        files=files,
        relations=(),
        calls=(),
        order_reason="",
        packages=(),
        shared_knowledge=(),
        unclear=(),
        config=(),
    )


def test_every_planned_name_is_promised_and_main_is_the_entry() -> None:
    model, main = import_order(plan()).files
    assert [(p.name, p.signature) for p in model.promises] == [
        ("Net", ""),
        ("Net.forward", "def forward(self, x: int) -> int"),
    ]
    assert (model.is_entry, main.is_entry, main.needs) == (False, True, ("model.py",))


@pytest.mark.parametrize(
    ("name", "purpose", "measured"),
    [
        ("evaluate", "Run the model on the test set.", True),
        ("compute", "Return the accuracy.", True),
        ("bleu_score", "Compare two texts.", True),
        ("train", "Fit the model.", False),
        ("loss_weight", "Return the weight of the second loss.", False),
    ],
)
def test_what_is_measured(name: str, purpose: str, measured: bool) -> None:
    made = import_order(plan(FunctionPlan(signature=f"def {name}(x: int) -> float", purpose=purpose)))
    assert made.files[0].promises[-1].measured == measured
