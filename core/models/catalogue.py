"""The models that the plugin knows by itself. The list never depends on which files are on this machine.

A model is listed only if every file of it has a digest: what is fetched is verified, or it is not offered. Models whose
licence forbids commercial use, or reaches out for the program around them (AGPL), are not offered. Where a licence must
be accepted first, nothing is fetched or loaded until the user has done so. Other files can be registered, see
:mod:`.registered`.
"""

from __future__ import annotations

from ..errors import UnknownNameError
from .model import ModelSpec
from .specs import clicks, servers, words

DEFAULT = "starter"
SPECS: tuple[ModelSpec, ...] = (*clicks.SPECS, *words.SPECS, *servers.SPECS)
"""All of them; of each kind the default comes first."""


def names(takes: str = "") -> list[str]:
    """Return the names of the models of :func:`taking`, the default first."""
    return [spec.name for spec in taking(takes)]


def taking(kind: str = "") -> list[ModelSpec]:
    """Return the models that take pixels and a kind of prompt, e.g. "point" or "words"; any kind if none is said."""
    return [spec for spec in SPECS if not spec.fetches_map and (not kind or kind in spec.accepts)]


def map_servers(kind: str = "") -> list[ModelSpec]:
    """Return the models that take a kind of prompt and fetch the map themselves: see :mod:`..map_server`."""
    return [spec for spec in SPECS if spec.fetches_map and (not kind or kind in spec.accepts)]


def get(name: str, takes: str = "") -> ModelSpec:
    """Return the model called ``name``.

    Raises
    ------
    UnknownNameError
        If there is none; the message lists those that take this kind of prompt (all if none is said).

    Examples
    --------
    >>> get("mobile_sam").licence
    'Apache-2.0 (weights), MIT (export)'
    """
    for spec in SPECS:
        if spec.name == name:
            return spec
    known = [spec.name for spec in (*taking(takes), *map_servers(takes))]
    raise UnknownNameError(f"There is no model called '{name}'.", hint=f"Use one of: {', '.join(known)}.")
