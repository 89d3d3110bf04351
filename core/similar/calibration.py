"""From what speaks for an object to a similarity of 0 to 1.

Similarity is a probability: that of an outline to be that of a wanted object (IoU of at least 0.5), as a logistic
regression estimates it that was fitted on generated scenes. The scenes hold objects of several kinds; one to five of a
kind were the examples, and all others of their kind were wanted.
"""

from __future__ import annotations

import math

import numpy as np

from ..models.model import FloatArray
from .evidence import Evidence

DEFAULT_SIMILARITY = 0.5
"""Where the line is drawn if nobody says: what is more probably wanted than not."""
WEIGHTS = (0.213, -0.444, 1.144, 0.792, 0.009, -0.309, -1.204, 6.184, 1.845, 0.096)
"""Of what :func:`terms` gives."""
BIAS = -7.101
_COUNTER = 12.0
"""How much a counter-example weighs: one that is nearer than any example by 0.2 takes a similarity of 0.8 to 0.3.
Chosen by what is expected of it; the generated scenes have none."""


def similarity(evidence: Evidence) -> float:
    """Return how like the examples an object is, 0 to 1."""
    value = float(np.dot(WEIGHTS, terms(evidence))) + BIAS - _COUNTER * evidence.counter
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, value))))


def terms(evidence: Evidence) -> FloatArray:
    """Return what is weighed, (10,): the facts, held within what they can sensibly be."""
    size = min(evidence.size, 3.0)
    return np.array(
        [
            min(max(evidence.inside, -1.0), 2.0),
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
