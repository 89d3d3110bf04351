"""Composite recipes: each module is one, with NAME and ENTRY."""
