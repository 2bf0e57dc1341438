"""Being told when a module is imported, without importing it."""

from __future__ import annotations

import importlib.abc
import importlib.util
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_WAITING: dict[str, list[Callable[[], None]]] = {}
_LOCK = threading.RLock()


def when_imported(name: str, then: Callable[[], None]) -> Callable[[], None]:
    """Call `then()` once the module is there: now, where it is already; return how to stop waiting."""
    module = sys.modules.get(name)
    if module is not None and not getattr(getattr(module, "__spec__", None), "_initializing", False):
        then()
        return lambda: None
    with _LOCK:
        _WAITING.setdefault(name, []).append(then)
        if _FINDER not in sys.meta_path:
            sys.meta_path.insert(0, _FINDER)

    def stop() -> None:
        with _LOCK:
            waiting = _WAITING.get(name, [])
            if then in waiting:
                waiting.remove(then)
            if not waiting:
                _WAITING.pop(name, None)
            if not _WAITING and _FINDER in sys.meta_path:
                sys.meta_path.remove(_FINDER)

    return stop


def _arrived(name: str) -> None:
    told: list[Callable[[], None]] = []
    while True:
        # Whoever is told may have others wait for the same module, which is still said to be on its way: they are next.
        with _LOCK:
            then = next((one for one in _WAITING.get(name, ()) if one not in told), None)
        if then is None:
            return
        told.append(then)
        then()


class _Finder(importlib.abc.MetaPathFinder):
    """Finds nothing by itself: it lets the others find a module that is waited for, and wraps its loader."""

    def __init__(self) -> None:
        self._looking = threading.local()

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in _WAITING or getattr(self._looking, "name", None) == fullname:
            return None
        self._looking.name = fullname
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._looking.name = None
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)  # type: ignore[assignment]  # a loader in all that importlib asks of one
        return spec


class _Loader:
    """A loader that says so when the module has been executed, and is the original in everything else."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self._loader.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        # The module is to find its own loader, as resources and zipped packages are read through it.
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        _arrived(module.__name__)


_FINDER = _Finder()
