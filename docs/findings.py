"""Write ``findings.md`` from the records below ``results/reference``.

    python docs/findings.py

Every number and every yes or no on that page is computed here. What a reader should make of them
is in ``findings_notes.md``, written by hand and put at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from findings_ensembles import ensembles
from findings_sparsity import sparsity
from findings_words import plain, short

from layerwise.core.files import read_json, write_text
from layerwise.results.records import Record, RecordFile

HERE = Path(__file__).parent
REFERENCE = HERE.parent / "results" / "reference"
CARDS = HERE.parent / "encoders" / "pretrained"
ENCODERS = ("transformer", "lstm", "gated_cnn", "searched", "minilm")
TASKS = ("pos.v1", "constituent.v2", "coref.v2", "gap.v1")
CORPORA = ("gum", "gap")
STATIC = ("onehot", "random-vectors")
PRONOUN = "pronoun.v1"
SPEED = "speed.v1"


class Layer(NamedTuple):
    """A layer's test score with its interval, and the score by which layers are chosen."""

    layer: int
    score: float
    low: float
    high: float
    chosen_by: float
    control: float | None

    def __str__(self) -> str:
        return f"{short(self.score)} [{short(self.low)}, {short(self.high)}]"


class Findings:
    """The records by encoder and task."""

    def __init__(self, records: Iterable[Record]) -> None:
        self.records = [
            record
            for record in records
            if record.status == "ok" and (record.key.task == SPEED or record.key.data in CORPORA)
        ]

    def curve(self, encoder: str, task: str) -> list[Layer]:
        """All layers of an encoder on a task, from the lowest; empty where it was not run."""
        mine = [r for r in self.records if (r.key.encoder, r.key.task) == (encoder, task)]
        return [_layer(record) for record in sorted(mine, key=lambda r: r.key.layer)]

    def best(self, encoder: str, task: str) -> Layer | None:
        """The layer with the highest dev score (test score, where nothing was fitted)."""
        return max(self.curve(encoder, task), key=lambda each: each.chosen_by, default=None)

    def seen(self, encoders: Sequence[str], task: str) -> list[tuple[str, Layer]]:
        """Those encoders that were run on the task, with their best layers."""
        found = ((encoder, self.best(encoder, task)) for encoder in encoders)
        return [(encoder, best) for encoder, best in found if best is not None]

    def baseline(self, task: str) -> dict[str, float]:
        """Scores of the ways that need no encoder."""
        for record in self.records:
            if record.key.task == task:
                metric = record.metric
                return {n: s[metric] for n, s in record.baselines.items() if metric in s}
        return {}


def order(found: Findings) -> Iterator[str]:
    """Is part of speech best lower than constituents, and those lower than coreference?"""
    yield "## Do the best layers rise from morphology to syntax to coreference?\n"
    yield "The best layer by the dev score, its test score with the 95 % interval, and in brackets"
    yield "all layers whose test score lies within that interval: those cannot be told from it.\n"
    yield _row("encoder", *(plain(task) for task in TASKS), "order of the best layers")
    yield _row(":--", *(":--" for _ in TASKS), ":--")
    rises, falls = [], []
    for encoder in ENCODERS:
        best = [found.best(encoder, task) for task in TASKS]
        known = [each for each in best if each is not None]
        if not known:
            continue
        cells = [
            "–"
            if each is None
            else f"layer {each.layer} ({_near(found, encoder, task, each)}): {each}"
            for task, each in zip(TASKS, best, strict=True)
        ]
        places = [each.layer for each in known]
        steps = [("<" if a < b else "=" if a == b else ">", b) for a, b in pairwise(places)]
        (falls if any(sign == ">" for sign, _ in steps) else rises).append(encoder)
        said = str(places[0]) + "".join(f" {sign} {place}" for sign, place in steps)
        yield _row(encoder, *cells, said)
    yield _answer("No best layer lies below that of the simpler task", rises, falls)


