"""Every strategy goes with every estimator, on the cells of NAS-Bench-NLP that WikiText-2 has."""

from __future__ import annotations

import json
import math
import os
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from layerwise.core import registry
from layerwise.encoders.search.journal import Journal
from layerwise.encoders.search.loop import search
from layerwise.encoders.search.protocols import Estimator, SearchSpace, Setting, Strategy
from layerwise.encoders.search.search_budget import SearchBudget

EVALUATIONS = 6
FIRST_PREDICTION = 11
"""Evaluations that ``renas`` takes to come to a prediction."""
SMALL: dict[str, dict[str, Any]] = {
    "training": {"points": 1, "held_out_words": 32},
    "low-fidelity": {"share": 0.5, "held_out_words": 32},
    "learning-curve": {"points": 3, "held_out_words": 32},
    "weight-sharing": {"share": 0.5, "held_out_words": 32},
    "naswot": {"width": 8, "batch": 8, "time": 6},
    "training-free": {"width": 8, "batch": 8, "time": 6},
    "renas": {"first": 10},
}
"""Options with which an estimate takes a fraction of a second."""


@pytest.fixture(scope="module", autouse=True)
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    named = os.environ.get("LAYERWISE_DATA")
    folder = Path(named) if named else Path(__file__).parents[4] / "shared" / "data"
    if not (folder / "nas").is_dir():
        pytest.skip(f"the real data is not at {folder}; set LAYERWISE_DATA")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAYERWISE_DATA", str(folder))
        patch.setenv("LAYERWISE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("OPENAI_API_KEY", "none")
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Setting:
    path = tmp_path_factory.mktemp("text") / "text.txt"
    generator = random.Random(0)
    lines = (" ".join(generator.choices("the a cat dog sees runs".split(), k=8)) for _ in range(60))
    path.write_text("\n".join(lines) + "\n")
    space: SearchSpace = registry.load("space", "nasbench-nlp")("wt2")
    return Setting(
        space, (path,), (path,), words=64, dim=8, layers=1, window=8, batch=4, vocabulary=8
    )


@pytest.fixture(scope="module")
def estimators(setting: Setting) -> Callable[[str], Estimator]:
    """One for all strategies, but where it learns from its answers."""

    def make(name: str) -> Estimator:
        made: Estimator = registry.load("estimator", name)(setting, **SMALL.get(name, {}))
        return made

    kept = cache(make)
    return lambda name: make(name) if name == "renas" else kept(name)


@pytest.fixture
def strategies(setting: Setting, httpserver: HTTPServer) -> Callable[[str, int], Strategy]:
    """Each by its name; the server of the language model names cells at random."""
    generator = random.Random(1)

    def reply(request: Request) -> Response:
        content = f"```\n{setting.space.sample(generator)}\n```"
        message = {"role": "assistant", "content": content}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        body = {"id": "1", "object": "chat.completion", "created": 1, "model": "scripted"}
        return Response(json.dumps(body | {"choices": [choice]}), content_type="application/json")

    httpserver.expect_request("/v1/chat/completions").respond_with_handler(reply)
    llm = {"base_url": httpserver.url_for("/v1"), "model": "scripted"}

    def make(name: str, evaluations: int) -> Strategy:
        options: dict[str, Any] = llm if name == "llm" else {}
        made: Strategy = registry.load("strategy", name)(
            setting.space, seed=2, evaluations=evaluations, **options
        )
        return made

    return make


@pytest.mark.parametrize("estimator", registry.names("estimator"))
@pytest.mark.parametrize("strategy", registry.names("strategy"))
def test_they_go_together(
    strategy: str,
    estimator: str,
    setting: Setting,
    strategies: Callable[[str, int], Strategy],
    estimators: Callable[[str], Estimator],
) -> None:
    asked = FIRST_PREDICTION if estimator == "renas" else EVALUATIONS
    done = search(
        strategies(strategy, asked),
        estimators(estimator),
        SearchBudget(evaluations=asked),
        Journal(None, {}),
    )
    assert len(done) == asked and {each.error for each in done} == {""}
    assert all(len(each.losses) == 1 and 0 < each.fidelity <= 1 for each in done)
    assert all(setting.space.read(each.candidate) == each.candidate for each in done)
    # A published training may have diverged, not all of them.
    assert any(math.isfinite(each.losses[0]) for each in done)
