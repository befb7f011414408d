"""Write ``nas_probe.md`` from the table ``results/reference/nas_probe.parquet``.

    python docs/nas_probe.py

Every number and every yes or no on that page is computed here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from layerwise.core.files import write_text
from layerwise.results import nas_probe_agreement as agreement
from layerwise.results.nas_probe_agreement import ALL, BEST
from layerwise.results.nas_probe_table import ProbedCells, Row, read
from layerwise.results.rank_agreement import Estimated

HERE = Path(__file__).parent
TABLE = HERE.parent / "results" / "reference" / "nas_probe.parquet"


def page(table: ProbedCells) -> str:
    """The page as Markdown."""
    good = table.good
    learnt = agreement.learnt(table)
    parts = (
        _head(table, learnt),
        _language_model(table, "all cells", good),
        _language_model(table, "the cells that learnt", learnt),
        _rivals(table, "all cells", good),
        _rivals(table, "the cells that learnt", learnt),
        _landmarks(table),
        _notes(table),
    )
    return "\n".join(line for part in parts for line in part) + "\n"


def _head(table: ProbedCells, learnt: Sequence[Row]) -> Iterator[str]:
    settings = table.settings
    unigram = float(settings["unigram_perplexity"])
    yield "# NAS-Probe: does a better language model make a better representation?\n"
    yield "Written by `python docs/nas_probe.py` from"
    yield "[the table](../results/reference/nas_probe.md).\n"
    yield f"{len(table.rows)} cells of the space, each trained on {settings['words']:,} words as a"
    yield f"biLM of {settings['layers']} layers of {settings['dim']} channels a direction and"
    yield f"probed layer by layer on {settings['data']}. {len(table.rows) - len(table.good)} could"
    yield "not be trained or probed (gradients or states that are not finite): they are left out."
    yield "Of the others"
    yield f"{len(learnt)} have learnt more than how frequent words are: a perplexity below"
    yield f"{agreement.LEARNT:.0%} of {unigram:.1f}, which word frequencies alone reach.\n"
    yield "All figures are Kendall's tau-b with its sign and a 95 % interval of 2,000 resamples of"
    yield "the cells, one training a cell. **Bold**: the interval leaves 0 out. The best layer is"
    yield "that above the characters with the higher dev score; all scores are test scores.\n"


def _language_model(table: ProbedCells, whose: str, rows: Sequence[Row]) -> Iterator[str]:
    """How the rank by perplexity agrees with the rank by each probe."""
    yield f"## Low perplexity and probes: {whose} ({len(rows)})\n"
    layers: list[int | str] = [*range(table.layers + 1), BEST]
    yield _row("task", "characters", *(f"layer {n}" for n in layers[1:-1]), "best layer")
    yield _row(":--", *(":--" for _ in layers))
    found = agreement.as_language_model(table, rows)
    for task, taus in found.items():
        yield _row(f"`{task}`", *(_told(taus[layer]) for layer in layers))
    bests = {task: taus[BEST] for task, taus in found.items()}
    yes = [task for task, tau in bests.items() if tau.low > 0]
    no = [task for task in bests if task not in yes]
    yield _answer("The better language model has the better best layer", yes, no)
    pairs = agreement.between_tasks(table, rows)
    told = (f"{a} with {b} {_told(tau)}" for (a, b), tau in pairs.items())
    yield f"For comparison, the tasks among themselves: {', '.join(told)}. And the last layer's"
    again = agreement.dev_with_test(table, rows)
    same = (f"{task} {_told(tau)}" for task, tau in again.items())
    yield f"score on dev with its score on test: {', '.join(same)}.\n"


def _rivals(table: ProbedCells, whose: str, rows: Sequence[Row]) -> Iterator[str]:
    """Which number tells the probes best without a training."""
    rivals = agreement.rivals(table, rows)
    free = [rival for rival in rivals if rival.name != "perplexity"]
    targets = ("perplexity", *table.tasks, ALL)
    yield f"## What ranks cells without a training: {whose} ({len(rows)})\n"
    yield f"`{ALL}` is the mean of a cell's places in the tasks, each by its best layer; the last"
    yield f"column is the difference in tau to `{free[0].name}`, of the same resamples.\n"
    yield _row("score", *(f"`{target}`" for target in targets), f"against {free[0].name}")
    yield _row(":--", *(":--" for _ in targets), ":--")
    for rival in rivals:
        trained = rival.name == "perplexity"
        told = ["–" if trained else _told(rival.by_target["perplexity"])]
        told += [_told(rival.by_target[target]) for target in targets[1:]]
        behind = "" if rival is free[0] else _told(rival.behind)
        yield _row("perplexity (trained)" if trained else rival.name, *told, behind)
    apart = [rival.name for rival in free[1:] if rival.behind.high < 0]
    level = [rival.name for rival in free[1:] if rival.behind.high >= 0]
    first = free[0]
    yield f"\n`{first.name}` comes first: {_told(first.by_target[ALL])}. It is ahead of"
    yield f"{', '.join(apart) or 'none'} by the paired interval, and not told from"
    yield f"{', '.join(level) or 'none'}. Being picked as the first of {len(free)} by these very"
    yield "figures, it is flattered by them.\n"


def _landmarks(table: ProbedCells) -> Iterator[str]:
    """The cells with names."""
    yield "## Cells with names\n"
    heads = [f"`{task}`, best layer" for task in table.tasks]
    yield _row("cell", "weights", "perplexity", *heads, "ms, 128 words")
    yield _row(":--", "--:", "--:", *("--:" for _ in heads), "--:")
    named = [row for row in table.good if row["name"]]
    for row in sorted(named, key=lambda row: row["perplexity"]):
        scores = (f"{agreement.probed(table, row, task, BEST):.3f}" for task in table.tasks)
        yield _row(
            row["name"],
            f"{row['parameters']:,}",
            f"{row['perplexity']:.1f}",
            *scores,
            f"{row['milliseconds']:.1f}",
        )
    yield ""


def _notes(table: ProbedCells) -> Iterator[str]:
    edges = agreement.at_edge(table, table.good)
    yield "## What to know\n"
    yield "- Trainings are very short: what is ranked is how fast a cell learns, and a cell that"
    yield "  would be best after a long training may stand low here."
    yield "- Layer 0, the characters, has been trained through the cell, and so differs by cell."
    yield "- For some layers the strongest penalty of the probe's grid was the best, and the probe"
    told = (f"{share:.0%} of layer {layer}'s" for layer, share in edges.items())
    yield f"  knows no more than how frequent labels are: {', '.join(told)} probes."
    yield "- The cells that learnt are picked by perplexity: a narrower range, and so a lower tau."
    yield "- One training a cell: ranks of near cells are those of that one draw of weights."


def _told(tau: Estimated) -> str:
    text = f"{_short(tau.value)} [{_short(tau.low)}, {_short(tau.high)}]"
    return f"**{text}**" if tau.is_told else text


def _short(value: float) -> str:
    return f"{value:+.2f}".replace("0.", ".").replace("-", "−")


def _answer(claim: str, yes: Sequence[str], no: Sequence[str]) -> str:
    if not no:
        said = f"yes, by the interval, on {', '.join(yes)}"
    elif not yes:
        said = f"not by the interval on {', '.join(no)}"
    else:
        said = f"yes on {', '.join(yes)}; not by the interval on {', '.join(no)}"
    return f"\n**{claim}: {said}.**\n"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Read the table, write the page."""
    write_text(HERE / "nas_probe.md", page(read(TABLE)))


if __name__ == "__main__":
    main()
