import asyncio
import os
import signal
import textwrap
from pathlib import Path

import pytest

from ai.engine import Brief, EngineFailed
from ai.local import vocabulary, workers
from ai.local.vocabulary import to_json
from ai.local.workers import Lane, Workers, WorkersBusy, WorkFailed

pytestmark = pytest.mark.slow

TOY = textwrap.dedent(
    """
    import os, sys, time
    from ai.local.worker import serve

    def prepare():
        print("a library says hello")
        return {
            "echo": lambda meta, pcm: ({**meta, "pid": os.getpid()}, pcm[::-1]),
            "sleep": lambda meta, pcm: (time.sleep(meta["s"]) or {}, b""),
            "break": lambda meta, pcm: (1 / 0, b""),
            "die": lambda meta, pcm: os._exit(3),
            "environ": lambda meta, pcm: (dict(os.environ), b""),
        }

    serve(prepare)
    """
)


@pytest.fixture
async def lane(tmp_path, monkeypatch):
    (tmp_path / "toy_worker.py").write_text(TOY)
    monkeypatch.syspath_prepend(tmp_path)
    lane = Lane("toy_worker", 1)
    await lane.start()
    yield lane
    await lane.close()


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


async def until(condition, timeout_s=5.0):
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_request_is_answered_with_what_the_child_made_of_it(lane):
    reply = await lane.call("echo", {"text": "Größe"}, b"abc", timeout_s=5)
    assert reply.pcm == b"cba"
    assert reply.meta == {"text": "Größe", "pid": next(iter(lane.pids))}
    minute = bytes(60 * 48_000)
    assert len((await lane.call("echo", {}, minute, timeout_s=5)).pcm) == len(minute)


async def test_requests_are_served_in_the_order_they_came(lane):
    done = []

    async def ask(number):
        await lane.call("echo", {}, timeout_s=5)
        done.append(number)

    await asyncio.gather(*map(ask, range(20)))
    assert done == list(range(20))


async def test_a_child_that_misses_its_deadline_is_killed_and_replaced(lane):
    (pid,) = lane.pids
    with pytest.raises(WorkFailed, match=r"could not sleep: it took more than 0\.1 s"):
        await lane.call("sleep", {"s": 60}, timeout_s=0.1)
    reply = await lane.call("echo", {}, timeout_s=5)
    assert reply.meta["pid"] != pid
    assert not is_alive(pid)
    assert lane.restarts == 1


async def test_a_child_that_dies_at_work_fails_that_request_only(lane):
    dying = asyncio.create_task(lane.call("die", {}, timeout_s=5))
    next_one = asyncio.create_task(lane.call("echo", {}, b"ab", timeout_s=5))
    with pytest.raises(WorkFailed, match="the worker died"):
        await dying
    assert (await next_one).pcm == b"ba"


async def test_a_child_that_is_killed_while_idle_is_replaced_at_once(lane):
    (pid,) = lane.pids
    os.kill(pid, signal.SIGKILL)
    await until(lambda: lane.pids and lane.pids != {pid})
    assert (await lane.call("echo", {}, b"ab", timeout_s=5)).pcm == b"ba"


async def test_what_breaks_in_a_child_is_told_without_words(lane):
    with pytest.raises(EngineFailed, match=r"could not break: ZeroDivisionError\."):
        await lane.call("break", {"text": "a secret"}, timeout_s=5)
    assert lane.restarts == 0


async def test_a_request_cancelled_before_it_began_is_never_done(lane):
    first = asyncio.create_task(lane.call("sleep", {"s": 0.2}, timeout_s=5))
    second = asyncio.create_task(lane.call("die", {}, timeout_s=5))
    await asyncio.sleep(0)
    second.cancel()
    await first
    assert (await lane.call("echo", {}, b"ab", timeout_s=5)).pcm == b"ba"
    assert lane.restarts == 0


async def test_cancelling_a_request_under_way_leaves_the_child_whole(lane):
    first = asyncio.create_task(lane.call("sleep", {"s": 0.2}, timeout_s=5))
    await asyncio.sleep(0.05)
    first.cancel()
    assert (await lane.call("echo", {}, b"ab", timeout_s=5)).pcm == b"ba"
    assert lane.restarts == 0


async def test_too_many_requests_are_refused_and_the_cancelled_make_room(lane, monkeypatch):
    monkeypatch.setattr(workers, "MAX_WAITING", 2)
    waiting = []
    for _ in range(3):  # the first is taken, the others wait
        waiting.append(asyncio.create_task(lane.call("sleep", {"s": 0.3}, timeout_s=5)))
        for _ in range(3):
            await asyncio.sleep(0)
    with pytest.raises(WorkersBusy, match="2 requests wait"):
        await lane.call("echo", {}, timeout_s=5)
    waiting[1].cancel()
    waiting[2].cancel()
    await asyncio.sleep(0)
    assert (await lane.call("echo", {}, b"ab", timeout_s=5)).pcm == b"ba"
    await waiting[0]


async def test_closing_ends_the_children_and_fails_what_waits(lane):
    (pid,) = lane.pids
    calls = [asyncio.create_task(lane.call("sleep", {"s": 60}, timeout_s=90)) for _ in range(2)]
    await asyncio.sleep(0.05)
    await lane.close()
    for call in calls:
        with pytest.raises(WorkFailed, match="the server is stopping"):
            await call
    assert not is_alive(pid)
    with pytest.raises(WorkersBusy):
        await lane.call("echo", {}, timeout_s=5)


async def test_a_child_ends_when_its_parent_goes(lane):
    (pid,) = lane.pids
    lane._keepers[0].cancel()  # as if nobody kept it
    await until(lambda: not is_alive(pid))


async def test_a_child_knows_no_secrets(lane, monkeypatch):
    monkeypatch.setenv("MASTER_KEY", "geheim")
    os.kill(next(iter(lane.pids)), signal.SIGKILL)
    await until(lambda: lane.restarts == 1)
    assert "geheim" not in (await lane.call("environ", {}, timeout_s=5)).meta.values()


async def test_a_module_that_cannot_start_is_reported(monkeypatch):
    monkeypatch.setattr(workers, "START_S", 1.0)
    lane = Lane("no_such_module", 1)
    with pytest.raises(TimeoutError):
        await lane.start()
    await lane.close()


async def test_the_real_children_recognise_speak_and_check():
    workers = Workers(ears=1)
    await workers.start()
    try:
        expected = to_json(vocabulary.expected(Brief("", "", "", "en", "", "", ()), 0))
        heard, spoken, checked = await asyncio.gather(
            workers.call(
                "transcribe",
                {"key": "none", "expected": expected},
                bytes(48_000),
                timeout_s=20,
            ),
            workers.call(
                "speak",
                {"text": "Two.", "language": "en", "voices": ["en-us"], "speed": 1.0},
                timeout_s=5,
            ),
            workers.call(
                "check",
                {"kind": "number", "expected": "3/4", "also": [], "said": "three quarters"},
                timeout_s=5,
            ),
        )
    finally:
        await workers.close()
    assert heard.meta == {"text": "", "words": [], "sure": False}
    assert len(spoken.pcm) > 10_000
    assert checked.meta["verdict"] == "right"
    assert workers.pids == set()
