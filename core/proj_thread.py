"""Where PROJ is called from: never from a thread that Python did not start.

pyproj keeps one context for each thread, and lets go of it with Python's state of the thread. QGIS runs tasks and
algorithms on Qt's threads, whose Python state goes with every task while the thread itself goes on: the second task on
it crashes the process (seen with pyproj 3.7 on QGIS 3.40). On such a thread the call is passed on to one Python thread
that lives as long as the process; elsewhere it is made where it is.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


def calls_proj(function: F) -> F:
    """Return the function, made safe to call from any thread; for everything that touches pyproj."""

    @functools.wraps(function)
    def safe(*args: Any, **kwargs: Any) -> Any:
        if not _is_foreign(threading.current_thread()):
            return function(*args, **kwargs)
        return _own_thread().submit(function, *args, **kwargs).result()

    return cast(F, safe)


def _is_foreign(thread: threading.Thread) -> bool:
    """Return True for a thread that Python did not start: it has a stand-in for it."""
    return type(thread).__name__ == "_DummyThread"


@functools.cache
def _own_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="prompt-segmenter-proj")
