"""Deaths of children, zygotes and trainers, and children that do not play by the rules."""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from process_tree import alive, children, descendants, wait_until
from unguarded import NO_RUNG, unguarded_session

from react_envs.errors import ExecutorError
from react_envs.executor import PythonSession, run_many, shut_down
from react_envs.executor.frames import (
    FrameError,
    Reply,
    decode_reply,
    decode_request,
    encode_reply,
    encode_request,
    frame,
    reply_bound,
)
from react_envs.executor.result import Status
from react_envs.executor.zygote import Flavour, Zygote, zygote_for

LINUX = sys.platform == "linux"
pytestmark = pytest.mark.skipif(not LINUX, reason="looks into /proc")

SLEEP = "while True: pass"


def zygote_of(session: PythonSession) -> Zygote:
    assert session._state.child is not None
    return session._state.child.zygote


def inner_zygote(zygote: Zygote) -> int:
    """The process that forks: the zygote itself or, with a PID namespace, its only child."""
    return next(iter(children(zygote.pid))) if zygote.rungs["namespaces"] else zygote.pid


@pytest.fixture
def session() -> Iterator[PythonSession]:
    """A session with a zygote that no other test has."""
    shut_down()
    with PythonSession(cpu_limit_s=5.0, wall_limit_s=5.0) as session:
        session.run("x = 1")
        yield session
    shut_down()


def kill_soon(pid: int, sign: int = signal.SIGKILL) -> threading.Timer:
    timer = threading.Timer(0.2, os.kill, (pid, sign))
    timer.start()
    return timer


def assert_starts_anew(session: PythonSession) -> None:
    result = session.run("print(x)")
    assert "NameError" in result.text
    assert session.run("print(1)").text == "1"


def test_a_child_killed_during_a_run_is_replaced(session: PythonSession) -> None:
    (child,) = children(inner_zygote(zygote_of(session)))
    kill_soon(child)
    result = session.run(SLEEP)
    assert (result.status, result.restarted) == ("killed", True)
    assert result.wall_s < 1.0
    assert "all variables are lost" in result.text
    assert_starts_anew(session)


def test_a_child_killed_between_runs_is_replaced(session: PythonSession) -> None:
    (child,) = children(inner_zygote(zygote_of(session)))
    os.kill(child, signal.SIGKILL)
    assert wait_until(lambda: not alive(child))
    assert session.run("print(x)").status == "killed"
    assert_starts_anew(session)


def test_a_stopped_child_meets_the_wall_limit() -> None:
    with PythonSession(wall_limit_s=0.5) as session:
        session.run("x = 1")
        (child,) = set(children(inner_zygote(zygote_of(session))))
        os.kill(child, signal.SIGSTOP)
        result = session.run("print(x)")
        assert (result.status, result.restarted) == ("timeout", True)
        assert wait_until(lambda: not alive(child))


@pytest.mark.parametrize("which", ["inner", "outer"])
def test_a_zygote_killed_during_runs_is_replaced(session: PythonSession, which: str) -> None:
    zygote = zygote_of(session)
    others = [PythonSession() for _ in range(3)]
    family = descendants(zygote.pid)
    kill_soon(inner_zygote(zygote) if which == "inner" else zygote.pid)
    results = run_many([(s, SLEEP) for s in (session, *others)])
    assert [result.status for result in results] == ["killed"] * 4
    assert wait_until(lambda: not any(map(alive, family)))
    assert_starts_anew(session)
    assert zygote_of(session) is not zygote
    assert all(result.text == "2" for result in run_many([(s, "print(2)") for s in others]))


def test_threads_get_over_the_death_of_their_zygote_together() -> None:
    stop = threading.Event()

    def episodes(seed: int) -> set[str]:
        statuses: set[str] = set()
        with PythonSession(seed=seed) as session:
            while not stop.is_set():
                session.reset()
                statuses.add(session.run("x = 1").status)
        return statuses

    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(episodes, seed) for seed in range(8)]
        for _ in range(3):
            time.sleep(0.3)
            zygote_for(Flavour())._process.kill()
        time.sleep(0.3)
        stop.set()
        for episode in running:
            assert {"ok"} <= episode.result() <= {"ok", "killed"}


