"""From what speaks for an object to a similarity of 0 to 1.

Similarity is a probability: that of an outline to be that of a wanted object (IoU of at least 0.5), as a logistic
regression estimates it that was fitted on generated scenes (``training/similarity.py``): they hold objects of several
kinds; one to five of a kind were the examples, and all others of their kind were wanted. What agrees with no example in
its features gets less than that.
"""

from __future__ import annotations

import math

import numpy as np

from ..models.model import FloatArray
from .evidence import Evidence

DEFAULT_SIMILARITY = 0.3
"""Where the line is drawn if nobody says: F1 on generated scenes was best, and level, from 0.2 to 0.4."""
WEIGHTS = (-0.87, -3.036, -1.273, 0.634, 1.045, -0.33, -0.153, -0.961, 5.574, 1.428, -0.422)
"""Of what :func:`terms` gives: 73 sets of examples, 12,023 outlines. Those of scenes that were left out in the fit
agreed with their prediction to 0.04 in each tenth of the range that holds more than a hundred."""
BIAS = -5.362
_UNLIKE = 0.4
"""Likeness of cells below which it speaks against an object."""
_AGREEING = 0.3
"""Agreement of features, with the nearest example or along the direction to all of them, below which an object is the
less similar the less there is of it: something of the right size and form, outlined firmly, may be of another kind
altogether. That raised the mean average precision of scenes with four kinds of ground from 0.48 to 0.49."""
_COUNTER = 12.0
"""How much a counter-example weighs: one that is nearer than any example by 0.2 takes a similarity of 0.8 to 0.3.
Chosen by what is expected of it; the generated scenes have none."""


def similarity(evidence: Evidence) -> float:
    """Return how like the examples an object is, 0 to 1."""
    value = float(np.dot(WEIGHTS, terms(evidence))) + BIAS - _COUNTER * evidence.counter
    agreement = max(evidence.nearest, evidence.inside, 0.0)
    return min(1.0, agreement / _AGREEING) / (1.0 + math.exp(-max(-30.0, min(30.0, value))))


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
