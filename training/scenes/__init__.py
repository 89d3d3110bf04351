"""Generated overhead scenes: an image and the outlines of everything on it, from a seed."""

from .compose import THEMES, Scene, render

__all__ = ["THEMES", "Scene", "render"]
