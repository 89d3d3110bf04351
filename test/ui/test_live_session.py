from __future__ import annotations

import pytest
from prompt_segmenter.core.outlines.shape import OutlineSettings
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.prompts.point import PointPrompt
from prompt_segmenter.core.prompts.prompt import PromptSet
from prompt_segmenter.core.screen import ScreenView
from prompt_segmenter.test.helpers.fake_interactive import FakeInteractive
from prompt_segmenter.ui.live_session import MOST_ANSWERS, LiveSession, Question
from prompt_segmenter.ui.prompt_state import Choice, prompts_of

UTM = "EPSG:32633"
VIEW = ScreenView((0.0, 0.0, 100.0, 100.0), 1.0)
A, B, C = PointPrompt(10, 10), PointPrompt(20, 10), PointPrompt(30, 10, include=False)
PLAIN, WIDE = OutlineSettings(), OutlineSettings(expand_m=5.0)
QUIET = NullProgress()


@pytest.fixture
def fake():
    return FakeInteractive(UTM)


@pytest.fixture
def live(fake):
    return LiveSession(lambda progress: fake)


def question(*steps, outline=PLAIN):
    given = PromptSet(prompts_of(steps), UTM)
    return Question(steps, PromptSet(given.prompts, UTM, given=given), VIEW, outline)


def area(found):
    return round(found.answer.outline.geometry.area)


def test_a_click_more_goes_on_from_the_answer_before(live, fake):
    live.find(question(A), QUIET)
    live.find(question(A, B), QUIET)

    assert fake.asked == ["+10,10 EPSG:32633", "+10,10 +20,10 EPSG:32633"]
    assert fake.previous == [None, "+10,10 EPSG:32633"]


def test_what_was_answered_is_not_asked_again(live, fake):
    first = live.find(question(A), QUIET)
    live.find(question(A, B), QUIET)

    assert live.find(question(A), QUIET).answer is first.answer
    assert len(fake.asked) == 2


def test_after_a_choice_the_next_click_goes_on_from_the_chosen_candidate(live, fake):
    once = live.find(question(A, Choice.NEXT), QUIET)
    twice = live.find(question(A, Choice.NEXT, Choice.NEXT), QUIET)
    assert (once.answer.chosen, twice.answer.chosen) == (1, 2)
    live.find(question(A, Choice.NEXT, B), QUIET)

    assert fake.asked == ["+10,10 EPSG:32633", "+10,10 +20,10 EPSG:32633"]
    assert fake.previous[-1] == "+10,10 EPSG:32633"


def test_a_new_session_answers_all_steps_in_order(live, fake):
    found = live.find(question(A, Choice.NEXT, B, C), QUIET)

    assert fake.asked == ["+10,10 EPSG:32633", "+10,10 +20,10 -30,10 EPSG:32633"]
    assert found.answer.prompts.describe() == "+10,10 +20,10 -30,10 EPSG:32633"


def test_other_outline_settings_reshape_what_is_remembered(live, fake):
    plain = area(live.find(question(A), QUIET))
    wide = area(live.find(question(A, outline=WIDE), QUIET))

    assert wide > 2 * plain
    assert area(live.find(question(A), QUIET)) == plain
    assert len(fake.asked) == 1


def test_a_place_that_is_not_encoded_is_not_answered_for_the_pointer(live, fake):
    assert live.glimpse(question(A), QUIET) is None
    live.encode_ahead(VIEW, None, QUIET)
    assert live.glimpse(question(A), QUIET) is not None

    assert fake.asked == ["+10,10 EPSG:32633"]
    live.find(question(A), QUIET)
    assert len(fake.asked) == 1


def test_only_the_last_place_pointed_at_is_remembered_and_no_click_is_pushed_out(live, fake):
    live.encode_ahead(VIEW, None, QUIET)
    live.find(question(A), QUIET)
    for x in range(2 * MOST_ANSWERS):
        live.glimpse(question(PointPrompt(x, 50)), QUIET)
    asked = len(fake.asked)

    live.find(question(A), QUIET)
    live.find(question(PointPrompt(2 * MOST_ANSWERS - 1, 50)), QUIET)
    assert len(fake.asked) == asked
    live.find(question(PointPrompt(3, 50)), QUIET)
    assert len(fake.asked) == asked + 1


def test_old_answers_are_forgotten_and_asked_for_again(live, fake):
    for x in range(MOST_ANSWERS + 1):
        live.find(question(PointPrompt(x, 50)), QUIET)
    live.find(question(PointPrompt(0, 50)), QUIET)

    assert len(fake.asked) == MOST_ANSWERS + 2


def test_the_model_is_loaded_once_and_only_when_it_is_needed(fake):
    loaded, closed = [], []
    live = LiveSession(lambda progress: loaded.append(1) or fake, lambda: closed.append(1))
    assert live.glimpse(question(A), QUIET) is None
    assert loaded == []
    assert live.encode_ahead(VIEW, (5.0, 5.0), QUIET).count == 1
    assert live.encode_ahead(VIEW, (5.0, 5.0), QUIET).count == 0
    live.find(question(A), QUIET)

    assert loaded == [1]
    assert live.encodes == 1
    live.close()
    assert closed == [1]


def test_a_model_that_could_not_be_loaded_is_tried_again(fake):
    answers = [OSError("gone"), fake]

    def load(progress):
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    live = LiveSession(load)
    with pytest.raises(OSError, match="gone"):
        live.find(question(A), QUIET)
    assert live.find(question(A), QUIET).answer.outline is not None
