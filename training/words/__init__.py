"""Training of the words head: which parts of an image are what a word of a small vocabulary says."""
