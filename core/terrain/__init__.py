"""Elevation: its derivatives, the pictures that models see of it, and where it comes from."""
