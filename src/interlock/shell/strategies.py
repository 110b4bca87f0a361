"""The loader of strategies: `module:Class` and settings become an object, or a sentence.

Floor 2 (the world). It imports code that a user wrote, which may do anything; whatever that raises is told as
the user's to mend. On the trip: before it, at boot.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import cast

from interlock.core.strategy import Strategy
from interlock.model.errors import ConfigError
from interlock.model.units import plain


def load_strategy(use: str, *, name: str, settings: Mapping[str, object], folder: str, path: str) -> Strategy:
    """Import a strategy's class and build it.

    Args:
        use: `module:Class`.
        name: what it is called in this run.
        settings: keyword arguments of the class.
        folder: where a module may live beside the configuration, "" for nowhere.
        path: the configuration's file, for the sentence.

    Returns:
        The strategy.

    Raises:
        ConfigError: the module or class is not there, or building it failed.
    """
    where = f"{path or 'the built-in configuration'}, [[strategy]] {name}, use = {use!r}"
    module_name, _, class_name = use.partition(":")
    if folder and folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        module = importlib.import_module(module_name)
        built: object = cast("Callable[..., object]", getattr(module, class_name))(**settings)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        message = f"{where}: {_why(error, module_name, class_name, settings)} Nothing was started."
        raise ConfigError(message) from error
    if not callable(getattr(built, "propose", None)):
        message = f"{where}: {class_name} has no method propose(view), so it is no strategy. Nothing was started."
        raise ConfigError(message)
    return cast("Strategy", built)


def _why(error: BaseException, module_name: str, class_name: str, settings: Mapping[str, object]) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name == module_name.partition(".")[0]:
        return f"there is no module {module_name!r} beside the configuration or among the installed ones."
    if isinstance(error, AttributeError) and class_name in str(error):
        return f"the module {module_name!r} has no class {class_name!r}."
    if isinstance(error, TypeError) and class_name in str(error):
        given = ", ".join(settings) or "none"
        return f"it cannot be built with the settings that are written ({given}): {plain(str(error))}."
    return f"loading it raised {type(error).__name__}: {plain(str(error))}. Mend it in the strategy's own code."
