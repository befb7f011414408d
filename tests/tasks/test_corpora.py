"""Names to data."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from layerwise.core.errors import DataError, UsageError
from layerwise.core.files import sha256_of
from layerwise.core.types import SPLITS
from layerwise.tasks.conllu import COUNTS
from layerwise.tasks.coreference import MentionPair
from layerwise.tasks.corpora import list_corpora, load_corpus
from layerwise.tasks.corpus_files import split_of
from layerwise.tasks.morphology import MorphologicalFeature, PartOfSpeech
from layerwise.tasks.syntax import ArcLabel

Write = Callable[..., Path]


def document(name: str, word: str = "a") -> str:
    return f"# newdoc id = {name}\n1 {word} _ X _ _ 0 root _ _\n"


def folder_of(conllu: Write, **names: str) -> Path:
    """A folder with a document in each file; the words differ."""
    for split, name in names.items():
        path = conllu(document(f"doc-{split}", f"word-{split}"), f"corpus/{name}")
    return path.parent


def test_a_folder_with_a_file_a_split(conllu: Write) -> None:
    folder = folder_of(
        conllu, train="en_x-ud-train.conllu", dev="en_x-valid.conllu", test="TEST.conllu"
    )
    conllu(document("extra"), "corpus/latest.conllu")
    (folder / "LICENSE.txt").write_text("free")
    (folder / "PROVENANCE.md").write_text("# X\n\nSource: here @ 1234\n")
    corpus = load_corpus(str(folder))
    assert [d.document.id for split in SPLITS for d in corpus.splits[split]] == [
        "doc-train",
        "doc-dev",
        "doc-test",
    ]
    assert corpus.name == folder.name
    assert corpus.facts["files"]["dev"] == {
        "file": "en_x-valid.conllu",
        "sha256": sha256_of(folder / "en_x-valid.conllu"),
        "documents": 1,
        "sentences": 1,
        "words": 1,
        "multiword_rows": 0,
        "empty_nodes": 0,
        "mentions": 0,
        "mentions_discontinuous": 0,
        "mentions_without_words": 0,
    }
    assert corpus.facts["licence_files"] == ["LICENSE.txt"]
    assert corpus.facts["source"] == "here @ 1234"
    assert corpus.facts["files_not_read"] == ["latest.conllu"]
    assert corpus.facts["texts_in_two_splits"] == 0
    json.dumps(corpus.facts)


def test_packed_files_and_the_same_file_twice(conllu: Write) -> None:
    folder = folder_of(conllu, train="train.conllu", dev="dev.conllu", test="test.conllu")
    train = folder / "train.conllu"
    (folder / "train.conllu.gz").write_bytes(gzip.compress(train.read_bytes()))
    assert load_corpus(str(folder)).facts["files"]["train"]["file"] == "train.conllu"
    (folder / "train.conllu.gz").write_bytes(gzip.compress(b"other"))
    with pytest.raises(
        DataError, match=r"two files for the train split: train.conllu and train.conllu.gz"
    ):
        load_corpus(str(folder))
    train.unlink()
    with pytest.raises(DataError, match="no tab"):
        load_corpus(str(folder))


def test_two_files_for_a_split_or_none(conllu: Write) -> None:
    folder = folder_of(conllu, train="a-train.conllu", dev="a-dev.conllu", other="b-train.conllu")
    with pytest.raises(DataError, match=r"two files .* a-train.conllu and b-train.conllu"):
        load_corpus(str(folder))
    (folder / "b-train.conllu").unlink()
    with pytest.raises(DataError, match=r"no test file \(there is: a-dev.conllu, a-train.conllu\)"):
        load_corpus(str(folder))
    for path in folder.iterdir():
        path.unlink()
    with pytest.raises(UsageError, match="neither the name nor the first lines tell a format"):
        load_corpus(str(folder))
    with pytest.raises(DataError, match=r"no \.conllu file at all"):
        load_corpus(f"conllu:{folder}")
    conllu(document("a"), "corpus/a-test.conllu")
    with pytest.raises(DataError, match="no train and no dev file"):
        load_corpus(str(folder))


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("en_gum-ud-train.conllu.gz", "train"),
        ("train1.conllu", "train"),
        ("Validation.conllu", "dev"),
        ("x_dev.conllu", "dev"),
        ("test2.conllu", "test"),
        ("latest.conllu", None),
        ("device.conllu", None),
        ("x.conllu", None),
    ],
)
def test_split_words_stand_alone(name: str, split: str | None) -> None:
    assert split_of(Path(name)) == split


def test_a_name_of_two_splits_is_refused() -> None:
    with pytest.raises(DataError, match="two splits, dev and train"):
        split_of(Path("dev-of-train.conllu"))


def test_a_file_is_split_by_document(conllu: Write) -> None:
    text = "\n".join(document(f"d{i}", f"w{i}") for i in range(20))
    corpus = load_corpus(str(conllu(text)))
    sizes = {split: len(documents) for split, documents in corpus.splits.items()}
    assert sizes == {"train": 16, "dev": 2, "test": 2}
    assert "split by document" in corpus.facts["split"]
    ranked = sorted(range(20), key=lambda i: hashlib.sha256(f"d{i}".encode()).hexdigest())
    assert {d.document.id for d in corpus.splits["test"]} == {f"d{i}" for i in ranked[:2]}
    assert {d.document.id for d in corpus.splits["dev"]} == {f"d{i}" for i in ranked[2:4]}
    # Order in the file is kept within a split, and does not choose it.
    turned = load_corpus(
        str(conllu("\n".join(document(f"d{i}", f"w{i}") for i in reversed(range(20)))))
    )
    for split in SPLITS:
        assert turned.splits[split] == tuple(reversed(corpus.splits[split]))


def test_three_documents_are_the_least(conllu: Write) -> None:
    corpus = load_corpus(str(conllu("\n".join(document(n) for n in "abc"))))
    assert all(len(corpus.splits[split]) == 1 for split in SPLITS)
    assert corpus.facts["texts_in_two_splits"] == 2
    with pytest.raises(DataError, match="2 documents cannot be split"):
        load_corpus(str(conllu("\n".join(document(n) for n in "ab"))))


def test_a_file_without_documents_is_split_by_sentence(conllu: Write) -> None:
    text = "\n".join(f"# sent_id = s{i}\n1 w{i} _ X _ _ 0 root _ _\n" for i in range(60))
    corpus = load_corpus(str(conllu(text)))
    ids = {split: {d.document.id for d in corpus.splits[split]} for split in SPLITS}
    assert sum(map(len, ids.values())) == 60
    assert "each sentence is a document of its own" in corpus.facts["split"]
    # Another language with fewer of the sentences splits them the same way.
    fewer = "\n".join(
        f"# sent_id = s{i}\n1 v{i} _ X _ _ 0 root _ _\n" for i in range(60) if i % 5 and i > 3
    )
    other = load_corpus(str(conllu(fewer)))
    for split in SPLITS:
        assert {d.document.id for d in other.splits[split]} <= ids[split]
    with pytest.raises(DataError, match="too small to split: nothing is left for"):
        load_corpus(str(conllu("1 a _ X _ _ 0 root _ _")))


def test_coreference_without_documents_is_not_split(conllu: Write) -> None:
    text = "# global.Entity = eid-etype\n1 a _ X _ _ 0 root _ Entity=(e1-person)"
    with pytest.raises(DataError, match="coreference without documents"):
        load_corpus(str(conllu(text)))


def test_a_document_in_two_splits_is_refused(conllu: Write) -> None:
    folder = folder_of(conllu, train="train.conllu", dev="dev.conllu", test="test.conllu")
    conllu(document("doc-train"), "corpus/test.conllu")
    with pytest.raises(DataError, match="'doc-train' is both in train and in test"):
        load_corpus(str(folder))


def test_names_that_lead_nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LAYERWISE_DATA", raising=False)
    with pytest.raises(DataError, match="LAYERWISE_DATA names, which is not set"):
        load_corpus("gum")
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path))
    with pytest.raises(DataError, match="gum does not exist"):
        load_corpus("gum")
    with pytest.raises(DataError, match="`probe data fetch gum --allow-download` gets it"):
        load_corpus("gum")
    with pytest.raises(UsageError, match="did you mean gum"):
        load_corpus("gumm")
    with pytest.raises(UsageError, match=r"no such format: 'udd'; did you mean ud\?"):
        load_corpus("udd:fi_tdt")
    with pytest.raises(DataError, match="no such file or folder"):
        load_corpus("./gumm")
    with pytest.raises(DataError, match="no such file or folder"):
        load_corpus("gumm.conllu.gz")
    with pytest.raises(DataError, match="no file fi_tdt-ud"):
        load_corpus("ud:fi_tdt")
    for name in ("ud:", "ud:../x", "ud:*_*", "ud:FI_TDT"):
        with pytest.raises(UsageError, match="not the code of a treebank"):
            load_corpus(name)
    for name in ("", "a" * 5000, "a\0b", "~nobody-of-that-name/x", "\n"):
        with pytest.raises((DataError, UsageError)):
            load_corpus(name)


def test_a_treebank_in_two_folders_is_refused(
    monkeypatch: pytest.MonkeyPatch, conllu: Write, tmp_path: Path
) -> None:
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path))
    for folder in ("ud/UD_A", "UD_B"):
        for split in SPLITS:
            conllu(document(split), f"{folder}/xx_y-ud-{split}.conllu")
            conllu(document(split), f"{folder}/xx_z-ud-{split}.conllu")
    with pytest.raises(DataError, match=r"two folders hold it: .*UD_B and .*UD_A"):
        load_corpus("ud:xx_y")
    shutil.rmtree(tmp_path / "UD_B")
    corpus = load_corpus("ud:xx_y")
    assert corpus.facts["files"]["dev"]["file"] == "xx_y-ud-dev.conllu"


@pytest.fixture
def grammar(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[int]:
    """A stand-in for the grammar; the list gains an item at each generation."""
    calls: list[int] = []

    def generate(seed: int = 1) -> dict[str, str]:
        calls.append(seed)
        return {
            split: document(split, f"w-{split}")
            .replace(" ", "\t")
            .replace("#\tnewdoc\tid\t=\t", "# newdoc id = ")
            for split in SPLITS
        }

    module = types.ModuleType("layerwise.tasks.grammar.treebank")
    module.generate = generate  # type: ignore[attr-defined]
    module.GRAMMAR_VERSION = "v9"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path / "cache"))
    return calls


def test_the_builtin_treebank_is_generated_once(grammar: list[int], tmp_path: Path) -> None:
    corpus = load_corpus("builtin")
    assert load_corpus("builtin") == corpus
    assert grammar == [1]
    assert corpus.facts["grammar_version"] == "v9"
    assert corpus.facts["seed"] == 1
    assert [corpus.splits[split][0].document.id for split in SPLITS] == list(SPLITS)


def test_a_damaged_or_missing_cached_file_is_made_again(grammar: list[int], tmp_path: Path) -> None:
    corpus = load_corpus("builtin")
    (train,) = (tmp_path / "cache").rglob("builtin-train.conllu")
    manifest = train.parent / "manifest.json"
    damages: list[tuple[Path, str | None]] = [
        (train, "damaged"),
        (train, None),
        (manifest, None),
        (manifest, "[}"),
        (manifest, "[]"),
    ]
    for made, (path, text) in enumerate(damages, 2):
        if text is None:
            path.unlink()
        else:
            path.write_text(text)
        assert load_corpus("builtin") == corpus
        assert len(grammar) == made


def test_the_grammars_own_treebank_serves_every_task(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path))
    corpus = load_corpus("builtin")
    told = corpus.facts["files"]
    # No warning of any kind: the treebank is sound in all that the checker looks at.
    names = {"file", "sha256", "trees", "sentences_without_tree", *COUNTS}
    assert all(set(told[split]) == names for split in SPLITS)
    assert all(told[split]["sentences_without_tree"] == 0 for split in SPLITS)
    assert PartOfSpeech.available(corpus) == ["pos"]
    assert "morph:Number" in MorphologicalFeature.available(corpus)
    assert ArcLabel.available(corpus) == ["deprel"]
    assert MentionPair.available(corpus) == ["coref"]


def test_the_list_of_corpora(
    monkeypatch: pytest.MonkeyPatch, conllu: Write, tmp_path: Path
) -> None:
    monkeypatch.delenv("LAYERWISE_DATA", raising=False)
    listed = {info.name: info for info in list_corpora()}
    assert listed["builtin"].available
    assert not listed["gum"].available and "not set" in listed["gum"].where
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path))
    for split in SPLITS:
        conllu(document(split), f"ewt/en_ewt-ud-{split}.conllu")
    conllu(document("t"), "ud/UD_Xish-Y/xx_y-ud-test.conllu")
    listed = {info.name: info for info in list_corpora()}
    assert listed["ewt"].available and listed["ewt"].where == str(tmp_path / "ewt")
    assert not listed["ud:xx_y"].available
    assert "no train and no dev file" in listed["ud:xx_y"].where
    assert "Xish-Y" in listed["ud:xx_y"].description


def test_named_corpora(monkeypatch: pytest.MonkeyPatch, shared_data: Path) -> None:
    monkeypatch.setenv("LAYERWISE_DATA", str(shared_data))
    corpus = load_corpus("gum_open")
    assert [len(corpus.splits[split]) for split in SPLITS] == [30, 10, 9]
    assert corpus.facts["licence_files"] == ["LICENSE-upstream.txt"]
    assert corpus.facts["texts_in_two_splits"] == 0
    with pytest.raises(DataError, match="no train file"):
        load_corpus("ud:fi_tdt")
    available = {info.name for info in list_corpora() if info.available}
    assert {"builtin", "gum", "gum_open", "ewt", "ud:en_pud", "ud:cs_cltt"} <= available
    assert {"litbank", "gap", "winobias", "blimp", "uner_ewt"} <= available
    assert "ud:fi_tdt" not in available


def test_parallel_treebanks_split_alike(monkeypatch: pytest.MonkeyPatch, shared_data: Path) -> None:
    monkeypatch.setenv("LAYERWISE_DATA", str(shared_data))
    # Arabic-PUD repeats newdoc at each sentence, the others do not.
    corpora = [load_corpus(f"ud:{language}_pud") for language in ("en", "ar", "tr")]
    shapes = [
        {
            split: [(d.document.id, len(d.document.sentences)) for d in corpus.splits[split]]
            for split in SPLITS
        }
        for corpus in corpora
    ]
    assert shapes[0] == shapes[1] == shapes[2]
    assert [sum(n for _, n in shapes[0][split]) for split in SPLITS] == [814, 95, 91]
    assert corpora[0].facts["source"].startswith("UD_English-PUD | f16eba4a")


def test_a_path_gives_one_name_however_it_is_written(
    conllu: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for split in ("train", "dev", "test"):
        conllu(f"# newdoc id = {split}\n1 go go VERB _ _ 0 root _ _", f"news/x-{split}.conllu")
    monkeypatch.chdir(tmp_path)
    names = {load_corpus(path).name for path in ("news", "./news", str(tmp_path / "news"))}
    assert names == {"news"}
