"""What the user points at, in map space and in pixel space."""
