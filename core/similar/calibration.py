"""From what speaks for an object to a similarity of 0 to 1.

A logistic regression tells from all facts how probable it is that an outline is that of a wanted object (IoU of at
least 0.5). In a scene where everything of one size and form is outlined firmly, that says little of which is meant, so
it is multiplied with the agreement of features and colours with the examples; and the product is mapped back to how
often outlines of that product were right. All of it was fitted on generated scenes (``training/similarity.py``) with
objects of several kinds: one to five of a kind were the examples, and all others of their kind were wanted.
"""

from __future__ import annotations

import math

import numpy as np

from ..models.model import FloatArray
from .evidence import Evidence

DEFAULT_SIMILARITY = 0.3
"""Where the line is drawn if nobody says: F1 on generated scenes was best, and level, from 0.2 to 0.35."""
WEIGHTS = (-0.87, -3.036, -1.273, 0.634, 1.045, -0.33, -0.153, -0.961, 5.574, 1.428, -0.422)
"""Of what :func:`terms` gives, from 73 sets of examples with 12,023 outlines."""
BIAS = -5.362
_UNLIKE = 0.4
"""Likeness of cells below which it speaks against an object in the regression."""
_ENOUGH_INSIDE, _ENOUGH_COLOUR = 0.3, 0.15
"""Likeness of cells, and overlap of colours, below which an object is less similar the less there is of it. With these
and the cosine the mean average precision of a set went from 0.667 to 0.644 (one example), 0.675 to 0.714 (two), 0.645
to 0.667 (more), and in mosaics of four kinds of ground from 0.494 to 0.537; without them blue discs were like red
ones."""
_PRODUCT = (0.0, 0.03, 0.075, 0.125, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.9)
_RIGHT = (0.0, 0.07, 0.17, 0.28, 0.41, 0.49, 0.60, 0.66, 0.78, 0.95, 1.0)
"""How often outlines of each product were right. Similarity in scenes that were left out of the regression was within
0.04 of that in each tenth of its range."""
_COUNTER = 12.0
"""How much a counter-example weighs: one that is nearer than any example by 0.2 takes a similarity of 0.8 to 0.3.
Chosen by what is expected of it; the generated scenes have none."""


def similarity(evidence: Evidence) -> float:
    """Return how like the examples an object is, 0 to 1."""
    value = float(np.dot(WEIGHTS, terms(evidence))) + BIAS - _COUNTER * evidence.counter
    product = agreement(evidence) / (1.0 + math.exp(-max(-30.0, min(30.0, value))))
    return float(np.interp(product, _PRODUCT, _RIGHT))


def agreement(evidence: Evidence) -> float:
    """Return how far features and colours agree with the examples', 0 to 1."""
    shares = (evidence.nearest, evidence.inside / _ENOUGH_INSIDE, evidence.colour / _ENOUGH_COLOUR)
    return math.prod(max(0.0, min(1.0, share)) for share in shares)


def terms(evidence: Evidence) -> FloatArray:
    """Return what is weighed, (11,): the facts, held within what they can sensibly be."""
    size, inside = min(evidence.size, 3.0), min(max(evidence.inside, -1.0), 2.0)
    return np.array(
        [
            inside,
            max(0.0, _UNLIKE - inside),
            min(max(evidence.ring, -1.0), 2.0),
            evidence.nearest,
            evidence.colour,
            size,
            size * size,
            min(evidence.form, 2.0),
            evidence.score,
            evidence.stability,
            evidence.cut,
        ],
        np.float32,
    )
