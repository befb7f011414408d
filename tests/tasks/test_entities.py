"""Mentions from ``Entity=`` brackets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from layerwise.core.errors import DataError
from layerwise.core.types import Span
from layerwise.tasks.base import Mention
from layerwise.tasks.conllu import ConlluFile, read_conllu

Write = Callable[..., Path]

GUM = "GRP-etype-infstat-minspan-link-identity"


def read(conllu: Write, *values: str, fields: str = GUM, doc: str = "d") -> ConlluFile:
    rows = [
        f"{i} w{i} w X _ _ {i - 1} {'root' if i == 1 else 'dep'} _ {value}"
        for i, value in enumerate(values, 1)
    ]
    return read_conllu(
        conllu(f"# newdoc id = {doc}\n# global.Entity = {fields}\n" + "\n".join(rows))
    )


def mentions(file: ConlluFile) -> list[tuple[int, int, str, str]]:
    (document,) = file.documents
    assert document.mentions is not None
    return [(*mention.span, mention.entity, mention.entity_type) for mention in document.mentions]


def test_nested_crossing_and_one_word(conllu: Write) -> None:
    got = read(
        conllu,
        "Entity=(1-person-new-2-coref(2-place-new-1-sgl)",
        "Entity=(3-object-new-1-sgl-Na-me/x)",
        "MSeg=a-b|Entity=1)(4-event-new-1-coref|SpaceAfter=No",
        "Entity=(5-abstract-new-1-sgl",
        "Entity=4)",
        "Entity=5)",
    )
    assert mentions(got) == [
        (0, 1, "2", "place"),
        (0, 3, "1", "person"),
        (1, 2, "3", "object"),
        (2, 5, "4", "event"),
        (3, 6, "5", "abstract"),
    ]
    assert got.counts["mentions"] == 5


def test_the_same_entity_opened_twice_closes_inside_out(conllu: Write) -> None:
    got = read(conllu, "Entity=(1-person-a", "Entity=(1-group-b", "Entity=1)", "Entity=1)")
    assert mentions(got) == [(0, 4, "1", "person"), (1, 3, "1", "group")]


def test_fields_are_found_by_name(conllu: Write) -> None:
    got = read(conllu, "Entity=(x-e9-animal)", fields="head-eid-etype")
    assert mentions(got) == [(0, 1, "e9", "animal")]
    got = read(conllu, "Entity=(e9-animal)", fields="name-other")
    assert mentions(got) == [(0, 1, "e9", "")]
    assert mentions(read(conllu, "Entity=(e9)")) == [(0, 1, "e9", "")]


@pytest.mark.parametrize(("head", "span"), [("1", (0, 2)), ("3", (3, 4)), ("9", (0, 2))])
def test_a_discontinuous_mention_is_the_part_with_its_head(
    conllu: Write, head: str, span: tuple[int, int]
) -> None:
    got = read(
        conllu,
        f"Entity=(e1[1/2]-person-{head}-a",
        "Entity=e1[1/2])",
        "_",
        f"Entity=(e1[2/2]-person-{head}-a)",
        fields="eid-etype-head-other",
    )
    assert mentions(got) == [(*span, "e1", "person")]
    assert got.counts["mentions_discontinuous"] == 1
    assert got.counts["mentions"] == 1


def test_empty_nodes_hold_brackets(conllu: Write) -> None:
    got = read_conllu(
        conllu("""
        # global.Entity = eid-etype
        1 a a X _ _ 0 root _ _
        1.1 z z PRON _ _ _ _ _ Entity=(e1-person)
        1.2 z z PRON _ _ _ _ _ Entity=(e2-person
        2 b b X _ _ 1 dep _ Entity=e2)
        """)
    )
    assert mentions(got) == [(1, 2, "e2", "person")]
    assert got.counts["mentions_without_words"] == 1


def test_positions_count_over_the_document(conllu: Write) -> None:
    got = read_conllu(
        conllu("""
        # newdoc id = a
        # global.Entity = eid-etype
        1 a a X _ _ 0 root _ Entity=(e1-person)

        1 b b X _ _ 0 root _ _
        2-3 cd _ _ _ _ _ _ _ _
        2 c c X _ _ 1 dep _ Entity=(e1-person
        3 d d X _ _ 1 dep _ Entity=e1)

        # newdoc id = b
        1 e e X _ _ 0 root _ Entity=(e1-person)
        """)
    )
    first, second = got.documents
    assert first.mentions == (
        Mention(Span(0, 1), "e1", "person"),
        Mention(Span(2, 4), "e1", "person"),
    )
    assert second.mentions == (Mention(Span(0, 1), "e1", "person"),)


def test_undeclared_brackets_are_counted_and_never_dropped_by_a_late_declaration(
    conllu: Write,
) -> None:
    one = "1 a a X _ _ 0 root _ Entity=(e1-person)\n"
    got = read_conllu(conllu(one))
    assert got.documents[0].mentions is None
    assert got.counts["entity_undeclared"] == 1
    with pytest.raises(DataError, match=r"news.conllu:3: .*behind the first Entity="):
        read_conllu(conllu(f"{one}\n# global.Entity = eid-etype\n{one}"))


def test_documents_before_the_declaration_have_no_layer_and_later_ones_may_be_bare(
    conllu: Write,
) -> None:
    bare = "1 a a X _ _ 0 root _ _\n"
    text = f"# newdoc id = a\n{bare}\n# newdoc id = b\n# global.Entity = eid-etype\n{bare}"
    first, second = read_conllu(conllu(text)).documents
    assert first.mentions is None
    assert second.mentions == ()


@pytest.mark.parametrize(
    ("values", "line", "what"),
    [
        (["Entity=(1-a", "_"], 3, r"the bracket \(1 is not closed"),
        (["_", "Entity=1)"], 4, r"the bracket 1\) was not opened"),
        (["Entity=(1-a", "Entity=2)1)"], 4, r"the bracket 2\) was not opened"),
        (["Entity=(1-a)(", "_"], 3, r"cannot be read at '\('"),
        (["Entity=(1-a)x"], 3, "cannot be read at 'x'"),
        (["Entity=()"], 3, "cannot be read"),
        (["Entity="], 3, "an empty value"),
        (["Entity=(-a)"], 3, "without the entity's id"),
        (["Entity=(1-a)|Entity=(2-a)"], 3, "two values of Entity="),
        (["Entity=(1[2/2]-a)"], 3, "part 2 of 2 of 1 where part 1 is due"),
        (["Entity=(1[1/2]-a)", "_"], 3, "only 1 of the 2 parts"),
        (["Entity=(1[1/2]-a)(1[1/2]-a)"], 3, "part 1 of 2 of 1 where part 2 is due"),
    ],
)
def test_faults(conllu: Write, values: list[str], line: int, what: str) -> None:
    with pytest.raises(DataError, match=rf"news.conllu:{line}: .*{what}"):
        read(conllu, *values)


def test_brackets_on_a_multiword_row_and_a_senseless_declaration(conllu: Write) -> None:
    with pytest.raises(DataError, match="Entity= on a multiword row"):
        read_conllu(
            conllu("""
            # global.Entity = eid-etype
            1-2 ab _ _ _ _ _ _ _ Entity=(e1-person)
            1 a a X _ _ 0 root _ _
            2 b b X _ _ 1 dep _ _
            """)
        )
    for fields in ("eid--etype", "eid-eid"):
        with pytest.raises(DataError, match=r"news.conllu:2: the fields of global.Entity"):
            read(conllu, "_", fields=fields)


def test_a_mention_may_not_run_over_a_sentence_end(conllu: Write) -> None:
    with pytest.raises(DataError, match=r"news.conllu:2: .*not closed before the sentence ends"):
        read_conllu(
            conllu("""
            # global.Entity = eid-etype
            1 a a X _ _ 0 root _ Entity=(e1-person

            1 b b X _ _ 0 root _ Entity=e1)
            """)
        )
