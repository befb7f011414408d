"""What a reader of the numbers should cite: the publications whose measures are in the records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..records import Record
from .markup import Markup, lines_as_they_are, listed, section, tag

PETERS = (
    "@inproceedings{peters-etal-2018-dissecting,",
    "  title     = {Dissecting Contextual Word Embeddings: Architecture and Representation},",
    "  author    = {Peters, Matthew E. and Neumann, Mark and Zettlemoyer, Luke and Yih, Wen-tau},",
    "  booktitle = {Proceedings of the 2018 Conference on Empirical Methods in Natural Language"
    " Processing},",
    "  pages     = {1499--1509},",
    "  year      = {2018},",
    "}",
)


class _Source(NamedTuple):
    what: str
    where: str


_SELECTIVITY = _Source(
    "selectivity", "Hewitt and Liang 2019, Designing and Interpreting Probes with Control Tasks"
)
_CODE = _Source(
    "code length",
    "Voita and Titov 2020, Information-Theoretic Probing with Minimum Description Length",
)
_CONTEXT = _Source(
    "contextuality", "Ethayarajh 2019, How Contextual are Contextualized Word Representations?"
)
_TREES = _Source(
    "structural probe",
    "Hewitt and Manning 2019, A Structural Probe for Finding Syntax in Word Representations",
)


def citation(records: Sequence[Record]) -> Markup:
    """The section: the study that this one follows, and the sources of the measures used."""
    versions = sorted({str(record.provenance.get("layerwise", "")) for record in records} - {""})
    data = sorted({record.key.data for record in records} - {"builtin"})
    own = f"layerwise {', '.join(versions)}; the commits stand under Provenance."
    return section(
        "cite",
        "How to cite",
        tag("p", "These numbers: ", own) if versions else "",
        tag("p", "The study whose set-up this suite follows:"),
        lines_as_they_are(PETERS),
        listed(f"{source.what}: {source.where}" for source in _sources(records)),
        tag("p", f"And the data, as their makers ask: {', '.join(data)}.") if data else "",
    )


def _sources(records: Sequence[Record]) -> Iterable[_Source]:
    scores = {name for record in records for name in record.scores}
    probes = {record.key.probe.partition(".")[0] for record in records}
    if "selectivity" in scores:
        yield _SELECTIVITY
    if "compression" in scores:
        yield _CODE
    if "contextuality" in probes:
        yield _CONTEXT
    if "structural" in probes:
        yield _TREES
