"""PROJ and threads that Python did not start."""

from __future__ import annotations

import _thread
import threading

import pytest
from prompt_segmenter.core.proj_thread import calls_proj


def on_a_foreign_thread(work):
    """Run something as Qt runs it: on a thread that the threading module knows nothing of."""
    done, found = threading.Event(), []

    def run():
        try:
            found.append(work())
        except ValueError as error:
            found.append(error)
        finally:
            done.set()

    _thread.start_new_thread(run, ())
    assert done.wait(10)
    return found[0]


@calls_proj
def where(refused=False):
    if refused:
        raise ValueError("refused")
    return threading.get_ident()


def test_on_pythons_own_threads_the_call_is_made_where_it_is():
    assert where() == threading.get_ident()
    seen = []
    thread = threading.Thread(target=lambda: seen.append((where(), threading.get_ident())))
    thread.start()
    thread.join()
    assert seen[0][0] == seen[0][1]


def test_on_foreign_threads_all_calls_are_made_on_one_thread_that_stays():
    places = {on_a_foreign_thread(where) for _ in range(3)}
    assert len(places) == 1
    assert places != {threading.get_ident()}
    assert on_a_foreign_thread(threading.get_ident) not in places


def test_a_call_that_calls_another_does_not_wait_for_itself():
    assert on_a_foreign_thread(calls_proj(where)) == on_a_foreign_thread(where)


def test_what_a_call_raises_arrives_where_it_was_made():
    with pytest.raises(ValueError, match="refused"):
        raise on_a_foreign_thread(lambda: where(refused=True))
