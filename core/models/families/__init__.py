"""Model families: one file each; the registry finds them by scanning this folder."""

from ...registry import Registry
from ..model import ModelFamily

FAMILIES: Registry[ModelFamily] = Registry(__name__, "model family")
