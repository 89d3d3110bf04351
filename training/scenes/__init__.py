"""Generated overhead scenes: an image and the outlines of everything on it, from a seed."""

from .compose import MORE, THEMES, Scene, render
from .kinds import Kind

__all__ = ["MORE", "THEMES", "Kind", "Scene", "render"]
