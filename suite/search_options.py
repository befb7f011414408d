"""Options of strategies and estimators: ``NAME=VALUE``, typed by what they are called with."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ..core.errors import UsageError, did_you_mean

_GIVEN = {"self", "setting", "space", "seed", "evaluations"}
_ARBITRARY = ConfigDict(arbitrary_types_allowed=True)


def options_of(make: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The options by name: all that it takes beside what the search gives it.

    A function that passes ``**options`` on says by the type that it returns what that takes.
    """
    parameters = inspect.signature(make).parameters
    found = {
        name: parameter
        for name, parameter in parameters.items()
        if name not in _GIVEN
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        returned = _hints(make).get("return")
        if inspect.isclass(returned) and returned is not make:
            fixed = {} if inspect.isclass(make) else options_of(returned)
            found = fixed | found
    return found


def parsed(
    given: Sequence[str],
    flags: Mapping[str, str],
    takers: Mapping[str, tuple[str, Callable[..., Any]]],
) -> dict[str, dict[str, Any]]:
    """The options of each taker: ``{"strategy": ("evolution", Evolution), "estimator": ...}``.

    ``given`` are the texts behind ``--set``; ``KIND.NAME=VALUE`` says whose it is where both have
    the name. ``flags`` are options with a flag of their own (``base_url``). Raises UsageError for
    a name that nobody has, a value of another type, or a required option that is not given.
    """
    known = {kind: options_of(make) for kind, (_, make) in takers.items()}
    found: dict[str, dict[str, Any]] = {kind: {} for kind in takers}
    texts = [(f"--set {text}", *_split(text)) for text in given]
    texts += [(_flag(name), name, value) for name, value in flags.items()]
    for where, written, value in texts:
        kind, _, name = written.rpartition(".")
        if kind and kind not in takers:
            raise UsageError(
                f"{kind!r} is none of its kinds", where=where, cure=did_you_mean(kind, takers)
            )
        having = [each for each in takers if name in known[each] and kind in ("", each)]
        if not having:
            asked = [each for each in takers if kind in ("", each)]
            raise UsageError(
                f"no option {name!r} of " + " or ".join(takers[each][0] for each in asked),
                where=where,
                cure=did_you_mean(name, {option for each in asked for option in known[each]}),
            )
        if len(having) > 1:
            raise UsageError(
                "both have this option",
                where=where,
                cure="write " + " or ".join(f"{each}.{name}={value}" for each in having),
            )
        found[having[0]][name] = _typed(takers[having[0]][1], name, value, where)
    for kind, (title, _) in takers.items():
        for name, parameter in known[kind].items():
            if parameter.default is parameter.empty and name not in found[kind]:
                raise UsageError("is missing", where=_flag(name), cure=f"{title} needs it")
    return found


def _split(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError("not NAME=VALUE", where=f"--set {text}", cure="such as population=20")
    return name.strip().replace("-", "_"), value


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _typed(make: Callable[..., Any], name: str, value: str, where: str) -> Any:
    """The value as the option's annotation has it; as text where there is none."""
    annotation = _annotation(make, name)
    if annotation is None:
        return value
    try:
        return TypeAdapter(annotation, config=_config(annotation)).validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UsageError(first["msg"].removeprefix("Value error, "), where=where) from error


def _config(annotation: Any) -> ConfigDict | None:
    # pydantic refuses a configuration beside a model of its own.
    return None if hasattr(annotation, "model_config") else _ARBITRARY


def _annotation(make: Callable[..., Any], name: str) -> Any:
    hints = _hints(make)
    if name in hints:
        return hints[name]
    returned = hints.get("return")
    return _hints(returned).get(name) if inspect.isclass(returned) else None


def _hints(make: Any) -> dict[str, Any]:
    function = make.__init__ if inspect.isclass(make) else make
    try:
        return get_type_hints(function)
    except (NameError, TypeError):  # names that are imported for the type checker alone
        return {}
