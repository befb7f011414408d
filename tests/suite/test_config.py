"""What a user asks for: layers, flags over a file, and errors that name the flag."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwise.core.errors import DataError, UsageError
from layerwise.suite.config import RunConfig, build, select_layers

LAYERS = 13
GIVEN: dict[str, Any] = {"encoder": ("onehot",), "task": ("pos",)}

part = st.one_of(
    st.integers(0, LAYERS - 1).map(lambda i: (str(i), {i})),
    st.integers(-LAYERS, -1).map(lambda i: (str(i), {LAYERS + i})),
    st.tuples(st.integers(0, LAYERS - 1), st.integers(0, LAYERS - 1)).map(
        lambda ends: (f"{min(ends)}-{max(ends)}", set(range(min(ends), max(ends) + 1)))
    ),
)


@given(parts=st.lists(part, min_size=1, max_size=5), blank=st.sampled_from(["", " "]))
def test_layers_are_those_named_each_once_in_order(
    parts: list[tuple[str, set[int]]], blank: str
) -> None:
    asked = ",".join(f"{blank}{text}{blank}" for text, _ in parts)
    assert select_layers(asked, LAYERS) == sorted(set().union(*(found for _, found in parts)))


def test_all_layers() -> None:
    assert select_layers("all", 3) == [0, 1, 2]
    assert select_layers("-1", 1) == select_layers("0", 1) == [0]


@pytest.mark.parametrize(
    "asked",
    ["", ",", "1,", "a", "1.0", "0x1", "--1", "1-", "1--1", "1 2", "all,1", "1-2-3", "9" * 5000],
)
def test_what_is_no_layer_is_a_usage_error(asked: str) -> None:
    with pytest.raises(UsageError, match=r"--layers: .* is no layer; write"):
        select_layers(asked, LAYERS)


@pytest.mark.parametrize("asked", ["13", "-14", "3-13", "5-4", "0,99"])
def test_a_layer_outside_the_encoder_is_a_usage_error(asked: str) -> None:
    with pytest.raises(UsageError, match=r"--layers: .* is outside the layers 0 to 12"):
        select_layers(asked, LAYERS)


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "run.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_flags_stand_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    file = written(
        tmp_path, 'encoder = ["onehot"]\ntask = "pos"\nlayers = "0"\nbatch_words = 7\ndata = "ewt"'
    )
    flags = {"task": ("coref", "deprel"), "data": "gum", "encoder": (), "layers": None}
    assert build(flags, file) == RunConfig(
        encoder=("onehot",),
        task=("coref", "deprel"),
        data="gum",
        layers="0",
        batch_words=7,
        span_pooling="mean",
    )


def test_the_defaults_are_those_that_help_tells() -> None:
    config = build(GIVEN)
    assert (config.data, config.layers, config.probe) == ("builtin", "all", "linear")
    assert (config.span_pooling, config.subword_pooling, config.context) == (
        "mean",
        "mean",
        "document",
    )
    assert (config.device, config.batch_words, config.workers) == ("cpu", 1024, 0)
    assert config.engine == "processes" and config.folder() == Path("runs/builtin")


@pytest.mark.parametrize("name", ["encoder", "task"])
def test_what_must_be_named_and_is_not_is_told_with_where_to_find_names(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        build(GIVEN | {name: ()})
    assert str(caught.value) == f"--{name}: is missing; `probe list {name}s` tells the names"


@pytest.mark.parametrize("name", ["encoder", "task"])
def test_a_name_that_is_given_twice_counts_once(name: str) -> None:
    twice = (*GIVEN[name], "other", *GIVEN[name])
    assert getattr(build(GIVEN | {name: twice}), name) == (*GIVEN[name], "other")


def test_batches_are_counted_in_words_or_found() -> None:
    assert build(GIVEN | {"batch_words": "512"}).batch_words == 512
    assert build(GIVEN | {"batch_words": "auto"}).batch_words == "auto"
    with pytest.raises(UsageError, match="--batch-words: write a number of words from 1, or auto"):
        build(GIVEN | {"batch_words": "0"})


def test_an_unknown_key_of_a_file_gets_its_nearest_name(tmp_path: Path) -> None:
    file = written(tmp_path, 'span-poling = "mean"')
    with pytest.raises(UsageError) as caught:
        build(GIVEN, file)
    assert str(caught.value) == (
        f"{file}: no such setting: 'span-poling'; did you mean span_pooling?"
    )


@pytest.mark.parametrize(
    "name, value",
    [
        ("span_pooling", "median"),
        ("subword_pooling", "max"),
        ("context", "world"),
        ("engine", "slurm"),
        ("batch_words", 0),
        ("batch_words", "many"),
        ("workers", -1),
        ("layers", 3),
        ("data", ["a", "b"]),
        ("encoder", [1]),
        ("refits", 1),
    ],
)
def test_a_wrong_value_is_an_error_that_names_the_flag(name: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"^--{name.replace('_', '-')}: ") as caught:
        build(GIVEN | {name: value})
    assert "\n" not in str(caught.value) and "pydantic" not in str(caught.value)


def test_a_code_over_spans_that_attention_has_pooled_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^--span-pooling: attention has seen the labels"):
        build(GIVEN | {"span_pooling": "attentive", "codelength": 1})
    assert build(GIVEN | {"span_pooling": "attentive"}).codelength == 0


@pytest.mark.parametrize("text", ["encoder = ", "a = 1\na = 2", "\ufffe = 1\x00"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, text: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(DataError, match=r"run\.toml: cannot be read as TOML"):
        build(GIVEN, file)


def test_a_file_in_another_encoding_or_none_at_all_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b'data = "\xe9"')
    with pytest.raises(DataError, match=r"latin\.toml"):
        build(GIVEN, tmp_path / "latin.toml")
    with pytest.raises(DataError, match="nowhere: no such file"):
        build(GIVEN, tmp_path / "nowhere")
    with pytest.raises(DataError, match="cannot be read"):
        build(GIVEN, tmp_path)


@pytest.mark.parametrize("data", ["..", ".", "/", "a/../..", "ud:fi_tdt", "a b\n", "../x/y.conllu"])
def test_the_folder_of_a_run_lies_in_runs_whatever_the_data_is_called(data: str) -> None:
    folder = build(GIVEN | {"data": data}).folder()
    assert folder.parent == Path("runs") and folder.name not in ("", ".", "..")
    assert build(GIVEN | {"data": data, "output": "here"}).folder() == Path("here")


def test_a_run_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        build(GIVEN).data = "other"  # type: ignore[misc]
