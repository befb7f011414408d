"""The report in a real browser: what is drawn, sorted and filtered, and that nothing leaves it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from layerwise.core.types import Span
from layerwise.results.predictions import Predictions
from layerwise.results.records import Interval, Key, Record
from layerwise.results.report.errors_in_context import Kept
from layerwise.results.report.page import page
from layerwise.results.targets import TestTargets

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
HOSTILE = "<img src=http://x.invalid/a onerror=alert(1)><b>bold</b> %{y} </script>"
SCORES = {"lstm": (0.6, 0.75, 0.7), HOSTILE: (0.61, 0.58, 0.9), "onehot": (0.55,)}
TASKS = ("pos.v1", "coref.v1")


def record(encoder: str, task: str, layer: int) -> Record:
    value = SCORES[encoder][layer] - (0.1 if task == "coref.v1" else 0)
    return Record(
        key=Key(
            encoder=encoder,
            fingerprint=f"{encoder}-weights",
            task=task,
            data="made up",
            data_hash=task,
            layer=layer,
            probe="linear.v2",
            seed=0,
        ),
        layer_name=f"block {layer}",
        layers=len(SCORES[encoder]),
        status="ok",
        metric="accuracy",
        scores={"accuracy": value, "macro_f1": value / 2, "selectivity": value / 3},
        dev_scores={"accuracy": value},
        interval=Interval(
            low=value - 0.02, high=value + 0.01, confidence=0.95, clusters=9, replicates=1000
        ),
        baselines={"majority": {"accuracy": 0.3}},
        created="2026-01-02T03:04:05+00:00",
    )


def kept(record: Record) -> Kept | None:
    """Three targets, two of them wrong at the layers below the last."""
    if record.key.encoder == "onehot":
        return None
    right = record.key.layer == 2
    predicted = [0, 1, 1] if right else [1, 1, 0]
    return Kept(
        Predictions(
            np.arange(3, dtype=np.int32),
            gold=np.array([0, 1, 1]),
            predicted=np.array(predicted),
            probability=np.array([0.7, 0.9, 0.8], np.float32),
            of_gold=np.array([0.3, 0.9, 0.2], np.float32),
        ),
        TestTargets(
            task=record.key.task,
            classes=("no", HOSTILE),
            documents=("d",) * 3,
            spans1=(Span(0, 1), Span(1, 2), Span(2, 3)),
            spans2=None,
            labels=(("no",), (HOSTILE,), (HOSTILE,)),
            sentences={"d": [["first", "<i>second</i>", "third", "last"]]},
        ),
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("there is no chromium: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="there is no playwright")
    with playwright.sync_playwright() as running:
        # The sandbox needs rights that containers lack; the page is our own.
        found = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    records = [
        record(encoder, task, layer)
        for encoder in SCORES
        for task in TASKS
        for layer in range(len(SCORES[encoder]))
    ]
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page(records, kept), encoding="utf-8")
    return path


class Open:
    """The page in a browser, with all that it said and asked for."""

    def __init__(self, browser: Any, file: Path, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(file.as_uri())

    def texts(self, selector: str) -> list[str]:
        found: list[str] = self.page.eval_on_selector_all(
            selector, "all => all.filter(e => e.checkVisibility()).map(e => e.textContent)"
        )
        return found


@pytest.fixture(scope="module")
def opened(browser: Any, file: Path) -> Iterator[Open]:
    """A desktop, left as it was by each test."""
    found = Open(browser, file, viewport={"width": 1200, "height": 900})
    yield found
    found.context.close()


@pytest.fixture
def desktop(opened: Open) -> Open:
    opened.page.reload()
    return opened


def test_pictures_are_drawn_and_nothing_leaves_the_page(desktop: Open, file: Path) -> None:
    assert desktop.page.locator("#curve-plot .scatterlayer .trace").count() == 4  # and a baseline
    assert desktop.page.locator("#heat-plot .heatmaplayer image").count() == 1
    desktop.page.mouse.move(300, 300)
    assert {*desktop.asked} == {file.as_uri()} and desktop.said == []
    blocked = desktop.page.evaluate(
        "() => fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'blocked')"
    )
    assert blocked == "blocked"
    ran = desktop.page.evaluate(
        """() => {
          const script = document.createElement('script');
          script.textContent = 'window.ran = true';
          document.body.append(script);
          document.body.insertAdjacentHTML('beforeend', '<p onclick="window.ran = true" id="p">');
          document.getElementById('p').click();
          return window.ran === true;
        }"""
    )
    assert not ran
    assert sum("Content Security Policy" in text for text in desktop.said) >= 3
    desktop.said.clear()
    desktop.asked[:] = [file.as_uri()]


def test_pictures_show_the_numbers_of_the_records(desktop: Open) -> None:
    def drawn() -> dict[str, list[float]]:
        traces: list[Any] = desktop.page.evaluate(
            "() => document.getElementById('curve-plot').data.map(t => [t.text, t.name, t.y])"
        )
        return {
            HOSTILE if text[0].startswith("&lt;img") else name: values
            for text, name, values in traces
        }

    desktop.page.select_option("#task", label="pos.v1")
    assert drawn() == {
        **{name: [*values] for name, values in SCORES.items()},
        "majority": [0.3, 0.3],
    }
    desktop.page.select_option("#score", label="macro_f1")
    assert drawn() == {
        name: [round(value / 2, 3) for value in values] for name, values in SCORES.items()
    }
    desktop.page.uncheck("#encoders label:has-text('lstm') input")
    assert {*drawn()} == {HOSTILE, "onehot"}
    desktop.page.click("#curve summary")
    assert desktop.texts("#curve-numbers tbody tr:first-child > *") == [
        HOSTILE,
        "0.305",
        "0.290",
        "0.450",
    ]


def test_hostile_names_show_as_text(desktop: Open) -> None:
    assert desktop.page.locator("img").count() == 0
    short = f"{HOSTILE[:16]}…{HOSTILE[-15:]}"
    assert short in desktop.texts("#curve-plot .legendtext")
    assert short in desktop.texts("#heat-plot .ytick text")
    assert HOSTILE in desktop.texts("#units tr th:first-child")
    x, y = desktop.page.evaluate(
        """() => {
          const plot = document.getElementById('curve-plot');
          const { xaxis, yaxis } = plot._fullLayout;
          plot.scrollIntoView({ behavior: 'instant', block: 'center' });
          const box = plot.querySelector('.nsewdrag').getBoundingClientRect();
          return [box.x + xaxis.d2p(2), box.y + yaxis.d2p(0.8)];
        }"""
    )
    desktop.page.mouse.move(x - 3, y)
    desktop.page.mouse.move(x, y)
    desktop.page.wait_for_selector("#curve-plot .hovertext")
    assert f"{HOSTILE}, layer 2 block 2: 0.800 [0.780, 0.810]" in "".join(
        desktop.texts("#curve-plot .hovertext")
    )
    assert desktop.said == []


def test_a_click_sorts(desktop: Open) -> None:
    head = "#score-table thead th:nth-child(3)"  # coref.v1 accuracy
    values = sorted(value - 0.1 for values in SCORES.values() for value in values)
    shown = [f"{value:.3f}" for value in values]

    def column() -> list[str]:
        return [text.split(" ")[0] for text in desktop.texts("#units td:nth-child(3)")]

    assert desktop.page.get_attribute(head, "aria-sort") == "none"
    desktop.page.click(f"{head} button")
    assert desktop.page.get_attribute(head, "aria-sort") == "descending"
    assert column() == shown[::-1]
    desktop.page.focus(f"{head} button")
    desktop.page.keyboard.press("Enter")
    assert desktop.page.get_attribute(head, "aria-sort") == "ascending"
    assert column() == shown
    desktop.page.click("#score-table thead th:first-child button")
    names = desktop.texts("#units th:first-child")
    assert names == sorted(names) and desktop.page.get_attribute(head, "aria-sort") == "none"


def test_filters(desktop: Open) -> None:
    assert desktop.texts("#rows-shown") == ["7 of 7 rows"]
    desktop.page.select_option("#only-encoder", label=HOSTILE)
    assert {*desktop.texts("#units th:first-child")} == {HOSTILE}
    desktop.page.select_option("#only-encoder", label="all")
    desktop.page.check("#only-best")
    assert desktop.texts("#units tr > :nth-child(2)") == ["2 block 2", "1 block 1", "0 block 0"]
    desktop.page.fill("#find", "LSTM")
    assert desktop.texts("#rows-shown") == ["1 of 7 rows"]
    desktop.page.select_option("#only-task", label="pos.v1")
    heads = desktop.texts("#score-table thead th")
    assert len(heads) == 4 and all("coref" not in head for head in heads)


def test_mistakes_are_shown_with_their_words(desktop: Open) -> None:
    desktop.page.select_option("#error-encoder", label=HOSTILE)
    chosen = "menu => menu.selectedOptions[0].textContent"
    assert desktop.page.eval_on_selector("#error-layer", chosen) == "2 block 2 (best on dev)"
    assert desktop.texts("#errors-told") == [
        "0 of 3 test targets wrong; 0 shown, the most confident first."
    ]
    desktop.page.select_option("#error-layer", label="1 block 1")
    assert desktop.texts("#mistakes mark") == ["third", "first"]
    told = desktop.texts("#mistakes .labels")
    assert told[0] == f"gold {HOSTILE}, predicted no, probability 0.800 (of gold 0.200)"
    assert "<i>second</i>" in desktop.texts("#mistakes .context")[0]
    labels = desktop.texts("#confusion thead th")[1:]
    assert labels == [HOSTILE, "no"]  # in alphabetical order; gold downwards
    assert desktop.texts("#confusion tbody td") == ["1", "1", "1", "·"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_and_the_dark(browser: Any, file: Path, scheme: str) -> None:
    phone = Open(
        browser,
        file,
        viewport={"width": 375, "height": 700},
        color_scheme=scheme,
        is_mobile=True,
        has_touch=True,
    )
    width = phone.page.evaluate("() => document.documentElement.scrollWidth")
    colours = phone.page.evaluate(
        "() => ['color', 'backgroundColor'].map(n => getComputedStyle(document.body)[n])"
    )
    ink, paper = (sum(map(int, c.removeprefix("rgb(").rstrip(")").split(","))) for c in colours)
    font = phone.page.evaluate(
        "() => getComputedStyle(document.querySelector('#curve-plot .xtick text')).fill"
    )
    said = phone.said
    phone.context.close()
    assert width == 375 and said == []
    assert (ink > 600 > 150 > paper) if scheme == "dark" else (paper > 600 > 150 > ink)
    assert font == colours[0]


def test_without_scripts_the_numbers_are_there(browser: Any, file: Path) -> None:
    bare = Open(browser, file, java_script_enabled=False)
    text = bare.page.inner_text("main")
    shown = bare.page.locator("#units td").first.is_visible()
    menus = bare.page.locator("#find").is_visible()
    bare.context.close()
    assert "Pictures need scripts, which are off." in text
    assert shown and not menus and "0.750 [0.730, 0.760]" in text