def above(found: Findings) -> Iterator[str]:
    """Do all architectures beat static vectors and random weights?"""
    yield "## Do all architectures beat static vectors and random weights?\n"
    yield "Best layers by the dev score. A rival is beaten where the intervals do not overlap.\n"
    for task in TASKS:
        mine = found.seen(ENCODERS, task)
        if not mine:
            continue
        random = found.seen([f"{encoder}+random" for encoder in ENCODERS], task)
        static = found.seen(STATIC, task)
        own = [(f"{encoder}, layer 0", found.curve(encoder, task)[0]) for encoder, _ in mine]
        yield f"**{plain(task)}**\n"
        yield _row("", "layer", "score [95 %]")
        yield _row(":--", "--:", ":--")
        for name, each in [*mine, *own, *random, *static]:
            yield _row(name, str(each.layer), str(each))
        for name, score in found.baseline(task).items():
            yield _row(name, "", short(score))
        wins, losses = [], []
        for encoder, best in mine:
            rivals = static + [pair for pair in random if pair[0] == f"{encoder}+random"]
            beaten = all(best.low > rival.high for _, rival in rivals)
            (wins if rivals and beaten else losses).append(encoder)
        yield _answer("Beaten by a clear margin", wins, losses)


def controls(found: Findings) -> Iterator[str]:
    """Does the accuracy on control tasks fall with depth?"""
    yield "## Does control accuracy fall with depth?\n"
    yield "Accuracy of the same probe on random labels per word type, layer by layer from 0.\n"
    yield _row("encoder", "task", "control accuracy", "falls from layer to layer")
    yield _row(":--", ":--", ":--", "--:")
    falls, rises = [], []
    for task in TASKS[:2]:
        for encoder in ENCODERS:
            values = [each.control for each in found.curve(encoder, task)]
            known = [value for value in values if value is not None]
            if len(known) < 2:
                continue
            down = sum(b < a for a, b in pairwise(known))
            shown = " ".join(map(short, known))
            yield _row(encoder, plain(task), shown, f"{down} of {len(known) - 1}")
            deeper = known[-1] < known[0]
            (falls if deeper else rises).append(f"{encoder} ({plain(task)})")
    yield _answer("It is lower in the last layer than in layer 0", falls, rises)


def pronouns(found: Findings) -> Iterator[str]:
    """Pronouns resolved by the similarity of contexts alone."""
    seen = found.seen(ENCODERS, PRONOUN)
    if not seen:
        return
    baselines = found.baseline(PRONOUN)
    yield "## Do contexts tell what a pronoun stands for, without training?\n"
    yield "The preceding noun of the same number whose context is most like the pronoun's.\n"
    yield _row("encoder", "accuracy by layer, from 0", "best [95 %]")
    yield _row(":--", ":--", ":--")
    wins, losses = [], []
    for encoder in [name for each in ENCODERS for name in (each, f"{each}+random")]:
        curve = found.curve(encoder, PRONOUN)
        if not curve:
            continue
        top = max(curve, key=lambda each: each.score)
        shown = " ".join(short(each.score) for each in curve)
        yield _row(encoder, shown, f"layer {top.layer}: {top}")
        if encoder in ENCODERS:
            strongest = max(baselines.values())
            (wins if top.low > strongest else losses).append(encoder)
    for name, score in baselines.items():
        yield _row(name, "", short(score))
    yield _answer("The best layer is above every baseline by its interval", wins, losses)


