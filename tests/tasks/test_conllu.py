"""The reader of CoNLL-U: each trap by an example, and what it refuses."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from layerwise.core.errors import DataError
from layerwise.core.types import Span
from layerwise.tasks.base import NO_HEAD, AnnotatedDocument
from layerwise.tasks.conllu import COUNTS, read_conllu

Write = Callable[..., Path]

DOG = """
# newdoc id = d1
# sent_id = s1
# text = Dogs bark.
1 Dogs dog NOUN NNS Number=Plur 2 nsubj _ _
2 bark bark VERB VBP Number=Plur|Person=3 0 root _ SpaceAfter=No
3 . . PUNCT . _ 2 punct _ _
"""


def only(path: Path) -> AnnotatedDocument:
    (document,) = read_conllu(path).documents
    return document


def test_words_and_annotation(conllu: Write) -> None:
    read = read_conllu(conllu(DOG))
    (document,) = read.documents
    assert document.document.id == "d1"
    assert document.document.words == ("Dogs", "bark", ".")
    dogs, bark, _ = document.words
    assert dogs == ("Dogs", "dog", "NOUN", "NNS", {"Number": "Plur"}, 1, "nsubj")
    assert bark.head == NO_HEAD and bark.deprel == "root"
    assert bark.feats == {"Number": "Plur", "Person": "3"}
    (sentence,) = document.document.sentences
    assert sentence.text == "Dogs bark."
    assert sentence.offsets == (Span(0, 4), Span(5, 9), Span(9, 10))
    assert document.mentions is None
    assert dict(read.counts) == dict.fromkeys(COUNTS, 0) | {
        "documents": 1,
        "sentences": 1,
        "words": 3,
    }


def test_a_contraction_that_is_not_its_words_is_shared(conllu: Write) -> None:
    document = only(
        conllu("""
        # text = Vamos al mar.
        1 Vamos ir VERB _ _ 0 root _ _
        2-3 al _ _ _ _ _ _ _ _
        2 a a ADP _ _ 4 case _ _
        3 el el DET _ _ 4 det _ _
        4 mar mar NOUN _ _ 1 obl _ SpaceAfter=No
        5 . . PUNCT _ _ 1 punct _ _
        """)
    )
    (sentence,) = document.document.sentences
    assert sentence.text == "Vamos al mar."
    assert sentence.words == ("Vamos", "a", "el", "mar", ".")
    assert sentence.offsets == (Span(0, 5), Span(6, 8), Span(6, 8), Span(9, 12), Span(12, 13))
    assert [word.head for word in document.words] == [NO_HEAD, 3, 3, 0, 0]


def test_a_contraction_that_is_its_words_has_exact_characters(conllu: Write) -> None:
    read = read_conllu(
        conllu("""
        # text = I can't!
        1 I I PRON _ _ 2 nsubj _ _
        2-3 can't _ _ _ _ _ _ _ SpaceAfter=No
        2 ca can AUX _ _ 0 root _ _
        3 n't not PART _ _ 2 advmod _ _
        4 ! ! PUNCT _ _ 2 punct _ _
        """)
    )
    (sentence,) = read.documents[0].document.sentences
    assert sentence.text == "I can't!"
    assert sentence.offsets == (Span(0, 1), Span(2, 4), Span(4, 7), Span(7, 8))
    assert read.counts["multiword_rows"] == 1
    assert "text_differs" not in read.counts


def test_empty_nodes_are_counted_and_move_nothing(conllu: Write) -> None:
    read = read_conllu(
        conllu("""
        0.1 pro pro PRON _ _ _ _ _ _
        1 Sue Sue PROPN _ _ 2 nsubj _ _
        2 likes like VERB _ _ 0 root _ _
        3 tea tea NOUN _ _ 2 obj _ _
        3.1 likes like VERB _ _ _ _ _ _
        3.2 x x VERB _ _ _ _ _ _
        4 Bob Bob PROPN _ _ 2 conj _ _
        """)
    )
    assert read.documents[0].document.words == ("Sue", "likes", "tea", "Bob")
    assert [word.head for word in read.documents[0].words] == [1, NO_HEAD, 1, 1]
    assert read.counts["empty_nodes"] == 3


def test_documents(conllu: Write) -> None:
    one = "1 a a X _ _ 0 root _ _\n2 b b X _ _ 1 dep _ _\n"
    read = read_conllu(
        conllu(f"{one}\n# newdoc id = A\n{one}\n{one}\n# newdoc\n{one}\n#newdoc id=B\n{one}")
    )
    assert [d.document.id for d in read.documents] == ["news", "A", "news#3", "B"]
    assert [len(d.document.sentences) for d in read.documents] == [1, 2, 1, 1]
    second = read.documents[1]
    assert [word.head for word in second.words] == [NO_HEAD, 0, NO_HEAD, 2]
    assert second.document.sentence_starts == (0, 2, 4)


def test_a_repeated_newdoc_goes_on_and_a_returning_one_is_refused(conllu: Write) -> None:
    one = "1 a a X _ _ 0 root _ _\n"
    read = read_conllu(conllu(f"# newdoc id = A\n{one}\n# newdoc id = A\n{one}"))
    assert len(read.documents) == 1
    assert read.counts["document_reopened"] == 1
    text = "\n".join(f"# newdoc id = {name}\n{one}" for name in "ABA")
    with pytest.raises(DataError, match=r"news.conllu:7: a second document with the id 'A'"):
        read_conllu(conllu(text))


def test_bom_crlf_gzip_and_a_missing_last_line_change_nothing(conllu: Write) -> None:
    path = conllu(DOG)
    plain = read_conllu(path)
    data = path.read_bytes()
    for changed in (
        b"\xef\xbb\xbf" + data,
        data.replace(b"\n", b"\r\n"),
        data.rstrip(b"\n"),
        data.replace(b"\n", b"\r\n").rstrip(b"\n"),
        gzip.compress(data),
        b"\n\n" + data + b"   \n\n",
    ):
        path.write_bytes(changed)
        assert read_conllu(path) == plain


def test_the_name_of_a_packed_file_is_its_documents_name(conllu: Write, tmp_path: Path) -> None:
    packed = tmp_path / "news.conllu.gz"
    packed.write_bytes(gzip.compress(conllu("1 a a X _ _ 0 root _ _").read_bytes()))
    assert only(packed).document.id == "news"


def test_forms_with_blanks_even_two_and_line_separators(tmp_path: Path) -> None:
    path = tmp_path / "x.conllu"
    forms = ["5 000", "in  spite", "a\u00a0b", "c\u2028d", "e\x85f"]
    rows = [
        f"{i}\t{form}\t_\tX\t_\t_\t{i - 1}\t{'root' if i == 1 else 'dep'}\t_\t_"
        for i, form in enumerate(forms, 1)
    ]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    document = only(path)
    assert document.document.words == tuple(forms)
    assert document.document.sentences[0].text == " ".join(forms)


def test_an_underscore_is_a_form_and_otherwise_nothing(conllu: Write) -> None:
    read = read_conllu(
        conllu("""
        1 _ _ PUNCT _ _ 2 punct _ _
        2 a _ _ _ _ 0 _ _ _
        3 _ lira NOUN _ _ 2 dep _ _
        """)
    )
    first, second, third = read.documents[0].words
    assert (first.form, first.lemma) == ("_", "_")
    assert second == ("a", "", "", "", {}, NO_HEAD, "")
    assert (third.form, third.lemma) == ("_", "lira")
    assert read.counts["form_missing"] == 1


def test_masked_words_are_refused(conllu: Write) -> None:
    text = "\n".join(f"{i} ___ _ NOUN _ _ {i - 1} dep _ _" for i in range(1, 5))
    with pytest.raises(DataError, match=r"news.conllu:1: .*masked"):
        read_conllu(conllu(text))
    line = "\n".join(f"{i} _ _ PUNCT _ _ {i - 1} dep _ _" for i in range(1, 5))
    assert len(only(conllu(line)).words) == 4


def test_features_layered_and_of_several_values(conllu: Write) -> None:
    document = only(conllu("1 a a X _ Case=Acc,Nom|Number[psor]=Sing 0 root _ _"))
    assert document.words[0].feats == {"Case": "Acc,Nom", "Number[psor]": "Sing"}


def test_spaces_after_is_a_space_and_another_key_is_no_space_after(conllu: Write) -> None:
    document = only(
        conllu(r"""
        1 a a X _ _ 0 root _ SpacesAfter=\s\n
        2 b b X _ _ 1 dep _ NoSpaceAfter=No
        3 c c X _ _ 1 dep _ Gloss=SpaceAfter=No|SpaceAfter=No
        4 d d X _ _ 1 dep _ _
        """)
    )
    assert document.document.sentences[0].text == "a b cd"


def test_a_file_without_syntax(conllu: Write) -> None:
    document = only(conllu("1 a a X _ _ _ _ _ _\n2 b b X _ _ _ _ _ _\n\n1 c c X _ _ _ _ _ _"))
    assert {(word.head, word.deprel) for word in document.words} == {(NO_HEAD, "")}


def test_a_text_comment_that_differs_is_counted(conllu: Write) -> None:
    read = read_conllu(conllu(DOG.replace("# text = Dogs bark.", "# text = Dogs  barked.")))
    assert read.counts["text_differs"] == 1
    read = read_conllu(conllu(DOG.replace("# text = Dogs bark.", "# text = Dogs   bark.")))
    assert "text_differs" not in read.counts


ROW = "1\ta\ta\tX\t_\t_\t0\troot\t_\t_\n"


@pytest.mark.parametrize(
    ("data", "line", "what"),
    [
        (b"", 0, "no sentence"),
        (b"\n \n\n", 0, "no sentence"),
        (b"# newdoc id = x\n\n" + ROW.encode(), 1, "comments without a word"),
        (ROW.encode() + b"\n# newdoc id = y\n", 3, "comments without a word"),
        (ROW.encode() + b"# late\n", 2, "a comment among the words"),
        (ROW.replace("\t", " ").encode(), 1, "no tab"),
        (ROW.encode() + b"\n1\ta\ta\tX\t_\t_\t0\troot\t_\n", 3, "9 columns"),
        (ROW.strip().encode() + b"\tx\n", 1, "11 columns"),
        (ROW.replace("X", "").encode(), 1, "column 4 is empty"),
        (ROW.replace("X", "X ").encode(), 1, "blanks around the value of column 4"),
        (ROW.replace("X", "X Y").encode(), 1, "a blank inside the tag"),
        (ROW.replace("root", "ro ot").encode(), 1, "a blank inside the relation"),
        (b"\t\t\n", 1, "3 columns"),
        (ROW.replace("1", "2").encode(), 1, "the id '2' where word 1 is due"),
        (ROW.replace("1", "01").encode(), 1, "the id '01'"),
        (ROW.replace("1", "one").encode(), 1, "the id 'one'"),
        (ROW.replace("1", "9" * 5000).encode(), 1, "the id '9"),
        (ROW.replace("1", "\u0661").encode(), 1, "the id '\u0661'"),
        (ROW.encode() + ROW.encode(), 2, "the id '1' where word 2 is due"),
        (b"1-2" + ROW[1:].encode() + ROW.encode(), 1, "runs past the sentence"),
        (b"2-1" + ROW[1:].encode() + ROW.encode(), 1, "the id '2-1'"),
        (ROW.encode() + b"1-2" + ROW[1:].encode(), 2, "the id '1-2'"),
        (b"1-2" + ROW[1:].encode() + b"1-3" + ROW[1:].encode(), 2, "the id '1-3'"),
        (b"1-1\t_" + ROW[3:].encode() + ROW.encode(), 1, "multiword row without a form"),
        (ROW.encode() + b"1.2" + ROW[1:].encode(), 2, "the id '1.2'"),
        (b"1.1" + ROW[1:].encode() + ROW.encode(), 1, "the id '1.1'"),
        (b"0.1" + ROW[1:].encode(), 1, "a sentence without words"),
        (ROW.replace("\t0\t", "\t2\t").encode(), 1, "its head is 2, but"),
        (ROW.replace("\t0\t", "\t1\t").encode(), 1, "no root"),
        (ROW.replace("\t0\t", "\t-1\t").encode(), 1, "the head '-1' is not a number"),
        (ROW.replace("\t0\t", "\t00\t").encode(), 1, "the head '00' is not a number"),
        (ROW.replace("\t0\t", "\tx\t").encode(), 1, "the head 'x' is not a number"),
        (ROW.replace("\t0\t", "\t" + "1" * 5000 + "\t").encode(), 1, "is not a number"),
        (ROW.encode() + ROW.replace("1", "2", 1).encode(), 2, "a second root, beside word 1"),
        (ROW.encode() + b"\n" + ROW.replace("\t0\t", "\t_\t").encode(), 3, "no head"),
        (
            ROW.replace("\t0\troot", "\t_\t_").encode() + b"\n" + ROW.encode(),
            3,
            "the file has no syntax up to here",
        ),
        (ROW.replace("_\t_\t0", "_\tA\t0").encode(), 1, "'A' is not a feature"),
        (ROW.replace("_\t_\t0", "_\tA=\t0").encode(), 1, "'A=' is not a feature"),
        (ROW.replace("_\t_\t0", "_\tA=b|\t0").encode(), 1, "'' is not a feature"),
        (ROW.replace("_\t_\t0", "_\tA=b=c\t0").encode(), 1, "'A=b=c' is not a feature"),
        (ROW.replace("_\t_\t0", "_\tA=b|A=c\t0").encode(), 1, "the feature A twice"),
        (b"# sent_id = a\n# sent_id = b\n" + ROW.encode(), 2, "a second comment sent_id"),
        (b"# sent_id =\n" + ROW.encode(), 1, "sent_id without a value"),
        (b"# newdoc id =\n" + ROW.encode(), 1, "newdoc without an id"),
        (b"# newdoc\n# newdoc id = a\n" + ROW.encode(), 2, "a second comment newdoc"),
        (b"# sent_id = a\n" + ROW.encode() + b"\n# sent_id = a\n" + ROW.encode(), 4, "at line 1"),
        (ROW.encode() + b"\n1\ta\x00" + ROW[3:].encode(), 3, r"the control sign '\x00'"),
        (ROW.encode() + b"\n1\ta\rb" + ROW[3:].encode(), 3, "a carriage return inside"),
        (ROW.encode() + b"\n1\t\xff" + ROW[3:].encode(), 3, "not UTF-8: the byte 0xff at column 3"),
        (ROW.encode("utf-16"), 1, "not UTF-8"),
    ],
)
def test_faults_name_their_line(tmp_path: Path, data: bytes, line: int, what: str) -> None:
    path = tmp_path / "bad.conllu"
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        read_conllu(path)
    assert caught.value.where == (f"{path}:{line}" if line else str(path))
    assert what in caught.value.what


def test_a_circle_is_named(conllu: Write) -> None:
    with pytest.raises(DataError, match=r"news.conllu:2: .*circle: 2 -> 3 -> 4 -> 2"):
        read_conllu(
            conllu("""
            1 a a X _ _ 0 root _ _
            2 b b X _ _ 3 dep _ _
            3 c c X _ _ 4 dep _ _
            4 d d X _ _ 2 dep _ _
            5 e e X _ _ 4 dep _ _
            """)
        )


def test_files_that_cannot_be_read(tmp_path: Path, conllu: Write) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_conllu(tmp_path / "absent.conllu")
    with pytest.raises(DataError, match="cannot be read"):
        read_conllu(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        read_conllu(Path("a\0b"))
    packed = gzip.compress(conllu(DOG).read_bytes())
    path = tmp_path / "x.conllu.gz"
    for broken in (packed[:-9], packed[:30], packed[:20] + b"\xff\xff\xff" + packed[23:]):
        path.write_bytes(broken)
        with pytest.raises(DataError, match="not a sound gzip file"):
            read_conllu(path)


def test_a_long_chain_of_heads_is_no_recursion(tmp_path: Path) -> None:
    path = tmp_path / "long.conllu"
    path.write_text(
        "".join(f"{i}\ta\ta\tX\t_\t_\t{i - 1}\tdep\t_\t_\n" for i in range(1, 20001)), "utf-8"
    )
    assert len(only(path).words) == 20000
