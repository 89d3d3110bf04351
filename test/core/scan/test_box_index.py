from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from prompt_segmenter.core.scan.box_index import BoxIndex, common, meet


@dataclass(eq=False)
class Thing:
    order: int
    box: tuple[int, int, int, int]


BOXES = st.tuples(st.integers(0, 900), st.integers(0, 900), st.integers(1, 700), st.integers(1, 700)).map(
    lambda one: (one[0], one[1], one[0] + one[2], one[1] + one[3])
)


@given(st.lists(BOXES, max_size=12), BOXES, st.data())
@settings(deadline=None)
def test_it_finds_what_meets_a_box_and_what_was_removed_no_more(boxes, asked, data):
    index, things = BoxIndex(), [Thing(order, box) for order, box in enumerate(boxes)]
    for thing in things:
        index.add(thing)
    gone = data.draw(st.sets(st.sampled_from(range(len(things))))) if things else set()
    for order in gone:
        index.remove(things[order])
    left = [thing for thing in things if thing.order not in gone]
    assert index.meeting(asked) == [thing for thing in left if meet(thing.box, asked)]


def test_boxes_that_only_touch_do_not_meet():
    assert not meet((0, 0, 5, 5), (5, 0, 9, 5))
    assert meet((0, 0, 5, 5), (4, 4, 9, 9))
    assert common((0, 0, 5, 5), (4, 3, 9, 9)) == (4, 3, 5, 5)


def test_removing_what_is_not_there_does_nothing():
    BoxIndex().remove(Thing(1, (0, 0, 5, 5)))
