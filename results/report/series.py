"""The good records by task, encoder and layer, and which layer of an encoder stands for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from ..ordering import natural
from ..records import Record
from ..render import MISSING, number
from ..table import is_ranked, lower_is_better
from ..variants import variants

ON_DEV = "best on dev"
ONLY = "only layer measured"
AS_SHOWN = "best by the score shown, since no dev score is recorded"
LAST = "last layer, since no end of this scale is better"


class Layer(NamedTuple):
    """A layer's good records, one a seed."""

    number: int
    name: str
    records: tuple[Record, ...]

    def score(self, name: str) -> float | None:
        """The mean over the seeds that have the score."""
        return _mean(r.scores[name] for r in self.records if name in r.scores)

    def dev_score(self, name: str) -> float | None:
        """The same of the scores on dev."""
        return _mean(r.dev_scores[name] for r in self.records if name in r.dev_scores)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The mean of the seeds' intervals of the main score; None where one has none."""
        found = [record.interval for record in self.records]
        ends = [interval for interval in found if interval is not None]
        if len(ends) < len(found):
            return None
        return fmean(each.low for each in ends), fmean(each.high for each in ends)

    @property
    def text(self) -> str:
        """``2 block 2``."""
        return f"{self.number} {self.name}" if self.name != str(self.number) else self.name


class Choice(NamedTuple):
    """The layer that stands for an encoder on a task, and how it was chosen."""

    layer: Layer
    how: str


@dataclass(frozen=True)
class Series:
    """An encoder on a task, its measured layers upwards.

    ``variant`` says what sets it apart from others of that name; ``depth`` is the number of the
    encoder's last layer.
    """

    task: str
    metric: str
    encoder: str
    variant: str
    depth: int
    layers: tuple[Layer, ...]

    @property
    def label(self) -> str:
        """``lstm (context=sentence)``."""
        return f"{self.encoder} ({self.variant})" if self.variant else self.encoder

    @property
    def fingerprint(self) -> str:
        """That of the encoder: one, whatever the layer."""
        return self.layers[0].records[0].key.fingerprint

    @property
    def choice(self) -> Choice:
        """The best layer on dev, never on test where dev can tell. The lowest of equals."""
        if len(self.layers) == 1:
            return Choice(self.layers[0], ONLY)
        if not is_ranked(self.metric):
            return Choice(self.layers[-1], LAST)
        on_dev = [layer.dev_score(self.metric) for layer in self.layers]
        known = [score for score in on_dev if score is not None]
        choose = min if lower_is_better(self.metric) else max
        if len(known) == len(on_dev):
            return Choice(self.layers[on_dev.index(choose(known))], ON_DEV)
        shown = [layer.score(self.metric) or 0.0 for layer in self.layers]
        return Choice(self.layers[shown.index(choose(shown))], AS_SHOWN)


def series_of(records: Sequence[Record]) -> list[Series]:
    """All series with a good record, by task, then by encoder."""
    found: dict[tuple[str, str, str, str], dict[int, list[Record]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for record, variant in zip(records, variants(records), strict=True):
        if record.status == "ok":
            place = record.key.task, record.metric, record.key.encoder, variant.encoder
            found[place][record.key.layer].append(record)
    return [
        Series(*place, next(iter(layers.values()))[0].layers - 1, tuple(_layers(layers)))
        for place, layers in sorted(found.items(), key=lambda item: tuple(map(natural, item[0])))
    ]


def written(value: float | None, metric: str) -> str:
    """A score as text, or the sign of a missing one."""
    return MISSING if value is None else number(value, metric)


def _layers(found: dict[int, list[Record]]) -> Iterable[Layer]:
    for place, records in sorted(found.items()):
        yield Layer(place, records[0].layer_name, tuple(sorted(records, key=lambda r: r.key.seed)))


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    # As in the table: fmean of equal values may differ from them in the last bit.
    return None if not found else found[0] if len(set(found)) == 1 else fmean(found)
