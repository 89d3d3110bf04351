from __future__ import annotations

import itertools

import numpy as np
import pytest
from prompt_segmenter.core.terrain.closed_path import closed_path


def cheapest_by_trying_all(cost, most_steps, step_cost):
    rays, samples = cost.shape
    best = np.inf
    for path in itertools.product(range(samples), repeat=rays):
        steps = np.abs(np.diff([*path, path[0]]))
        if steps.max() <= most_steps:
            best = min(best, cost[np.arange(rays), path].sum() + step_cost * steps.sum())
    return best


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("most_steps", "step_cost"), [(1, 0.0), (1, 0.3), (2, 0.1)])
def test_no_closed_way_is_cheaper(seed, most_steps, step_cost):
    cost = np.random.default_rng(seed).random((5, 4))

    path = closed_path(cost, most_steps=most_steps, step_cost=step_cost)

    steps = np.abs(np.diff([*path, path[0]]))
    assert steps.max() <= most_steps
    total = cost[np.arange(5), path].sum() + step_cost * steps.sum()
    assert total == pytest.approx(cheapest_by_trying_all(cost, most_steps, step_cost))


def test_the_way_is_closed_where_the_cheapest_open_one_is_a_spiral():
    cost = np.ones((8, 8))
    cost[np.arange(8), np.arange(8)] = 0.0  # free, but it ends seven samples from where it starts

    path = closed_path(cost, most_steps=1, step_cost=0.0)

    assert abs(path[0] - path[-1]) <= 1