def test_a_zygote_killed_between_runs_goes_unnoticed_by_a_new_episode(
    session: PythonSession,
) -> None:
    session.reset()
    pid = inner_zygote(zygote_for(Flavour()))
    os.kill(pid, signal.SIGKILL)
    assert session.run("print(2)").text == "2"


def test_a_stuck_zygote_is_replaced(session: PythonSession) -> None:
    zygote = zygote_of(session)
    # Here only: the child's own alarm, set by the limits that it got, shall not come first.
    session._limits = replace(session._limits, wall_limit_s=0.5)
    session._state.child.channel.settimeout(0.5)  # type: ignore[union-attr]
    family = [zygote.pid, *descendants(zygote.pid)]
    os.kill(inner_zygote(zygote), signal.SIGSTOP)
    started = time.monotonic()
    result = session.run(SLEEP)
    assert result.status == "timeout"
    assert time.monotonic() - started < 5
    assert wait_until(lambda: not any(map(alive, family)))
    assert_starts_anew(session)
    assert zygote_of(session) is not zygote


def test_an_interrupted_run_leaves_a_usable_session(session: PythonSession) -> None:
    def interrupt(signum: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(KeyboardInterrupt):
            session.run(SLEEP)
    finally:
        signal.signal(signal.SIGALRM, before)
    zygote = inner_zygote(zygote_for(Flavour()))
    assert wait_until(lambda: not children(zygote)), "the interrupted child must not run on"
    assert_starts_anew(session)


@pytest.mark.skipif(os.geteuid() != 0, reason="the limit would hit the start of the zygote")
def test_a_fork_that_fails_is_an_executor_error() -> None:
    session = unguarded_session("unprivileged")
    soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    # Inherited by the zygote, where it holds once it is nobody's.
    resource.setrlimit(resource.RLIMIT_NPROC, (0, hard))
    try:
        with pytest.raises(ExecutorError, match="fork failed"):
            session.run("print(1)")
    finally:
        resource.setrlimit(resource.RLIMIT_NPROC, (soft, hard))
        shut_down()
    assert session.run("print(1)").text == "1"


def test_running_out_of_descriptors_is_an_executor_error_and_harms_no_other(
    session: PythonSession,
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 3, hard))
    others = [PythonSession() for _ in range(8)]
    try:
        with pytest.raises(ExecutorError, match="Too many open files"):
            run_many([(other, "y = 2") for other in others])
        assert session.run("print(x)").text == "1"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [r.text for r in run_many([(s, "print(3)") for s in others])] == ["3"] * 8


def test_an_interpreter_that_does_not_import_is_an_executor_error() -> None:
    session = PythonSession()
    flavour = Flavour(interpreter="no_such_module:Nothing")
    session._flavours = (flavour, flavour)
    before = set(children(os.getpid()))
    with pytest.raises(ExecutorError, match="no_such_module"):
        session.run("print(1)")
    assert set(children(os.getpid())) <= before


def test_a_python_that_does_not_start_is_an_executor_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = PythonSession()
    session._flavours = (Flavour(only=("a", "flavour", "of", "its", "own")),) * 2
    for executable, complaint in (
        ("/no/such/python", "did not start"),
        ("/bin/false", "did not start"),
        (None, "sys.executable"),
    ):
        monkeypatch.setattr(sys, "executable", executable)
        with pytest.raises(ExecutorError, match=complaint):
            session.run("print(1)")


def test_no_zombie_stays(session: PythonSession) -> None:
    zygote = inner_zygote(zygote_of(session))
    for _ in range(20):
        session.reset()
        session.run("x = 1")
    session.close()
    assert wait_until(lambda: children(zygote) == [])


def test_a_session_that_is_garbage_ends_its_child() -> None:
    session = PythonSession()
    session.run("x = 1")
    zygote = inner_zygote(zygote_of(session))
    before = set(children(zygote))
    del session
    gc.collect()
    assert wait_until(lambda: len(children(zygote)) < len(before))


TRAINER = """
import sys, time
from react_envs.executor import PythonSession, run_many
from react_envs.executor.zygote import _zygotes
sessions = [PythonSession(wall_limit_s=60, cpu_limit_s=60) for _ in range(3)]
run_many([(s, "x = 1") for s in sessions])
print(*[z.pid for z in _zygotes.values()], flush=True)
{last}
"""


