"""Registries that fill themselves by scanning a folder: one new file is one new entry."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Generic, TypeVar

from .errors import UnknownNameError

T = TypeVar("T")


class Registry(Generic[T]):
    """Named entries found in the modules of one package.

    Each module of the package that defines ``ENTRY`` and ``NAME`` contributes one. The scan happens at the first
    question, not at import.

    Parameters
    ----------
    package : str
        Full name of the package whose modules are scanned.
    what : str
        What an entry is called in messages, e.g. ``"model family"``.
    """

    def __init__(self, package: str, what: str) -> None:
        self._package = package
        self._what = what
        self._entries: dict[str, T] | None = None

    def names(self) -> list[str]:
        """Return the names of all entries, sorted."""
        return sorted(self._scan())

    def get(self, name: str) -> T:
        """Return the entry called ``name``.

        Raises
        ------
        UnknownNameError
            If there is none; the message lists those that exist.
        """
        entries = self._scan()
        if name not in entries:
            raise UnknownNameError(
                f"There is no {self._what} called '{name}'.",
                hint=f"Use one of: {', '.join(sorted(entries))}.",
            )
        return entries[name]

    def _scan(self) -> dict[str, T]:
        if self._entries is None:
            found: dict[str, T] = {}
            package = importlib.import_module(self._package)
            for info in pkgutil.iter_modules(package.__path__):
                module = importlib.import_module(f"{self._package}.{info.name}")
                if not hasattr(module, "ENTRY"):
                    continue
                if module.NAME in found:
                    raise ValueError(f"Two modules of {self._package} define the {self._what} '{module.NAME}'.")
                found[module.NAME] = module.ENTRY
            self._entries = found
        return self._entries
