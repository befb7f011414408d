"""Formats: told by names and first lines, prefixes, and how each becomes splits."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError, LayerwiseError, UsageError
from layerwise.core.types import SPLITS
from layerwise.tasks.base import Corpus
from layerwise.tasks.corpora import load_corpus, locate
from layerwise.tasks.data_sets import TEMPLATE
from layerwise.tasks.formats import FORMATS, prefixes, recognised, told_of

Files = Callable[..., Path]
GAP_HEAD = "ID\tText\tPronoun\tPronoun-offset\tA\tA-offset\tA-coref\tB\tB-offset\tB-coref\tURL\n"
SENTEVAL = "tr\tPAST\tAnn sang .\nva\tPAST\tBea sang .\nte\tPRES\tCleo sings .\n"


def conllu(i: int) -> str:
    return f"# newdoc id = d{i}\n1\tw{i}\t_\tX\t_\t_\t0\troot\t_\t_\n\n"


def conll(i: int) -> str:
    rows = [f"d{i}\t0\t{n}\tw{i}{n}" + "\t_" * 8 + f"\t{'(1)' if n else ''}\n" for n in range(3)]
    return f"#begin document (d{i}); part 000\n{''.join(rows)}\n#end document\n"


def ontogum(i: int) -> str:
    return f"# begin document\n0\tAnn{i}\t(1)\n1\tsaid\t_\n2\tshe\t(1)\n# end document\n"


def iob(i: int) -> str:
    return f"# newdoc id = d{i}\n1\tw{i}\tB-PER\n2\tgoes\tO\n\n"


def conll_2000(i: int) -> str:
    return f"Ann{i} NNP B-NP\nsings VBZ B-VP\n\n"


def tree(i: int) -> str:
    return f"# newdoc id = d{i}\n(ROOT (S (NP (NNP Ann{i})) (VP (VBZ sings))))\n"


def edges(i: int) -> str:
    return f'{{"text": "Ann{i} sings", "targets": [{{"span1": [0, 1], "label": "PER"}}]}}\n'


def pair(i: int) -> str:
    told = {"field": "syntax", "linguistics_term": "agreement", "UID": "number", "pairID": str(i)}
    texts = {"sentence_good": f"Ann{i} sings.", "sentence_bad": f"Ann{i} sing."}
    return json.dumps({**texts, **told}) + "\n"


def gap(i: int) -> str:
    text = f"Ann told Bea that she won it{i}."
    return f"g{i}\t{text}\tshe\t18\tAnn\t0\tTRUE\tBea\t9\tFALSE\tu\n"


def winogender(i: int, gender: str = "male") -> str:
    pronoun = {"male": "he", "female": "she"}[gender]
    name = f"baker{i}.guest.0.{gender}.txt"
    return f"{name}\tThe baker{i} told the guest that {pronoun} was tired.\n"


def many(write: Callable[[int], str], numbers: range) -> str:
    return "".join(map(write, numbers))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Writes texts under their names below a folder, packed where they end in .gz, and gives it."""

    def write(contents: Mapping[str, str], folder: str = "data") -> Path:
        for name, text in contents.items():
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            data = text.encode()
            path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return tmp_path / folder

    return write


def ids(corpus: Corpus) -> dict[str, list[str]]:
    return {split: [d.document.id for d in corpus.splits[split]] for split in SPLITS}


TOLD = [
    ("x.conllu", "", "conllu"),
    ("x.conllu.gz", "", "conllu"),
    ("x.txt", conllu(1), "conllu"),
    ("dev.english.v4_gold_conll", "", "conll"),
    ("x.conll", conll(1), "conll"),
    ("x.ontogum.conll.gz", ontogum(1), "conll"),
    ("x.iob2", "", "iob"),
    ("x.bio.gz", "", "iob"),
    ("eng.testa", "-DOCSTART- -X- -X- O\n\nAnn NNP B-NP B-PER\n", "iob"),
    ("x.mrg", "", "brackets"),
    ("x.PTB", "", "brackets"),
    ("wsj_0001", "\n( (S (NP (NNP Ann)) (VP (VBZ sings))))\n", "brackets"),
    ("train.jsonl", edges(1), "edges"),
    ("x.jsonl.gz", pair(1), "blimp"),
    ("x.tsv", GAP_HEAD + gap(1), "gap"),
    ("x.tsv", "sentid\tsentence\n" + winogender(1), "winogender"),
    ("past_present.txt", SENTEVAL, "senteval"),
]