@pytest.mark.parametrize(
    ("last", "sign"),
    [
        ("run_many([(s, 'while True: pass') for s in sessions])", signal.SIGKILL),
        ("time.sleep(60)", signal.SIGKILL),
        ("time.sleep(60)", signal.SIGTERM),
        ("sys.exit(3)", None),
        ("import os; os._exit(3)", None),
        ("import os\nif os.fork() == 0: time.sleep(5)\nos._exit(3)", None),
    ],
    ids=["killed-busy", "killed-idle", "terminated", "exit", "hard-exit", "fork-lives-on"],
)
def test_no_process_outlives_its_trainer(last: str, sign: signal.Signals | None) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    with subprocess.Popen(
        [sys.executable, "-c", TRAINER.format(last=last)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as trainer:
        assert trainer.stdout is not None
        (pid,) = map(int, trainer.stdout.readline().split())
        family = [pid, *descendants(pid)]
        if sign is not None:
            assert len(family) >= 4
            time.sleep(0.2)
            trainer.send_signal(sign)
        trainer.wait(20)
        assert wait_until(lambda: not any(map(alive, family)), 4.0)


# A child that ran a model's code may have been taken over: it may send anything.

HONEST = Reply("ok", "", "", None, None, truncated=False, cpu_s=0.0, fresh=False, last=False)


def reply(
    status: int = 0, flags: int = 0, cpu_s: float = 0.0, sizes: tuple[int, ...] = (0,) * 4
) -> bytes:
    """The fields of a reply as they travel; the texts follow them."""
    return struct.pack(">BBdIIII", status, flags, cpu_s, *sizes)


LIES = {
    "huge-frame": b"\xff\xff\xff\xff" + b"x" * 100,
    "json": frame(b'{"status": "ok", "stdout": "", "stderr": "", "cpu_s": 0.0}'),
    "nothing": frame(b""),
    "fields-missing": frame(reply()[:-1]),
    "bytes-missing": frame(reply(sizes=(1, 0, 0, 0))),
    "bytes-added": frame(reply() + b"x"),
    "sizes-beyond": frame(reply(sizes=(2**32 - 1, 2**32 - 1, 2, 0))),
    "unknown-status": frame(reply(status=6)),
    "unknown-flag": frame(reply(flags=32)),
    "not-utf-8": frame(reply(sizes=(1, 0, 0, 0)) + b"\xff"),
    "long-text": encode_reply(replace(HONEST, stdout="x" * 11_000)),
    "long-error": encode_reply(replace(HONEST, error="x" * 9_000)),
    "nan": frame(reply(cpu_s=float("nan"))),
    "endless-time": frame(reply(cpu_s=float("inf"))),
    "negative-time": frame(reply(cpu_s=-1.0)),
    "two-replies": encode_reply(HONEST) * 2,
    "startup-error": frame(b"raise in the trainer"),
    "pickle": frame(b"\x80\x04cos\nsystem\n(S'false'\ntR."),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_lying_child_is_killed_and_replaced(lie: bytes) -> None:
    with unguarded_session(wall_limit_s=5.0) as session:
        result = session.run(f"import os\nos.write(3, {lie!r})")
        assert (result.status, result.restarted) == ("killed", True)
        assert session.run("print(1)").text == "1"


def test_a_liar_can_only_say_text() -> None:
    lie = encode_reply(replace(HONEST, stdout="42\n\ud800", status="error", cpu_s=1e300))
    with unguarded_session() as session:
        result = session.run(f"import os\nos.write(3, {lie!r})\nos._exit(0)")
        assert (result.text, result.status) == ("42\n\\ud800", "error")


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import os\nos.close(3)", id="hang-up"),
        pytest.param("import os\nos.write(3, b'\\0')\nos._exit(0)", id="half-a-frame"),
        pytest.param("import os, signal\nos.abort()", id="abort"),
        pytest.param("import ctypes\nctypes.string_at(0)", id="segfault"),
    ],
)
def test_a_child_that_breaks_off_is_replaced(code: str) -> None:
    with unguarded_session(wall_limit_s=5.0) as session:
        result = session.run(code)
        assert (result.status, result.restarted) == ("killed", True)
        assert session.run("print(1)").text == "1"


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("os.write(3, b'\\0\\0\\1\\0')\nwhile True: pass", id="half-a-frame"),
        pytest.param("while True: os.write(3, b'\\0'); time.sleep(0.1)", id="drops"),
        pytest.param(
            "signal.setitimer(signal.ITIMER_PROF, 0)\nsignal.setitimer(signal.ITIMER_REAL, 0)\n"
            "while True: pass",
            id="timers-off",
        ),
    ],
)
def test_a_child_that_stalls_meets_the_wall_limit(code: str) -> None:
    with unguarded_session(wall_limit_s=0.6) as session:
        result = session.run("import os, time, signal\n" + code)
        assert result.status in ("timeout", "killed")
        assert result.restarted
        assert result.wall_s < 0.7


