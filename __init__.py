"""layerwise: what a text encoder knows, at which layer, and what that costs in time.

    import layerwise
    results = layerwise.evaluate(encoder="transformer", task=["pos", "coref"])
    results.table(rows="layer", columns="task", where={"encoder": "transformer"})

The command is ``probe``; the parts are ``tasks``, ``encoders``, ``probes``, ``results``
and ``suite``, which joins them.
"""

from importlib import import_module as _import_module
from typing import Any as _Any

__version__ = "0.1.0"

# Loaded when asked for: torch and pandas take seconds.
_WHERE = {
    "LinearProbe": ".probes.linear",
    "evaluate": ".suite.python_api",
    "load_corpus": ".tasks.corpora",
    "load_encoder": ".suite.python_api",
    "load_results": ".results.collection",
}

__all__ = ["LinearProbe", "evaluate", "load_corpus", "load_encoder", "load_results"]


def __getattr__(name: str) -> _Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(_import_module(_WHERE[name], __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