@pytest.mark.parametrize(("name", "text", "expected"), TOLD)
def test_a_file_tells_its_format(files: Files, name: str, text: str, expected: str) -> None:
    path = files({name: text}) / name
    assert told_of(path) == expected
    assert recognised(path).name == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.conll", conll_2000(1)),  # nothing tells it from any other columns
        ("x.txt", "Once upon a time.\n"),
        ("x.jsonl", '{"words": []}\n'),
        ("x.json", "{\n"),
        ("x.tsv", "tr\tPAST\n"),
        ("x", ""),
    ],
)
def test_what_tells_nothing_is_not_guessed(files: Files, name: str, text: str) -> None:
    with pytest.raises(UsageError, match=r"tell a format.*write FORMAT:x.* blimp, brackets, "):
        recognised(files({name: text}) / name)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.one_of(
        st.binary(max_size=60),
        st.text("({[<\t #-tr0aID:\"'\n", max_size=40).map(str.encode),
        st.binary(max_size=20).map(lambda data: b"\x1f\x8b" + data),
    )
)
def test_any_bytes_give_a_format_or_an_error(files: Files, data: bytes) -> None:
    path = files({"x": ""}) / "x"
    path.write_bytes(data)
    try:
        assert recognised(path).name in FORMATS
    except LayerwiseError as error:
        assert "\n" not in str(error)


def test_a_folder_tells_its_format(files: Files) -> None:
    assert recognised(files({"a-train.conllu": "", "a.ptb": "", "a.conll": ""}, "a")).name == (
        "conllu"
    )
    assert recognised(files({"train.jsonl": edges(1), "README.md": "# Data\n"}, "b")).name == (
        "edges"
    )
    assert recognised(files({"litbank.coref.conll.gz": ""}, "c")).name == "litbank"
    assert recognised(files({"pro_stereotyped_type1.txt.dev": ""}, "d")).name == "winobias"
    assert recognised(files({"train/wsj/01.mrg": ""}, "e")).name == "brackets"
    with pytest.raises(UsageError, match="files of brackets and iob are here; write FORMAT:f "):
        recognised(files({"train.ptb": "", "train.iob2": ""}, "f"))
    with pytest.raises(UsageError, match="neither the name nor the first lines"):
        recognised(files({"notes/x.txt": "a"}, "g"))


