"""The HTTP client against a server that answers well, badly, slowly, endlessly, elsewhere or not at all."""

from __future__ import annotations

import logging
import socket
import threading
import time
import tracemalloc

import pytest
from prompt_segmenter.core.errors import Cancelled, SettingsError, StoppedWaiting
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.remote.address import ServerAddress
from prompt_segmenter.core.remote.exchange import HttpRequest, Limits, NoAnswerError, Problem
from prompt_segmenter.core.remote.http import HttpClient, Patience, multipart
from prompt_segmenter.test.helpers.loopback import Reply, Watched, scripted

QUIET = NullProgress()
QUICK = Patience(tries=4, wait_s=0.05)
POST = HttpRequest("POST", "/job", b"x" * 1000, "text/plain")
SECRET = "hunter2"


def client(url, *, limits=None, patience=QUICK, headers=(), proxy=""):
    return HttpClient(ServerAddress(url, headers, proxy), limits=limits, patience=patience)


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_a_form_arrives_with_its_fields_file_and_headers():
    with scripted({"/job": Reply(body=b"done")}) as server:
        asked = multipart(
            "/job", (("prompt", "Häuser, 木"), ("min_size", "0")), "image.tif", b"II*\x00\xff", "image/tiff"
        )
        reply = client(server.url, headers=(("X-Key", SECRET + "\n"),)).ask(asked, QUIET)
        (came,) = server.asked
    assert (reply.status, reply.body) == (200, b"done")
    assert came.form["prompt"] == "Häuser, 木"
    assert came.file == b"II*\x00\xff"
    assert came.filename == "image.tif"
    assert came.headers["x-key"] == SECRET
    assert came.headers["user-agent"].startswith("PromptSegmenter/")


def test_a_path_and_a_key_in_the_base_url_stay():
    with scripted({"/gate/job": Reply()}) as server:
        client(f"{server.url}/gate/?key=1").ask(POST, QUIET)
        assert server.paths == ["/gate/job?key=1"]


def test_a_server_that_does_not_run_is_told_at_once():
    begun = time.monotonic()
    with pytest.raises(NoAnswerError, match="refuses connections") as caught:
        client(f"http://127.0.0.1:{free_port()}").ask(POST, QUIET)
    assert caught.value.problem is Problem.REFUSED
    assert "Start the server" in caught.value.hint
    assert time.monotonic() - begun < 1.0


def test_a_name_that_nobody_knows():
    with pytest.raises(NoAnswerError) as caught:
        client("http://server.invalid:8000").ask(POST, QUIET)
    assert caught.value.problem is Problem.UNKNOWN_HOST


@pytest.mark.parametrize(
    "url", ["", "server:8000", "ftp://server", "http://", "http://a:port", "http://a b/", "file:///etc"]
)
def test_what_is_no_address_is_refused_without_repeating_it(url):
    with pytest.raises(SettingsError, match=r"http://127\.0\.0\.1:8000"):
        client(url)


def test_a_slow_answer_is_waited_for_and_the_wait_is_told():
    with scripted({"/job": Reply(delay_s=1.3)}) as server:
        progress = Watched()
        assert client(server.url).ask(POST, progress).status == 200
    assert "Waiting for the server, 1 s" in progress.messages


def test_silence_beyond_the_limit_is_told():
    with scripted({"/job": Reply(delay_s=5.0)}) as server, pytest.raises(NoAnswerError) as caught:
        client(server.url, limits=Limits(silence_s=0.2)).ask(POST, QUIET)
    assert caught.value.problem is Problem.SILENT


def test_an_answer_that_trickles_for_ever_has_an_end():
    endless = Reply(filler_bytes=10**12, says_length=False)
    with scripted({"/job": endless}) as server, pytest.raises(NoAnswerError) as caught:
        client(server.url, limits=Limits(whole_s=0.2, answer_bytes=10**13)).ask(POST, QUIET)
    assert caught.value.problem is Problem.SILENT


@pytest.mark.parametrize("reply", [Reply(delay_s=30.0), Reply(filler_bytes=10**12, says_length=False)])
def test_cancel_ends_the_wait_at_once_and_says_that_the_server_goes_on(reply):
    with scripted({"/job": reply}) as server:
        progress = Watched(cancel_when=lambda: server.asked)
        with pytest.raises(StoppedWaiting, match=r"127\.0\.0\.1:\d+ goes on"):
            client(server.url, limits=Limits(answer_bytes=10**13)).ask(POST, progress)
        assert time.monotonic() - progress.cancelled_at < 0.2
        for _ in range(100):
            if not [thread for thread in threading.enumerate() if thread.name == "prompt-segmenter-http"]:
                return
            time.sleep(0.02)
        pytest.fail("the thread that waited is still there")


