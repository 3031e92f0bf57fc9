"""Many sessions, many threads, many processes: nothing leaks, nothing waits, nothing is shared."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection

import pytest
from process_tree import children, descendants, open_descriptors, wait_until

from react_envs.errors import ArgumentError
from react_envs.executor import PythonSession, run_many, shut_down
from react_envs.executor.zygote import Flavour, zygote_for

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture(autouse=True, scope="module")
def clean_up() -> Iterator[None]:
    yield
    shut_down()
    assert not multiprocessing.active_children()


@linux
def test_512_sessions_run_at_once() -> None:
    before = open_descriptors()
    sessions = [PythonSession(wall_limit_s=60.0) for _ in range(512)]
    for turn in range(3):
        jobs = [(s, f"x = {i} if {turn} == 0 else x + 1\nprint(x)") for i, s in enumerate(sessions)]
        texts = [result.text for result in run_many(jobs)]
        assert texts == [str(i + turn) for i in range(512)]
    family = descendants(zygote_for(Flavour()).pid)
    assert len(family) >= 512
    assert open_descriptors() <= before + 512 + 2
    for session in sessions:
        session.close()
    assert open_descriptors() <= before + 2
    assert wait_until(lambda: len(descendants(zygote_for(Flavour()).pid)) < 20)


@linux
@pytest.mark.slow
def test_10000_episodes_leak_nothing() -> None:
    """A fifth of them through one session, the rest as sessions of their own; few are closed."""
    session = PythonSession()
    session.run("x = 1")
    zygote = zygote_for(Flavour())
    (inner, *_) = children(zygote.pid) if zygote.rungs["namespaces"] else [zygote.pid]
    gc.collect()
    before = open_descriptors()
    held = len(os.listdir(f"/proc/{inner}/fd"))
    for episode in range(2_000):
        session.reset(seed=episode)
        assert session.run("y = 1").status == "ok"
    batch = 50
    for _ in range(8_000 // batch):
        sessions = [PythonSession() for _ in range(batch)]
        results = run_many([(s, "y = 1") for s in sessions])
        assert all(result.status == "ok" for result in results)
        sessions[0].close()
        del sessions
    gc.collect()
    assert open_descriptors() <= before
    assert wait_until(lambda: len(children(inner)) <= 1)
    assert len(os.listdir(f"/proc/{inner}/fd")) == held
    assert zygote_for(Flavour()) is zygote
    assert session.run("print(y)").text == "1"


def test_sessions_run_in_many_threads() -> None:
    shut_down()

    def episode(seed: int) -> list[str]:
        with PythonSession(seed=seed) as session:
            texts = [session.run(f"x = {seed}").text]
            texts += [session.run("x += 1\nprint(x)").text for _ in range(10)]
            return texts[1:]

    with ThreadPoolExecutor(8) as pool:
        for seed, texts in enumerate(pool.map(episode, range(24))):
            assert texts == [str(seed + i) for i in range(1, 11)]


def test_a_session_in_use_by_another_thread_is_refused() -> None:
    session = PythonSession(wall_limit_s=0.5, cpu_limit_s=5.0)
    session.run("x = 1")
    thread = threading.Thread(target=session.run, args=("while True: pass",))
    thread.start()
    assert wait_until(session._busy.locked)
    with pytest.raises(ArgumentError, match="one snippet at a time"):
        session.run("print(1)")
    thread.join()
    assert session.run("print(1)").text == "1"


@linux
def test_a_zygote_outlives_the_thread_that_started_it() -> None:
    shut_down()
    thread = threading.Thread(target=PythonSession().run, args=("x = 1",))
    thread.start()
    thread.join()
    zygote = zygote_for(Flavour())
    session = PythonSession()
    assert session.run("print(1)").text == "1"
    assert zygote_for(Flavour()) is zygote
    assert zygote._process.poll() is None


def test_sessions_run_under_asyncio() -> None:
    async def episode(seed: int) -> str:
        session = PythonSession()
        await asyncio.to_thread(session.run, f"x = {seed}")
        return (await asyncio.to_thread(session.run, "print(x)")).text

    async def episodes() -> list[str]:
        return await asyncio.gather(*map(episode, range(8)))

    assert asyncio.run(episodes()) == [str(seed) for seed in range(8)]


def use_a_session(reply: Connection) -> None:
    with PythonSession() as session:
        session.run("x = 1")
        zygote = zygote_for(Flavour())
        reply.send((session.run("print(x + 1)").text, zygote.pid))
    reply.close()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_process_of_multiprocessing_has_a_zygote_of_its_own(method: str) -> None:
    session = PythonSession()
    session.run("x = 40")
    ours, theirs = multiprocessing.get_context(method).Pipe()
    with ours, theirs:
        worker = multiprocessing.get_context(method).Process(  # type: ignore[attr-defined]
            target=use_a_session, args=(theirs,)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # fork in a threaded process
            worker.start()
        text, pid = ours.recv()
        worker.join(20)
    assert worker.exitcode == 0
    assert text == "2"
    assert pid != zygote_for(Flavour()).pid
    assert wait_until(lambda: not os.path.exists(f"/proc/{pid}"))
    assert session.run("print(x)").text == "40"


@linux
def test_a_session_that_went_through_a_fork_works_on_both_sides() -> None:
    session = PythonSession()
    session.run("x = 40")
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            result = session.run("print(x + 1)")
            os.write(write, result.text.encode())
            shut_down()
            status = 0
        finally:
            os._exit(status)
    os.close(write)
    with open(read) as pipe:
        assert pipe.read() == "41", "the earlier snippets run again on the other side"
    assert os.waitpid(pid, 0)[1] == 0
    assert session.run("x += 2\nprint(x)").text == "42"


@linux
def test_a_forked_process_does_not_keep_a_closed_session_alive() -> None:
    session = PythonSession()
    session.run("x = 1")
    zygote = zygote_for(Flavour())
    (inner, *_) = children(zygote.pid) if zygote.rungs["namespaces"] else [zygote.pid]
    alive = len(children(inner))
    blocker, release = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(release)
        os.read(blocker, 1)
        os._exit(0)
    os.close(blocker)
    session.close()
    assert wait_until(lambda: len(children(inner)) == alive - 1)
    os.close(release)
    os.waitpid(pid, 0)