def test_prefixes(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = files(
        {
            f"{split}.ptb": many(tree, range(n, n + 2))
            for n, split in zip((0, 2, 4), SPLITS, strict=True)
        }
    )
    plain = load_corpus(str(folder))
    for prefix in ("brackets", "ptb"):
        assert load_corpus(f"{prefix}:{folder}") == plain
    assert plain.name == "data" and plain.facts["format"] == "brackets"
    assert set(prefixes()) == {*FORMATS, "ptb"}
    with pytest.raises(UsageError, match=r"no such format: 'bracket'; did you mean brackets\?"):
        load_corpus(f"bracket:{folder}")
    for name in ("iob:", "iob:nowhere", "iob:a\0b"):
        with pytest.raises(DataError):
            load_corpus(name)
    monkeypatch.chdir(folder)
    assert load_corpus("ptb:.").name == "data"


def test_what_a_prefix_changes_is_part_of_the_name(files: Files) -> None:
    texts = {f"{split}.conllu": conllu(i) for i, split in enumerate(SPLITS)}
    texts |= {f"{split}.onto.conll.gz": ontogum(i) for i, split in enumerate(SPLITS)}
    folder = files(texts)
    assert load_corpus(str(folder)).name == "data"
    corpus = load_corpus(f"conll:{folder}")
    assert corpus.name == "conll:data" and corpus.facts["format"] == "conll"
    assert all(document.mentions for split in SPLITS for document in corpus.splits[split])
    assert locate(f"conllu:{folder}")[2] == "data"


def test_files_of_each_split_and_what_is_not_read(files: Files) -> None:
    texts = {
        f"x-{split}.iob2": many(iob, range(2 * i, 2 * i + 2)) for i, split in enumerate(SPLITS)
    }
    folder = files({**texts, "extra.iob2": iob(9), "LICENSE": "free"})
    corpus = load_corpus(str(folder))
    assert ids(corpus) == {"train": ["d0", "d1"], "dev": ["d2", "d3"], "test": ["d4", "d5"]}
    assert corpus.facts["files"]["dev"]["spans"] == 2
    assert corpus.facts["files_not_read"] == ["extra.iob2"]
    assert corpus.facts["licence_files"] == ["LICENSE"]
    assert corpus.facts["split"] == "one file a split"
    json.dumps(corpus.facts)


def test_folders_of_each_split(files: Files) -> None:
    folder = files(
        {
            "train/a/01.v4_gold_conll": conll(1),
            "train/b/02.v4_gold_conll": conll(2),
            "development/03.v4_gold_conll": conll(3),
            "test/04.v4_gold_conll": conll(4),
        }
    )
    corpus = load_corpus(str(folder))
    assert ids(corpus) == {"train": ["d1/000", "d2/000"], "dev": ["d3/000"], "test": ["d4/000"]}
    told = corpus.facts["files"]["train"]
    assert told["files"] == 2 and told["words"] == 6 and told["mentions"] == 4
    before = told["sha256"]
    (folder / "train/b/02.v4_gold_conll").write_text(conll(5))
    assert load_corpus(str(folder)).facts["files"]["train"]["sha256"] != before
    (folder / "test/04.v4_gold_conll").unlink()
    with pytest.raises(DataError, match=r"no \.conll file for test; put the word"):
        load_corpus(str(folder))


def test_one_document_in_two_files(files: Files) -> None:
    folder = files({"train/1.mrg": tree(1), "train/2.mrg": tree(1), "dev/3.mrg": tree(3)})
    (folder / "test").mkdir()
    (folder / "test/4.mrg").write_text(tree(4))
    with pytest.raises(DataError, match="two documents of train have one id"):
        load_corpus(str(folder))


def test_a_missing_split_of_names_is_held_out(files: Files) -> None:
    folder = files({"x-dev.iob2": many(iob, range(20)), "x-test.iob2": many(iob, range(20, 25))})
    corpus = load_corpus(str(folder))
    assert [len(corpus.splits[split]) for split in SPLITS] == [16, 4, 5]
    assert "the data has no train" in corpus.facts["split"]
    # Elsewhere it is a mistake.
    with pytest.raises(DataError, match=r"no train file \(there is: x-dev.ptb, x-test.ptb\)"):
        load_corpus(str(files({"x-dev.ptb": tree(1), "x-test.ptb": tree(2)}, "trees")))


def test_text_without_documents_is_split_by_sentence(files: Files) -> None:
    # As CoNLL-2000: no documents, no dev, and sentences that come again.
    train = many(conll_2000, range(40)) + many(conll_2000, range(10))
    folder = files({"train.txt": train, "test.txt": many(conll_2000, range(50, 55))})
    corpus = load_corpus(f"iob:{folder}")
    assert len(corpus.splits["train"]) + len(corpus.splits["dev"]) == 50
    assert len(corpus.splits["test"]) == 5
    words = {split: {d.document.words for d in corpus.splits[split]} for split in SPLITS}
    assert len(words["dev"]) == 4 and not words["dev"] & words["train"]
    assert "each sentence is a document of its own" in corpus.facts["split"]
    assert corpus.splits["train"][0].edges[0].task == "chunk"
    alone = load_corpus(f"iob:{folder / 'train.txt'}")
    assert sum(len(alone.splits[split]) for split in SPLITS) == 50
    assert alone.facts["texts_in_two_splits"] == 0


def test_gap_with_and_without_its_test(files: Files) -> None:
    parts = {
        "gap-development.tsv": GAP_HEAD + many(gap, range(20)),
        "gap-validation.tsv.gz": GAP_HEAD + many(gap, range(20, 24)),
    }
    folder = files(parts)
    corpus = load_corpus(str(folder))
    assert [len(corpus.splits[split]) for split in SPLITS] == [18, 2, 4]
    assert "test is its validation" in corpus.facts["split"]
    assert corpus.facts["files"]["validation"]["documents"] == 4
    files({"gap-test.tsv": GAP_HEAD + many(gap, range(30, 33))})
    corpus = load_corpus(str(folder))
    assert [len(corpus.splits[split]) for split in SPLITS] == [20, 4, 3]
    alone = load_corpus(str(folder / "gap-development.tsv"))
    assert [len(alone.splits[split]) for split in SPLITS] == [16, 2, 2]
    (folder / "gap-development.tsv").unlink()
    with pytest.raises(DataError, match=r"no gap-development\.tsv"):
        load_corpus(str(folder))


def test_the_versions_of_a_winobias_sentence_stay_together(files: Files) -> None:
    lists = {"female_occupations.txt": "nurse\n", "male_occupations.txt": "guard\n"}
    texts = {}
    for split in ("dev", "test"):
        for kind in "12":
            places = [f"in {split} place {i} of type {kind}" for i in range(20)]
            for stereotype, pronoun in (("pro", "she"), ("anti", "he")):
                lines = [
                    f"{n} [The nurse] met the guard because [{pronoun}] was {place}.\n"
                    for n, place in enumerate(places, 1)
                ]
                texts[f"{stereotype}_stereotyped_type{kind}.txt.{split}"] = "".join(lines)
    folder = files({**lists, **texts})
    corpus = load_corpus(str(folder))
    assert [len(corpus.splits[split]) for split in SPLITS] == [72, 8, 80]
    keys = {split: [TEMPLATE.key(d) for d in corpus.splits[split]] for split in SPLITS}
    assert not set(keys["train"]) & set(keys["dev"])
    for split in SPLITS:  # each sentence with both of its versions
        assert len(set(keys[split])) == len(keys[split]) / 2
    with pytest.raises(DataError, match="a file where a folder is due"):
        load_corpus(f"winobias:{folder / 'female_occupations.txt'}")


def test_winogender_is_split_by_occupation(files: Files) -> None:
    rows = [winogender(i, gender) for i in range(20) for gender in ("male", "female")]
    path = files({"all_sentences.tsv": "sentid\tsentence\n" + "".join(rows)})
    corpus = load_corpus(str(path / "all_sentences.tsv"))
    found = {
        split: [each.attributes["occupation"] for each in corpus.splits[split]] for split in SPLITS
    }
    assert {split: len(each) for split, each in found.items()} == {"train": 32, "dev": 4, "test": 4}
    assert sum(len(set(each)) for each in found.values()) == 20
    assert "split by occupation" in corpus.facts["split"]
    with pytest.raises(DataError, match="a folder where a file is due"):
        load_corpus(f"winogender:{path}")


def test_blimp_in_one_file_or_several(files: Files) -> None:
    one = load_corpus(str(files({"blimp.jsonl": many(pair, range(20))}, "one") / "blimp.jsonl"))
    parts = {"a.jsonl": many(pair, range(12)), "b.jsonl.gz": many(pair, range(12, 20))}
    several = load_corpus(str(files(parts, "several")))
    assert one.splits == several.splits
    assert [len(one.splits[split]) for split in SPLITS] == [16, 2, 2]
    assert several.facts["files"]["b.jsonl.gz"]["documents"] == 8
    with pytest.raises(DataError, match=r"no \.jsonl file"):
        load_corpus(f"blimp:{files({'x': ''}, 'none')}")


def test_senteval_has_splits_of_its_own(files: Files) -> None:
    corpus = load_corpus(str(files({"past_present.txt": SENTEVAL}) / "past_present.txt"))
    assert [[d.attributes["label"] for d in corpus.splits[split]] for split in SPLITS] == [
        ["PAST"],
        ["PAST"],
        ["PRES"],
    ]
    assert corpus.facts["counts"]["test"]["label PRES"] == 1


def test_edges_are_called_after_their_files_or_folder(files: Files) -> None:
    for folder, name in (("ner", "{}.jsonl"), ("any", "ner-{}.jsonl"), ("x", "ner.{}.json.gz")):
        texts = {name.format(split): many(edges, range(2)) for split in SPLITS}
        corpus = load_corpus(str(files(texts, folder)))
        assert {e.task for s in SPLITS for d in corpus.splits[s] for e in d.edges} == {"ner"}


def test_litbank_as_its_list_tells(files: Files) -> None:
    def text(i: int) -> str:
        return conll(i).replace(f"d{i}", f"{i}_b").replace("part 000", "part 0")

    annotation = "".join(
        f"{i}_b\tMENTION\tT{n}\t0\t{n}\t0\t{n}\tw{i}{n}\tPER\tPROP\n"
        for i in range(4)
        for n in (1, 2)
    )
    lists = {"train": ["0_b", "3_b"], "dev": ["1_b"], "test": ["2_b"]}
    folder = files(
        {
            "litbank.coref.conll": many(text, range(4)),
            "litbank.coref.ann.tsv.gz": annotation,
            "splits.json": json.dumps(lists),
        }
    )
    corpus = load_corpus(str(folder))
    assert ids(corpus) == lists
    assert set(corpus.facts["files"]) == {
        "litbank.coref.conll",
        "litbank.coref.ann.tsv.gz",
        "splits.json",
    }
    assert corpus.facts["counts"]["train"]["mentions"] == 4


def test_real_files_are_recognised(shared_data: Path) -> None:
    for name in ("gap", "winobias", "blimp", "litbank", "gum", "ewt"):
        expected = "conllu" if name in ("gum", "ewt") else name
        assert recognised(shared_data / name).name == expected
    assert recognised(shared_data / "uner_ewt").name == "iob"
    assert told_of(shared_data / "gum/en_gum-ud-dev.ptb.gz") == "brackets"
    assert told_of(shared_data / "gum/en_gum-ud-dev.ontogum.conll.gz") == "conll"


def test_real_names_and_pronouns(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYERWISE_DATA", str(shared_data))
    corpus = load_corpus("uner_ewt")
    names = {split: sum(len(each.edges) for each in corpus.splits[split]) for split in SPLITS}
    assert names["train"] + names["dev"] == 966 and names["test"] == 1088  # as published
    assert [len(corpus.splits[split]) for split in SPLITS] == [254, 64, 316]
    corpus = load_corpus("winobias")
    assert len(corpus.splits["test"]) == 4 * 396
    keys = [{TEMPLATE.key(d) for d in corpus.splits[split]} for split in ("train", "dev")]
    assert not keys[0] & keys[1]