def test_cancel_while_a_large_body_is_sent_to_a_server_that_reads_nothing():
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(1)
        progress = Watched(cancel_when=lambda: any(message.startswith("Sending") for message in progress.messages))
        with pytest.raises(StoppedWaiting):
            large = HttpRequest("POST", "/job", bytes(50_000_000), "image/tiff")
            client(f"http://127.0.0.1:{deaf.getsockname()[1]}").ask(large, progress)
        assert time.monotonic() - progress.cancelled_at < 0.2
    assert any(message.endswith("of 50 MB") for message in progress.messages)


def test_a_server_that_is_too_busy_to_read_is_given_longer_than_the_time_to_connect():
    with socket.socket() as front:
        front.bind(("127.0.0.1", 0))
        front.listen(1)

        def read_late():
            connection, _ = front.accept()
            time.sleep(1.0)
            with connection:
                left = 20_000_000
                while left > 0:
                    left -= len(connection.recv(1 << 20))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        thread = threading.Thread(target=read_late)
        thread.start()
        large = HttpRequest("POST", "/job", bytes(20_000_000), "image/tiff")
        url = f"http://127.0.0.1:{front.getsockname()[1]}"
        reply = client(url, limits=Limits(connect_s=0.3, silence_s=5.0)).ask(large, QUIET)
        thread.join()
    assert reply.body == b"ok"


def test_cancelled_before_it_begins_nothing_is_sent():
    with scripted({"/job": Reply()}) as server:
        with pytest.raises(Cancelled) as caught:
            client(server.url).ask(POST, Watched(cancel_when=lambda: True))
        assert server.asked == []
    assert not isinstance(caught.value, StoppedWaiting)


@pytest.mark.parametrize("says_length", [True, False])
@pytest.mark.parametrize("status", [200, 302, 500])
def test_an_answer_of_500_mb_is_refused_without_holding_it(says_length, status):
    large = Reply(status, filler_bytes=500_000_000, says_length=says_length, headers={"Location": "/job"})
    with scripted({"/job": large}) as server:
        tracemalloc.start()
        try:
            with pytest.raises(NoAnswerError, match="larger answer") as caught:
                client(server.url, limits=Limits(answer_bytes=4_000_000)).ask(POST, QUIET)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert len(server.asked) == 1
        assert server.sent < 50_000_000
    assert caught.value.problem is Problem.TOO_LARGE
    assert most < 20_000_000


@pytest.mark.parametrize("cut", [-1, 3])
def test_a_connection_that_is_closed_early_is_tried_once_more(cut):
    with scripted({"/job": [Reply(body=b"0123456789", cut_after=cut), Reply(body=b"whole")]}) as server:
        assert client(server.url).ask(POST, QUIET).body == b"whole"
    with scripted({"/job": Reply(body=b"0123456789", cut_after=cut)}) as server:
        with pytest.raises(NoAnswerError, match="before its answer was whole") as caught:
            client(server.url).ask(POST, QUIET)
        assert len(server.asked) == 2
    assert caught.value.problem is Problem.BROKEN


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again(status):
    with scripted({"/job": [Reply(status), Reply(status), Reply(body=b"now")]}) as server:
        progress = Watched()
        assert client(server.url).ask(POST, progress).body == b"now"
    assert any("has no time now: asking again" in message for message in progress.messages)


def test_a_server_that_stays_busy_is_given_up_with_its_answer():
    with scripted({"/job": Reply(429, b"later")}) as server:
        reply = client(server.url).ask(POST, QUIET)
        assert len(server.asked) == QUICK.tries
    assert (reply.status, reply.body) == (429, b"later")


def test_the_pause_that_the_server_wishes_is_kept_within_bounds():
    with scripted({"/job": [Reply(429, headers={"Retry-After": "1"}), Reply()]}) as server:
        begun = time.monotonic()
        client(server.url).ask(POST, QUIET)
        assert time.monotonic() - begun > 0.9
    with scripted({"/job": [Reply(429, headers={"Retry-After": "86400"}), Reply()]}) as server:
        begun = time.monotonic()
        client(server.url, patience=Patience(2, 0.01, longest_wait_s=0.1)).ask(POST, QUIET)
        assert time.monotonic() - begun < 1.0


def test_cancel_in_a_pause():
    with scripted({"/job": Reply(503)}) as server:
        progress = Watched(cancel_when=lambda: any("asking again in" in message for message in progress.messages))
        with pytest.raises(Cancelled):
            client(server.url, patience=Patience(wait_s=20.0)).ask(POST, progress)
        assert time.monotonic() - progress.cancelled_at < 0.2


