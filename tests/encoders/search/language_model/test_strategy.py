"""A language model as a strategy, by scripts: what it is told, and what becomes of its replies."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Response

from layerwise.core.errors import DataError, UsageError
from layerwise.encoders.search.cell_space import cell_space
from layerwise.encoders.search.language_model.prompt import fenced
from layerwise.encoders.search.language_model.strategy import MOST_SKIPPED, LanguageModelSearch
from layerwise.encoders.search.protocols import Estimate, Trial
from layerwise.encoders.search.tables.nasbench_201 import NasBench201

from .conftest import Make, Script, completion

Run = Callable[[LanguageModelSearch], list[str]]
GOOD = [fenced(name) for name in ("000003", "000033", "000333")]


def losses(said: list[str]) -> list[float]:
    """What the messages tell, in their order."""
    return [float(found[1]) for text in said if (found := re.search(r"loss is ([\d.]+)\.", text))]


def test_each_turn_tells_one_number(make: Make, run: Run, script: Script) -> None:
    search = make(*GOOD, evaluations=3, seed=4, temperature=0.5)
    assert run(search) == ["000003", "000033", "000333"]
    assert len(script.requests) == 3
    assert [sorted(request) for request in script.requests] == [
        ["messages", "model", "seed", "temperature"]
    ] * 3
    assert (script.requests[0]["seed"], script.requests[0]["temperature"]) == (4, 0.5)
    system, opening, *rest = script.said()
    assert "3x3 convolution" in opening and "3 turns" in opening and "one number" in system
    assert rest[::2] == GOOD[:2]
    assert rest[1] == "Its loss is 0.42. Name another candidate, with a lower loss than all before."
    assert losses(rest) == [0.42, 0.34]
    assert [each["role"] for each in script.requests[-1]["messages"]] == [
        "system",
        *["user", "assistant"] * 2,
        "user",
    ]


def test_no_end_is_told_where_none_is_known(make: Make, script: Script) -> None:
    make(GOOD[0], temperature=None).ask()
    assert "turns in all" not in script.said()[1]
    assert "temperature" not in script.requests[0]


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ("", "reply: is empty"),
        ("A wide cell is best.\nI am sure.", "reply: names no candidate"),
        ("```\n999999\n```", "space toy: not a candidate: '999999'"),
        ("000000\n111111", "names 2 different candidates"),
    ],
)
def test_an_invalid_reply_is_repaired(
    bad: str, told: str, make: Make, run: Run, script: Script
) -> None:
    assert run(make(bad, GOOD[0], GOOD[1], evaluations=2)) == ["000003", "000033"]
    assert told in script.said(1)[-1]
    assert script.said(1)[-2] == (bad or "(nothing)")
    assert told not in " ".join(script.said(2))  # what was repaired is forgotten


def test_a_repeated_candidate_is_repaired(make: Make, run: Run, script: Script) -> None:
    assert run(make(GOOD[0], GOOD[0], GOOD[1], evaluations=2)) == ["000003", "000033"]
    assert script.said(2)[-1] == "000003: was named before; name another candidate"


def test_a_truncated_reply_is_asked_for_shorter(make: Make, run: Run, script: Script) -> None:
    cut = completion(GOOD[1] + "\nor is", finish="length")
    assert run(make(cut, GOOD[0], evaluations=1)) == ["000003"]
    assert "cut off" in script.said(1)[-1]


def test_repairs_have_a_bound_and_the_turn_counts(make: Make, run: Run, script: Script) -> None:
    search = make("no", "no", "no", GOOD[0], evaluations=2, repairs=2)
    assert run(search) == ["000003"]
    assert len(script.requests) == 4
    fault = "space toy: not a candidate: 'no'; write 6 digits from 0 to 4, such as 333133"
    assert script.said(2)[2:] == ["no", fault] * 2
    better = "Name another candidate, with a lower loss than all before."
    assert script.said(3)[2:] == ["no", f"No candidate: {fault}. {better}"] * 3


def test_it_ends_after_too_many_skipped_turns(make: Make, script: Script) -> None:
    search = make(GOOD[0], "no", repairs=0)
    assert search.ask() is not None
    with pytest.warns(UserWarning, match="5 turns in a row"):
        assert search.ask() is None
    assert search.ask() is None
    assert len(script.requests) == 1 + MOST_SKIPPED


def test_skipped_turns_in_between_are_borne(make: Make, run: Run) -> None:
    replies: list[Any] = []
    for good in GOOD:
        replies += ["no"] * (MOST_SKIPPED - 1) + [good]
    assert len(run(make(*replies, repairs=0, evaluations=15))) == 3


@pytest.mark.parametrize("failure", [Response("", 429), Response("", 500), {}])
def test_a_server_that_fails_costs_a_turn(
    failure: Any, make: Make, run: Run, script: Script
) -> None:
    search = make(failure, failure, GOOD[0], evaluations=2, retries=1)
    assert run(search) == ["000003"]
    assert len(script.requests) == 3


def test_a_silent_server_costs_a_turn(make: Make, run: Run) -> None:
    search = make(2.0, GOOD[0], evaluations=2, retries=0, timeout=1)
    assert run(search) == ["000003"]


def test_losses_that_are_not_numbers_are_told_in_words(make: Make, script: Script) -> None:
    search = make(*GOOD)
    first, second = search.ask(), search.ask()
    assert first is not None and second is not None
    search.tell(first, Estimate((math.inf, 3.0)))
    search.ask()
    assert "it failed" in script.said()[3]
    assert "not known yet" in script.said()[5]
    search.tell(second, Estimate((0.25, 3.0)))
    search.tell(Trial("444444"), Estimate((0.5,)))  # of another strategy
    script.replies.append(fenced("111111"))
    search.ask()
    assert losses(script.said()) == [0.25, 0.5]


def test_shuffled_feedback_is_the_same_numbers_in_another_order(
    make: Make, run: Run, script: Script, space: NasBench201
) -> None:
    names = [f"{3:06}"[: 6 - k] + "3" * k for k in range(1, 6)] + ["333333", "111111", "222222"]
    names = list(dict.fromkeys(name.rjust(6, "0") for name in names))
    run(make(*map(fenced, names), evaluations=len(names), feedback="shuffled"))
    moved = 0
    for turn in range(len(names)):
        true = [space.runs(name)[0] for name in names[:turn]]
        told = losses(script.said(turn))
        assert sorted(told) == pytest.approx(sorted(true))
        moved += told != pytest.approx(true)
    assert moved >= 4


def climber(messages: list[dict[str, str]]) -> str:
    """A scripted model that heeds the feedback: it changes one digit of what was told best."""
    tried = [
        (losses([answer["content"]])[0], reply["content"].strip("`\n"))
        for reply, answer in zip(messages[2::2], messages[3::2], strict=True)
    ]
    generator = random.Random(len(messages))
    if not tried:
        return fenced("000000")
    best, known = min(tried)[1], {name for _, name in tried}
    while True:
        place, digit = generator.randrange(6), generator.choice("01234")
        other = best[:place] + digit + best[place + 1 :]
        if other not in known:
            return fenced(other)


def test_the_control_tells_a_model_that_optimises_from_one_that_knows(
    make: Make, run: Run, space: NasBench201, script: Script
) -> None:
    script.replies.append(climber)
    best = {
        feedback: min(
            space.runs(name)[0] for name in run(make(evaluations=30, feedback=feedback, seed=1))
        )
        for feedback in ("true", "shuffled")
    }
    assert best["true"] <= best["shuffled"] - 0.15  # two digits of six and more


def test_anonymous_operations_have_signs_alone(script: Script) -> None:
    script.replies += ["c1/A4:@2/a:0,1=2", "c1/W:0=1", fenced("c1/L:0,@2/t:1=2")]
    options: dict[str, Any] = {"base_url": script.address, "model": "any"}
    search = LanguageModelSearch(cell_space(), operations="anonymous", **options)
    assert search.ask() == Trial("c1/L:0,@2/t:1=2")
    told = " ".join(script.said(0) + script.said(1) + script.said(2)).lower()
    for name in ("tanh", "sigmoid", "attention", "convolution", "blend", "recurren"):
        assert name not in told
    assert "cannot be read" in script.said(2)[-1]


def test_a_killed_search_goes_on_without_the_server(
    make: Make, run: Run, script: Script, tmp_path: Path
) -> None:
    path = tmp_path / "transcript.jsonl"
    replies = ["no", GOOD[0], GOOD[1], Response("", 500), GOOD[2]]
    whole = run(make(*replies, evaluations=4, retries=0, transcript=path))
    assert whole == ["000003", "000033", "000333"]
    asked, text = len(script.requests), path.read_text()
    assert run(make(evaluations=4, retries=0, transcript=path)) == whole
    assert (len(script.requests), path.read_text()) == (asked, text)

    path.write_text("".join(text.splitlines(keepends=True)[:2]))  # killed after the first turn
    script.requests.clear()
    script.replies[:] = replies[2:]
    assert run(make(evaluations=4, retries=0, transcript=path)) == whole
    assert len(script.requests) == 3
    assert [len(line) for line in path.read_text().splitlines()]

    script.requests.clear()
    search = make(evaluations=4, retries=0, transcript=path)
    trial = search.ask()
    assert trial is not None
    search.tell(trial, Estimate((0.99,)))
    with pytest.raises(DataError, match="question 3 is not"):
        search.ask()
    assert not script.requests


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"feedback": "shufled"}, "did you mean shuffled"),
        ({"operations": "anon"}, "no such choice"),
        ({"timeout": 0}, "timeout"),
        ({"retries": -1}, "retries"),
        ({"repairs": -1}, "repairs"),
        ({"temperature": math.nan}, "temperature"),
    ],
)
def test_options_that_do_not_exist(options: dict[str, Any], told: str, make: Make) -> None:
    with pytest.raises(UsageError, match=told):
        make(**options)
