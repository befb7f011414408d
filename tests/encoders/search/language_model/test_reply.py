"""Replies: exact, or refused with what was wrong."""

from __future__ import annotations

import pytest

from layerwise.core.errors import DataError
from layerwise.encoders.search.cell_space import cell_space
from layerwise.encoders.search.language_model.reply import LONGEST, ReplyError, read_reply
from layerwise.encoders.search.tables.nasbench_201 import NasBench201


@pytest.mark.parametrize(
    "reply",
    [
        "333333",
        "  333333\n",
        "```\n333333\n```",
        "```text\n333333\n```",
        "I take all 3x3, not 111111.\n\n```\n333333\n```\nDone.",
        "My choice:\n\n333333\n\nIt is wide.",
        '{"candidate": "333333"}',
        '```json\n{"candidate": "333333", "why": "wide"}\n```',
        "```\n333333\n```\nand again\n```\n333333\n```",
        "```python\nprint(1)\n```\n```\n333333\n```",
        "<think>\n```\n111111\n```\n</think>\n```\n333333\n```",
        "333333\r\n",
        "```\n333333",  # the fence is not closed, the line is exact
        "x" * LONGEST + "\n```\n333333\n```",
    ],
)
def test_one_exact_candidate_is_read(reply: str, space: NasBench201) -> None:
    assert read_reply(reply, space) == "333333"


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("<think>333333</think>", "is empty"),
        ("333333\n111111", "names 2 different candidates"),
        ("```\n333333\n```\n```\n111111\n```", "names 2 different candidates"),
        ("```\n333333\n111111\n```", "not a candidate"),
        ("I would take 333333 here.", "not a candidate"),
        ("I would take 333333.\nOr perhaps not.", "names no candidate"),
        ("Answer: 333333", "not a candidate"),
        ("```\n33333\n```", "not a candidate: '33333'"),
        ("```\n333335\n```", "not a candidate: '333335'"),
        ("333333\n```\nnothing here\n```", "not a candidate"),
        ('{"candidate": 333333}', "not a candidate"),
        ('{"candidate": ["333333"]}', "not a candidate"),
        ("[" * 15_000, "not a candidate"),
    ],
)
def test_anything_else_is_refused(reply: str, told: str, space: NasBench201) -> None:
    with pytest.raises(DataError, match=told):
        read_reply(reply, space)


def test_faults_of_the_reply_and_of_the_candidate_differ(space: NasBench201) -> None:
    with pytest.raises(ReplyError):
        read_reply("", space)
    with pytest.raises(DataError) as caught:
        read_reply("```\n9\n```", space)
    assert not isinstance(caught.value, ReplyError)


def test_cells_are_read_in_their_canonical_writing() -> None:
    cells = cell_space()
    dead = "c1/t:0/L:0,@3/t:2=3"  # node 1 reaches nothing
    assert read_reply(f"```\n{dead}\n```", cells) == "c1/L:0,@2/t:1=2"
    assert read_reply("c1/L:0,@2/t:1=2\nc1/t:0/L:0,@3/t:2=3", cells) == "c1/L:0,@2/t:1=2"
