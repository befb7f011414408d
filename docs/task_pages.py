"""Write a page for each task into ``docs/tasks`` from the code and the reference records.

    python docs/task_pages.py

What a task labels is told by the task itself; sizes and scores are those of the records below
``results/reference``.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from layerwise.core import registry
from layerwise.core.files import write_text
from layerwise.core.types import SPLITS
from layerwise.results.records import Record, RecordFile
from layerwise.tasks import aspects

HERE = Path(__file__).parent
PAGES = HERE / "tasks"
REFERENCE = HERE.parent / "results" / "reference"

_ASPECTS = {
    aspects.Rewriting: "It is posed on text of its own, made from the corpus's.",
    aspects.Ranking: "Candidates are ranked on the test split; the highest one is the choice.",
    aspects.Stratified: "Scores are told apart by kinds of target (`--strata`).",
    aspects.Guessing: "It has baselines of its own.",
    aspects.Controlled: "It says by what its control tasks label a target (below).",
    aspects.NaturalPrior: "It is scored on pairs as running text has them, too.",
}


def pages(records: Sequence[Record]) -> dict[str, str]:
    """The text of each page by its file's name, the list of all tasks as ``README.md``."""
    found = {}
    lines = ["# Tasks\n", "Written by `python docs/task_pages.py` from the code.\n"]
    lines += ["| task | what is probed |", "| :-- | :-- |"]
    for name in registry.names("task"):
        task = registry.load("task", name)
        found[f"{name}.md"] = "\n".join(_page(name, task, records)) + "\n"
        lines.append(f"| [`{name}`]({name}.md) | {_cell(task.description)} |")
    return found | {"README.md": "\n".join(lines) + "\n"}


def _page(name: str, task: Any, records: Sequence[Record]) -> Iterator[str]:
    yield f"# {name}\n"
    yield f"{task.description[0].upper()}{task.description[1:]}.\n"
    yield inspect.cleandoc(task.__doc__ or "").strip() + "\n"
    own = [r for r in records if r.key.task.rpartition(".")[0].split(":")[0] == name]
    for kind, sentence in _ASPECTS.items():
        if all(hasattr(task, method) for method in _methods(kind)):
            yield f"- {sentence}"
    control = getattr(task, "control_key", None)
    if control is not None and control.__doc__:
        yield f"\n**Control.** {inspect.cleandoc(control.__doc__)}"
    yield from _facts(task, own)
    yield from _sizes(own)
    yield from _scores(own)


def _methods(kind: Any) -> list[str]:
    return [name for name in vars(kind) if not name.startswith("_")]


def _facts(task: Any, records: Sequence[Record]) -> Iterator[str]:
    """What the task says of its targets; where it takes an argument, as one record has it."""
    facts = getattr(task, "facts", None)
    if not isinstance(facts, Mapping):
        of_records = (record.facts.get("task") for record in records)
        facts = next((each for each in of_records if isinstance(each, Mapping)), None)
    if not isinstance(facts, Mapping):
        try:
            facts = task("").facts
        except Exception:  # it needs an argument, and no record has one yet
            return
    yield "\n## Targets\n"
    yield from (f"- **{key.replace('_', ' ')}**: {value}" for key, value in facts.items())


def _sizes(records: Iterable[Record]) -> Iterator[str]:
    rows = {}
    for record in records:
        counts: Any = record.facts.get("counts")
        if isinstance(counts, Mapping) and all(name in counts for name in SPLITS):
            sizes = [f"{counts[name]['targets']:,}" for name in SPLITS]
            labels = len(counts["train"].get("labels", {}))
            rows[record.key.data, record.key.task] = [*sizes, str(labels)]
    if rows:
        yield "\n## Sizes\n"
        yield "| data | task | train | dev | test | labels |"
        yield "| :-- | :-- | --: | --: | --: | --: |"
        yield from (f"| {' | '.join([*key, *row])} |" for key, row in sorted(rows.items()))


def _scores(records: Iterable[Record]) -> Iterator[str]:
    curves: dict[tuple[str, str, str], dict[int, Record]] = defaultdict(dict)
    for record in records:
        if record.status == "ok":
            key = record.key
            curves[key.data, key.task, key.encoder][key.layer] = record
    if not curves:
        return
    yield "\n## Known scores\n"
    yield "The best layer by its test score, with its 95 % interval.\n"
    yield "| data | task | encoder | score | layer 0 | best layer | its score |"
    yield "| :-- | :-- | :-- | :-- | --: | --: | :-- |"
    for key, layers in sorted(curves.items()):
        scores = {layer: record.scores[record.metric] for layer, record in layers.items()}
        best = max(scores, key=lambda layer: scores[layer])
        bounds = layers[best].interval
        interval = f" [{bounds.low:.3f}, {bounds.high:.3f}]" if bounds else ""
        first = f"{scores[0]:.3f}" if 0 in scores else ""
        cells = [*key, layers[best].metric, first, str(best), f"{scores[best]:.3f}{interval}"]
        yield f"| {' | '.join(map(_cell, cells))} |"
    yield from _baselines(records)


def _baselines(records: Iterable[Record]) -> Iterator[str]:
    found: dict[tuple[str, str, str], float] = {}
    for record in records:
        for name, scores in record.baselines.items():
            if record.metric in scores:
                found[record.key.data, record.key.task, name] = scores[record.metric]
    if found:
        yield "\n| data | task | baseline | score |"
        yield "| :-- | :-- | :-- | --: |"
        yield from (f"| {' | '.join(key)} | {score:.3f} |" for key, score in sorted(found.items()))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def reference() -> list[Record]:
    """All reference records."""
    paths = sorted(REFERENCE.glob("*.jsonl"))
    return [record for path in paths for record in RecordFile(path).read().records]


def main() -> None:
    """Write the pages, and take away those of tasks that are no more."""
    texts = pages(reference())
    for path in PAGES.glob("*.md"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        write_text(PAGES / name, text)


if __name__ == "__main__":
    main()
