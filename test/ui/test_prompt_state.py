from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prompt_segmenter.core.prompts.box import BoxPrompt
from prompt_segmenter.core.prompts.point import PointPrompt
from prompt_segmenter.ui.prompt_state import Choice, EditedFeature, PromptHistory, PromptState

MAP = "EPSG:3857"
A, B = PointPrompt(1, 1), PointPrompt(2, 2)
NOT_C = PointPrompt(3, 3, include=False)
BOX = BoxPrompt(0, 0, 4, 4)
POLYGON = EditedFeature("layer", 7)

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
coordinates = st.integers(-5, 5)
clicks = st.builds(PointPrompt, coordinates, coordinates, st.booleans())
gestures = st.lists(
    st.one_of(
        st.tuples(st.just("add"), clicks),
        st.tuples(st.just("begin"), clicks),
        st.tuples(st.just("open"), clicks),
        st.tuples(st.sampled_from(["next", "remove_last", "drop"]), st.none()),
    ),
    max_size=30,
)


def do(history, gesture, prompt):
    """Make a gesture as the map tool does, and return True if it changed anything."""
    before = history.state
    if gesture == "begin" or (gesture == "add" and history.state.current is None):
        history.begin(prompt, MAP)
    elif gesture == "open":
        history.begin(prompt, MAP, edited=POLYGON)
    elif gesture == "add":
        history.add(prompt)
    elif gesture == "next":
        if history.state.current is not None:
            history.add(Choice.NEXT)
    else:
        getattr(history, gesture)()
    return history.state is not before


@patient
@given(gestures)
def test_any_gestures_undone_give_the_starting_state_and_redone_the_end(made):
    history = PromptHistory()
    states = [history.state] + [history.state for gesture in made if do(history, *gesture)]

    for state in reversed(states[:-1]):
        assert history.undo()
        assert history.state == state
    assert not history.can_undo
    assert history.state == PromptState()
    for state in states[1:]:
        assert history.redo()
        assert history.state == state
    assert not history.can_redo


@patient
@given(gestures, gestures, st.data())
def test_what_was_kept_never_comes_back_by_undo_and_the_rest_is_undone_to_nothing(before, after, data):
    history = PromptHistory()
    for gesture in before:
        do(history, *gesture)
    if not history.state.objects:
        return
    kept = data.draw(st.sampled_from(history.state.objects)).number
    history.close(kept)
    for gesture in after:
        do(history, *gesture)
    end = history.state
    assert end.find(kept) is None

    while history.undo():
        assert history.state.find(kept) is None
    assert history.state == PromptState()
    while history.redo():
        assert history.state.find(kept) is None
    assert history.state == end


@patient
@given(gestures)
def test_no_open_object_is_without_a_prompt_and_numbers_are_used_once(made):
    history = PromptHistory()
    for gesture in made:
        do(history, *gesture)
        numbers = [item.number for item in history.state.objects]
        assert all(item.prompts for item in history.state.objects)
        assert len(set(numbers)) == len(numbers)


def test_prompts_stay_in_the_order_they_were_given():
    history = PromptHistory()
    history.begin(NOT_C, MAP)
    history.add(A)
    history.add(BOX)
    history.add(Choice.NEXT)
    history.add(B)

    assert history.state.current.prompts == (NOT_C, A, BOX, B)
    assert history.state.current.prompt_set("roof").describe() == "-3,3 +1,1 [0,0,4,4] +2,2 EPSG:3857"
    assert history.state.current.prompt_set("roof").label == "roof"


def test_an_object_begun_beside_is_current_until_it_is_dropped():
    history = PromptHistory()
    first = history.begin(A, MAP)
    second = history.begin(B, MAP)
    history.add(NOT_C)

    assert history.state.current.number == second
    assert [item.number for item in history.state.beside] == [first]
    assert history.drop()
    assert history.state.current.number == first
    assert history.state.current.prompts == (A,)


def test_the_last_prompt_goes_with_the_choices_made_after_it():
    history = PromptHistory()
    history.begin(A, MAP)
    history.add(B)
    history.add(Choice.NEXT)
    history.add(Choice.NEXT)

    assert history.remove_last()
    assert history.state.current.steps == (A,)
    assert history.remove_last()
    assert history.state.current is None
    assert not history.remove_last()
    assert not history.drop()


def test_a_gesture_after_undo_leaves_nothing_to_redo():
    history = PromptHistory()
    history.begin(A, MAP)
    history.add(B)
    history.undo()
    history.add(NOT_C)

    assert not history.redo()
    assert history.state.current.prompts == (A, NOT_C)


def test_what_is_taken_back_can_not_be_redone():
    history = PromptHistory()
    history.begin(A, MAP)
    history.add(B)

    assert history.take_back()
    assert history.state.current.prompts == (A,)
    assert not history.can_redo


def test_a_polygon_whose_layer_is_gone_goes_on_as_a_new_object():
    history = PromptHistory()
    history.begin(BOX, MAP, edited=POLYGON)
    assert history.state.current.is_untouched
    history.add(A)
    assert not history.state.current.is_untouched

    history.forget_edited("another layer")
    assert history.state.current.edited == POLYGON
    history.forget_edited("layer")
    assert history.state.current.edited is None
    assert history.state.current.prompts == (BOX, A)
    history.undo()
    assert history.state.current.edited is None


def test_only_so_many_gestures_are_remembered():
    history = PromptHistory()
    history.begin(A, MAP)
    for _ in range(600):
        history.add(B)

    undone = 0
    while history.undo():
        undone += 1
    assert undone == 500
    assert history.state.current is not None


def test_a_prompt_without_an_object_is_refused():
    with pytest.raises(ValueError, match="expected an open object"):
        PromptHistory().add(A)