@pytest.mark.parametrize("status", [400, 401, 404, 500, 502])
def test_other_answers_are_never_asked_for_again(status):
    with scripted({"/job": Reply(status, b"why")}) as server:
        assert client(server.url).ask(POST, QUIET).status == status
        assert len(server.asked) == 1


def test_a_restart_in_the_middle_is_waited_for():
    port, gone, result = free_port(), threading.Event(), []

    def goes_away(asked):
        gone.set()
        return Reply(cut_after=-1)

    with scripted({"/job": goes_away}, port) as server:
        asking = client(server.url, patience=Patience(tries=8, wait_s=0.1))
        thread = threading.Thread(target=lambda: result.append(asking.ask(POST, QUIET)))
        thread.start()
        gone.wait(10.0)
    time.sleep(0.3)
    with scripted({"/job": Reply(body=b"after the restart")}, port):
        thread.join(10.0)
    assert [reply.body for reply in result] == [b"after the restart"]


def test_redirects_to_the_same_server_are_followed_with_the_body():
    with scripted({"/job": Reply(307, headers={"Location": "/job/"}), "/job/": Reply(body=b"there")}) as server:
        assert client(server.url, headers=(("X-Key", SECRET),)).ask(POST, QUIET).body == b"there"
        assert server.asked[1].method == "POST"
        assert server.asked[1].body == POST.body


def test_redirects_elsewhere_are_refused_and_nothing_is_sent_there():
    with scripted({"/job": Reply()}) as other:
        to = other.url.replace("http://", f"http://me:{SECRET}@")
        away = Reply(302, headers={"Location": f"{to}/job"})
        with scripted({"/job": away}) as server, pytest.raises(NoAnswerError) as caught:
            client(server.url, headers=(("Authorization", SECRET),)).ask(POST, QUIET)
        assert other.asked == []
    assert caught.value.problem is Problem.ELSEWHERE
    assert other.url in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("location", ["/job", "", "https://[", "file:///etc/passwd"])
def test_redirects_without_end_or_sense(location):
    with scripted({"/job": Reply(308, headers={"Location": location})}) as server:
        with pytest.raises(NoAnswerError) as caught:
            client(server.url).ask(POST, QUIET)
        assert len(server.asked) <= 6
    assert caught.value.problem is Problem.ELSEWHERE


def test_credentials_are_sent_and_never_told(caplog):
    caplog.set_level(logging.DEBUG)
    with scripted({"/job": [Reply(500), Reply(cut_after=-1)]}) as server:
        url = server.url.replace("http://", f"http://me:{SECRET}@") + f"/?token={SECRET}"
        asking = client(url, headers=(("X-Key", SECRET),), patience=Patience(tries=1))
        progress = Watched()
        assert asking.ask(POST, progress).status == 500
        assert server.asked[0].headers["authorization"].startswith("Basic ")
        with pytest.raises(NoAnswerError) as caught:
            asking.ask(POST, progress)
    told = "\n".join([str(caught.value), *progress.messages, repr(asking.address), str(asking.shown)])
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("prompt_segmenter"))
    assert SECRET not in told + ours
    assert "127.0.0.1" in told


def test_the_header_of_the_user_is_not_replaced_by_what_netrc_says(tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with scripted({"/job": Reply()}) as server:
        client(server.url, headers=(("Authorization", "Bearer abc"),)).ask(POST, QUIET)
        assert server.asked[0].headers["authorization"] == "Bearer abc"


def test_this_machine_is_reached_without_the_environments_proxy(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    with scripted({"/job": Reply()}) as server:
        assert client(server.url).ask(POST, QUIET).status == 200


def test_another_machine_is_reached_through_its_proxy(monkeypatch):
    with scripted({"http://far.invalid/job": Reply(body=b"by proxy")}) as proxy:
        assert client("http://far.invalid", proxy=proxy.url).ask(POST, QUIET).body == b"by proxy"
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert client("http://far.invalid").ask(POST, QUIET).body == b"by proxy"
    with pytest.raises(NoAnswerError) as caught:
        client("http://far.invalid", proxy=f"http://me:{SECRET}@127.0.0.1:{free_port()}").ask(POST, QUIET)
    assert caught.value.problem is Problem.PROXY
    assert SECRET not in str(caught.value)


def test_a_server_without_encryption_asked_with_it():
    with scripted({"/job": Reply()}) as server, pytest.raises(NoAnswerError) as caught:
        client(server.url.replace("http:", "https:")).ask(POST, QUIET)
    assert caught.value.problem is Problem.NOT_TRUSTED
