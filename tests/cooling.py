"""A small paper, and an engine that answers every question about it sensibly: for snapshots and for reading along."""

from __future__ import annotations

import json

from paper2code_local.artifacts.plan import Plan
from paper2code_local.artifacts.spec import FileSpec
from paper2code_local.asking import Asker
from paper2code_local.engine.protocol import Request
from paper2code_local.prefix import PaperText, paper_text, plan_texts
from paper2code_local.stages.s2_plan import make_plan
from paper2code_local.stages.s3_analyse import analyse
from tests.engines import Answering, Words, asker
from tests.tei_fixtures import parse

PAPER = parse(
    """<div><head n="1">Method</head><p>We lower the temperature of a softmax while we train.</p>
<formula>t_k = t_0 exp(-a k)<label>(1)</label></formula></div>
<div><head n="2">Experiments</head><p>We use t_0 = 2.0, a = 1e-3 and 32,000 steps on synthetic digits.</p></div>""",
    '<listBibl><biblStruct><analytic><title level="a">Kettles</title></analytic></biblStruct></listBibl>',
)
SCHEDULE = {
    "base": "none",
    "does": "Gives the temperature of every step.",
    "attributes": [{"name": "start", "type": "float"}, {"name": "rate", "type": "float"}],
    "methods": [
        {"signature": "def __init__(self, config: dict[str, Any]) -> None", "does": "Read t_0 and a."},
        {"signature": "def at(self, step: int) -> float", "does": "Compute t_k."},
    ],
}
TRAIN = {
    "signature": "def train(schedule: Schedule, logits: torch.Tensor) -> torch.Tensor",
    "does": "Cool the logits step by step.",
}
ANSWERS: dict[str, object] = {
    "plan.overview": {
        "task": "Cool a softmax during training.",
        "method": ["compute t_k", "divide the logits by t_k"],
        "data": "synthetic digits",
        "training": "32,000 steps",
        "evaluation": "accuracy",
    },
    "plan.files": {
        "files": [
            {"path": "cooling/schedule.py", "purpose": "The schedule t_k."},
            {"path": "train.py", "purpose": "Training with the schedule."},
        ]
    },
    "plan.needs.train.py": {"cooling/schedule.py": True},
    "plan.names": {"cooling/schedule.py": ["Schedule"], "train.py": ["train", "Trainer"]},
    "plan.interface.cooling/schedule.py": {"Schedule": SCHEDULE},
    "plan.interface.train.py": {"train": TRAIN, "Trainer": SCHEDULE | {"base": "Schedule", "does": "Trains."}},
    "plan.relations": {"relations": [{"source": "Trainer", "target": "Schedule", "kind": "composition"}]},
    "plan.calls": {"calls": [{"caller": "main.py", "callee": "train.py :: train"}]},
    "plan.logic": {
        "order_reason": "The schedule first.",
        "packages": ["torch"],
        "shared_knowledge": ["Logits are (B, C)."],
        "unclear": ["The batch size."],
    },
    "plan.logic.cooling/schedule.py": {"implements": "Equation 1.", "sections": ["1 Method"], "formulas": ["eq1"]},
    "plan.logic.train.py": {"implements": "The experiment.", "sections": ["2 Experiments"], "formulas": []},
    "plan.logic.main.py": {"implements": "The run.", "sections": ["2 Experiments"], "formulas": []},
    "plan.config": {
        "values": [
            {"key": "start", "value": "2.0", "section": "2 Experiments"},
            {"key": "rate", "value": "1e-3", "section": "2 Experiments"},
            {"key": "steps", "value": "7", "section": "2 Experiments"},
            {"key": "batch_size", "value": "64", "section": "assumption"},
        ]
    },
    "analyse.cooling/schedule.py": {
        "definitions": [
            {"name": "Schedule.__init__", "does": "Keep t_0 and a.", "shapes": "-"},
            {"name": "Schedule.at", "does": "Return t_0 exp(-a k).", "shapes": "step: (), result: ()"},
        ],
        "steps": [{"text": "Multiply a by k.", "source": "eq1"}, {"text": "Return the power.", "source": "none"}],
        "config_keys": ["start", "rate"],
        "edge_cases": ["a step below zero"],
    },
    "analyse.train.py": {
        "definitions": [{"name": "train", "does": "Return cooled logits.", "shapes": "logits: (B, C), result: (B, C)"}],
        "steps": [{"text": "Divide by the temperature of the last step.", "source": "1 Method"}],
        "config_keys": ["steps"],
        "edge_cases": ["an empty batch"],
    },
    "analyse.main.py": {
        "definitions": [{"name": "main", "does": "Run it.", "shapes": "none"}],
        "steps": [{"text": "Make logits, then train.", "source": "2 Experiments"}],
        "config_keys": ["batch_size"],
        "edge_cases": [],
    },
    "code.cooling/schedule.py:Schedule.__init__": (
        '        self.start = config["start"]\n        self.rate = config["rate"]\n'
    ),
    "code.cooling/schedule.py:Schedule.at": "        return self.start * math.exp(-self.rate * step)\n",
    "code.train.py:train": "    return logits / schedule.at(len(logits))\n",
    "code.train.py:Trainer.__init__": '        self.steps = config["steps"]\n',
    "code.train.py:Trainer.at": "        return super().at(step) / 2\n",
    "code.main.py:main": (
        '    torch.manual_seed(config["seed"])\n    print(train(Schedule(config), torch.zeros(2, 3)))\n'
    ),
}


def sensible(request: Request) -> str:
    """Answer what is known under the label; attempts are the same question."""
    said = ANSWERS[request.label.split("~")[0].split("+")[0]]
    return said if isinstance(said, str) else json.dumps(said)


def text() -> PaperText:
    return paper_text(PAPER, Words().count, None)


def reading(engine: Answering) -> Asker:
    """Return an asker that shares the paper."""
    return asker(engine).knowing(text().text)


async def planned(engine: Answering) -> Plan:
    return (await make_plan(PAPER, text(), reading(engine), 1.0)).plan


async def analysed(engine: Answering) -> tuple[Plan, dict[str, FileSpec], Asker]:
    """Return plan, specifications, and an asker that shares the plan."""
    plan = await planned(engine)
    informed = reading(engine)
    for part in plan_texts(plan):
        informed = informed.knowing(part)
    specs = await analyse(plan, text(), informed, 1.0)
    return plan, {spec.path: spec for spec in specs.specs}, informed
