"""The character model behind the chat API, and what it is worth on NAS-Bench-201."""

from __future__ import annotations

import json
import os
import random
import socket
import statistics
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from layerwise.core.errors import DataError
from layerwise.encoders.search.language_model.character_model import (
    CharacterModel,
    train_character_model,
)
from layerwise.encoders.search.language_model.server import NAME, answer, read_scored, serving
from layerwise.encoders.search.language_model.strategy import LanguageModelSearch
from layerwise.encoders.search.protocols import Estimate
from layerwise.encoders.search.tables.nasbench_201 import NasBench201, nasbench_201

Run = Callable[[LanguageModelSearch], list[str]]


@pytest.fixture(scope="module")
def model() -> CharacterModel:
    generator = random.Random(0)
    names = ["".join(generator.choices("01234", k=6)) for _ in range(100)]
    return train_character_model(names, [-name.count("3") for name in names], epochs=120)


def post(address: str, body: bytes, path: str = "/chat/completions") -> tuple[int, Any]:
    request = urllib.request.Request(address + path, body)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_a_search_by_the_api_names_what_the_model_proposes(
    model: CharacterModel, space: NasBench201, run: Run
) -> None:
    with serving(model) as address:
        search = LanguageModelSearch(space, evaluations=4, base_url=address, model=NAME)
        found = run(search)
    proposed: list[str] = []
    while len(valid := [name for name in proposed if len(name) == 6]) < len(found):
        proposed.append(model.propose(proposed))
    assert found == valid and len(found) >= 2


def test_it_is_reached_from_this_machine_alone(model: CharacterModel) -> None:
    with serving(model) as address:
        host, port = address.removeprefix("http://").removesuffix("/v1").split(":")
        assert host == "127.0.0.1"
        with pytest.raises(OSError), socket.create_connection(("127.0.0.2", int(port)), 5):
            pass
        assert post(address, b'{"messages": []}')[0] == 200
    with pytest.raises(OSError):
        post(address, b'{"messages": []}')


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"messages": [1]}', b"\xff", b'{"messages": 5}']
)
def test_what_is_no_request_is_told(body: bytes, model: CharacterModel) -> None:
    with serving(model) as address:
        status, told = post(address, body)
    assert status == 400 and told["error"]["message"]


def test_another_path_is_not_served(model: CharacterModel) -> None:
    with serving(model) as address:
        assert post(address, b"{}", "/models")[0] == 404


def test_a_temperature_draws_by_seed_and_turn(model: CharacterModel) -> None:
    def content(**options: Any) -> Any:
        messages = [{"role": "user", "content": "go"}]
        return answer(model, {"messages": messages, "temperature": 1.0} | options)["choices"]

    drawn = [content(seed=seed)[0]["message"]["content"] for seed in range(8)]
    assert drawn[3] == content(seed=3)[0]["message"]["content"]
    assert len(set(drawn)) > 1


def test_scores_are_read_from_lines(tmp_path: Path) -> None:
    path = tmp_path / "scored.tsv"
    path.write_text("0.5\tc1/t:0=1\ninf\tc1/s:0=1\n")
    assert read_scored(path) == (["c1/t:0=1", "c1/s:0=1"], [0.5, float("inf")])
    path.write_text("0.5\ta\nx\tb\n")
    with pytest.raises(DataError, match=r"scored\.tsv:2"):
        read_scored(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_scored(tmp_path / "none")


def test_ten_queries_beat_ten_random_ones_on_nasbench_201() -> None:
    """Random-10 has a mean of 93.03 on test; a seed of ours must be above it by 0.3."""
    if not os.environ.get("LAYERWISE_DATA"):
        pytest.skip("the real data is not here; set LAYERWISE_DATA")
    space = nasbench_201()
    reached = []
    for seed in range(2):
        generator = random.Random(f"sample {seed}")
        names = list(dict.fromkeys(space.sample(generator) for _ in range(500)))
        model = train_character_model(
            names, [space.runs(name)[0] for name in names], seed, epochs=20
        )
        with serving(model) as address:
            search = LanguageModelSearch(space, evaluations=10, base_url=address, model=NAME)
            found = []
            while (trial := search.ask()) is not None:
                found.append(trial.candidate)
                search.tell(trial, Estimate(tuple(space.runs(trial.candidate))))
        assert len(found) == 10
        best = min(found, key=lambda name: space.runs(name)[0])
        reached.append(100 * (1 - space.test_runs(best)[0]))
    assert statistics.fmean(reached) > 93.03 + 0.3