def speed(found: Findings) -> Iterator[str]:
    """How do speed and accuracy trade?"""
    costs = [r for r in found.records if r.key.task == SPEED]
    if not costs:
        return
    yield "## How do speed and accuracy trade?\n"
    sizes = sorted({(_size(r)) for r in costs})
    heads = [f"ms, batch {batch}, {length} words" for batch, length in sizes]
    yield _row("encoder", "weights", *heads, *(f"best {plain(task)}" for task in TASKS))
    yield _row(":--", "--:", *("--:" for _ in sizes), *("--:" for _ in TASKS))
    for encoder in ENCODERS:
        mine = [r for r in costs if r.key.encoder == encoder]
        if not mine:
            continue
        last = max(r.key.layer for r in mine)
        times = {_size(r): r.scores["milliseconds"] for r in mine if r.key.layer == last}
        weights = _weights([r for r in found.records if r.key.encoder == encoder])
        scores = [found.best(encoder, task) for task in TASKS]
        yield _row(
            encoder,
            weights,
            *(f"{times[size]:.1f}" if size in times else "–" for size in sizes),
            *("–" if best is None else short(best.score) for best in scores),
        )
    where = costs[0].provenance
    threads = costs[0].key.settings.get("threads", "?")
    yield f"\nTime to the last layer, median; {where.get('processor')}, {threads} thread.\n"


def budget() -> Iterator[str]:
    """What each encoder was trained with."""
    yield "## The encoders\n"
    yield _row("encoder", "contextual weights", "words read", "perplexity: forwards", "backwards")
    yield _row(":--", "--:", "--:", "--:", "--:")
    for encoder in ENCODERS:
        path = CARDS / encoder / "card.json"
        if not path.exists():
            continue
        card = read_json(path)
        reached = card["held_out_perplexity"]
        yield _row(
            encoder,
            f"{card['parameters']['contextual']:,}",
            f"{card['words_seen']:,}",
            str(reached["forward"]),
            str(reached["backward"]),
        )
    yield "\nPerplexity is that of text held out, by the full softmax, over the same vocabulary"
    yield "of 8,000 words. `minilm` is a BERT of six layers, trained by others on much more text.\n"


def _layer(record: Record) -> Layer:
    score = record.scores[record.metric]
    interval = record.interval
    return Layer(
        record.key.layer,
        score,
        interval.low if interval else score,
        interval.high if interval else score,
        record.dev_scores.get(record.metric, score),
        next((v for n, v in record.scores.items() if n == f"control_{record.metric}"), None),
    )


def _near(found: Findings, encoder: str, task: str, best: Layer) -> str:
    near = [each.layer for each in found.curve(encoder, task) if each.score >= best.low]
    return f"{near[0]}" if len(near) == 1 else f"{near[0]}–{near[-1]}"


def _size(record: Record) -> tuple[int, int]:
    settings = record.key.settings
    return int(settings["batch_size"]), int(settings["length"])


def _weights(records: Sequence[Record]) -> str:
    for record in records:
        encoder = record.facts.get("encoder")
        if isinstance(encoder, dict) and "parameters" in encoder:
            return f"{encoder['parameters']:,}"
    return "–"


def _answer(claim: str, yes: Sequence[str], no: Sequence[str]) -> str:
    if not no:
        said = f"yes, for all ({', '.join(yes)})"
    elif not yes:
        said = f"no, for none ({', '.join(no)})"
    else:
        said = f"for {', '.join(yes)}; not for {', '.join(no)}"
    return f"\n**{claim}: {said}.**\n"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def page() -> str:
    """The page of all records."""
    records: list[Record] = []
    for path in sorted(REFERENCE.glob("*.jsonl")):
        records += RecordFile(path).read().records
    found = Findings(records)
    sections = (
        budget(),
        order(found),
        above(found),
        controls(found),
        pronouns(found),
        speed(found),
        sparsity(RecordFile(REFERENCE / "sparsity" / "records.jsonl").read().records),
        ensembles(RecordFile(REFERENCE / "ensembles" / "records.jsonl").read().records),
    )
    head = (HERE / "findings_head.md").read_text(encoding="utf-8")
    notes = (HERE / "findings_notes.md").read_text(encoding="utf-8")
    body = "\n".join(line for section in sections for line in section)
    return f"{head}\n{body}\n{notes}"


if __name__ == "__main__":
    write_text(HERE / "findings.md", page())