def test_a_child_that_does_not_listen_meets_the_wall_limit() -> None:
    honest = encode_reply(HONEST)
    with unguarded_session(wall_limit_s=0.6) as deaf, PythonSession() as other:
        deaf.run(f"import os, time\nos.write(3, {honest!r})\nwhile True: time.sleep(1)")
        results = run_many([(deaf, "#" + "é" * 65_000), (other, "print(1)")])
        assert results[0].status == "timeout"
        assert results[1].text == "1"
        assert results[1].wall_s < 0.5


def test_the_kernel_stops_a_child_that_everyone_forgot() -> None:
    """Neither trainer nor zygote is asked: SIGALRM alone has to end it."""
    with unguarded_session(*NO_RUNG, wall_limit_s=0.3) as session:
        session.prefork()
        assert session._state.child is not None
        channel = session._state.child.channel
        limits = frame(json.dumps(asdict(session._limits)).encode())
        os.write(channel.fileno(), limits + encode_request(SLEEP, []))
        zygote = inner_zygote(zygote_of(session))
        assert wait_until(lambda: len(children(zygote)) == 1)
        assert wait_until(lambda: len(children(zygote)) == 0, 5.0)


replies = st.builds(
    Reply,
    st.sampled_from(["ok", "error", "blocked", "timeout", "memory", "killed"]),
    st.text(max_size=100),
    st.text(max_size=100),
    st.none() | st.text(max_size=100),
    st.none() | st.text(max_size=100),
    st.booleans(),
    st.floats(0, 1e300),
    st.booleans(),
    st.booleans(),
)


@given(replies)
def test_a_reply_arrives_as_it_was_sent(sent: Reply) -> None:
    assert decode_reply(encode_reply(sent), 100) == sent


@given(
    st.text(st.characters(exclude_categories=())),
    st.lists(st.tuples(st.text(), st.sampled_from(["ok", "error"]))),
)
def test_a_request_arrives_as_it_was_sent(code: str, replay: list[tuple[str, Status]]) -> None:
    expected = [list(pair) for pair in replay]
    assert decode_request(encode_request(code, replay)) == (code, expected)


fields = st.builds(
    reply,
    st.integers(0, 255),
    st.integers(0, 255),
    st.floats(),
    st.tuples(*[st.integers(0, 3) | st.integers(0, 2**32 - 1)] * 4),
)


@given(st.binary() | st.builds(bytes.__add__, fields, st.binary(max_size=12)))
def test_any_payload_is_a_reply_or_a_frame_error(payload: bytes) -> None:
    try:
        reply = decode_reply(frame(payload), 100)
    except FrameError:
        return
    for text in (reply.stdout, reply.stderr, reply.error, reply.value):
        assert text is None or isinstance(text.encode("utf-8"), bytes)
    assert 0 <= reply.cpu_s < float("inf")


def test_an_honest_reply_of_the_greatest_size_fits_the_bound() -> None:
    note = "\n... [99999999999 characters cut] ...\n"
    stream = "\U0001f600" * 500 + note
    error = "\U0001f600" * 8000 + note
    greatest = replace(HONEST, stdout=stream, stderr=stream, error=error, value=error)
    sent = encode_reply(greatest)
    assert len(sent) <= reply_bound(500)
    assert decode_reply(sent, 500) == greatest
