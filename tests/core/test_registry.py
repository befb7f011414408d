"""The registry: our names and others', and plugins that break."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

from layerwise.core import registry
from layerwise.core.errors import DataError, UsageError

Install = Callable[..., None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs entry points, given as (distribution, name, value), in place of all real ones."""

    def replace(*points: tuple[str, str, str]) -> None:
        entries = []
        for distribution, name, value in points:
            entry = EntryPoint(name, value, "layerwise.encoders")
            vars(entry)["dist"] = SimpleNamespace(name=distribution)
            entries.append(entry)
        monkeypatch.setattr(registry, "entry_points", lambda group: entries)
        registry._entries.cache_clear()

    registry._entries.cache_clear()
    yield replace
    registry._entries.cache_clear()


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Writes a module of the given source that can be imported, and gives its name."""
    monkeypatch.syspath_prepend(tmp_path)
    made: list[str] = []

    def write(source: str) -> str:
        made.append(f"plugin_of_this_test_{len(made)}")
        (tmp_path / f"{made[-1]}.py").write_text(source)
        return made[-1]

    yield write
    for name in made:
        sys.modules.pop(name, None)


def test_our_own_things_are_there() -> None:
    assert {"transformer", "local", "hf", "onehot"} <= set(registry.names("encoder"))
    from layerwise.encoders.self_attention import SelfAttention

    assert registry.load("architecture", "transformer") is SelfAttention
    assert registry.owner("architecture", "transformer") == "layerwise"


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean transformer") as caught:
        registry.load("encoder", "transfomer")
    assert caught.value.where == "--encoder"


def test_a_name_has_an_argument_behind_the_first_colon() -> None:
    assert registry.split_name("morph:Number") == ("morph", "Number")
    assert registry.split_name("hf:C:/x") == ("hf", "C:/x")
    assert registry.split_name("pos") == ("pos", "")


def test_nothing_is_imported_before_it_is_asked_for(install: Install) -> None:
    install(("theirs", "lazy", "no_such_module:thing"))
    assert registry.names("encoder") == ["lazy"]


@pytest.mark.parametrize(
    "source",
    ["import no_such_module", "1 / 0", "import sys; sys.exit(7)", "x = (", "thong = 1"],
)
def test_a_broken_plugin_is_named_once_and_the_others_load(
    install: Install, module: Callable[[str], str], source: str
) -> None:
    install(
        ("broken-plugin", "bad", f"{module(source)}:thing"),
        ("fine-plugin", "good", f"{module('thing = 42')}:thing"),
    )
    with pytest.warns(registry.PluginWarning) as warned:
        assert registry.load_all("encoder") == {"good": 42}
    assert len(warned) == 1
    assert "encoder bad" in str(warned[0].message) and "broken-plugin" in str(warned[0].message)
    with pytest.raises(UsageError, match="broken-plugin"):
        registry.load("encoder", "bad")


def test_an_error_of_ours_in_a_plugin_hurts_the_others_no_more(
    install: Install, module: Callable[[str], str]
) -> None:
    source = "from layerwise.core.errors import DataError; raise DataError('no data', where='x')"
    install(
        ("broken-plugin", "bad", f"{module(source)}:thing"),
        ("fine-plugin", "good", f"{module('thing = 42')}:thing"),
    )
    with pytest.raises(DataError, match="no data"):
        registry.load("encoder", "bad")
    with pytest.warns(registry.PluginWarning, match="no data"):
        assert registry.load_all("encoder") == {"good": 42}


@pytest.mark.parametrize("value", ["a.theirs:thing", "layerwise.core.files:lock", "zz:thing"])
def test_a_name_of_ours_cannot_be_taken_over(install: Install, value: str) -> None:
    ours = ("layerwise", "transformer", "layerwise.encoders.self_attention:SelfAttention")
    theirs = ("theirs", "transformer", value)
    for order in ((ours, theirs), (theirs, ours)):
        install(*order)
        with pytest.warns(registry.PluginWarning, match="theirs is not used: layerwise has one"):
            assert registry.names("encoder") == ["transformer"]
        assert registry.load("encoder", "transformer").__name__ == "SelfAttention"


def test_the_same_thing_twice_is_no_clash(install: Install) -> None:
    ours = ("layerwise", "transformer", "layerwise.encoders.self_attention:SelfAttention")
    install(ours, ours)
    assert registry.names("encoder") == ["transformer"]


def test_between_two_others_the_choice_does_not_depend_on_the_order(install: Install) -> None:
    one, other = ("b", "name", "b:x"), ("a", "name", "a:x")
    for order in ((one, other), (other, one)):
        install(*order)
        with pytest.warns(registry.PluginWarning, match="the encoder 'name' of b is not used"):
            registry.names("encoder")
        assert registry.owner("encoder", "name") == "a"


def test_the_distribution_is_ours_by_its_name() -> None:
    assert Distribution.from_name("layerwise").name == "layerwise"
