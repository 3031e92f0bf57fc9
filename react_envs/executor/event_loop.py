"""A small `asyncio` for one thread without I/O: tasks, sleeping in virtual time, queues, locks.

The real one needs sockets, and its objects lead to subprocesses and threads. Not covered: streams,
subprocesses, executors, task groups, cancellation scopes beyond `wait_for`.
"""

from __future__ import annotations

import collections
import heapq
import inspect
import itertools
from collections.abc import Callable, Coroutine, Generator
from typing import Any

__all__ = ["asyncio_names"]


class CancelledError(BaseException):
    """The task was cancelled."""


class _Wait:
    """What a coroutine yields to the loop: wake me after `delay_s`, or when woken by hand."""

    def __init__(self, delay_s: float | None) -> None:
        self.delay_s = delay_s

    def __await__(self) -> Generator[_Wait, None, None]:
        yield self


class Task:
    """A scheduled coroutine; awaiting it gives its result."""

    def __init__(self, coroutine: Any, loop: _Loop) -> None:
        self._coroutine = coroutine
        self._loop = loop
        self._done = False
        self._result: Any = None
        self._error: BaseException | None = None
        self._cancel = False
        self._waiters: list[Task] = []
        loop.wake(self)

    def done(self) -> bool:
        return self._done

    def result(self) -> Any:
        if not self._done:
            raise RuntimeError("the task is not done")
        if self._error is not None:
            raise self._error
        return self._result

    def cancel(self) -> bool:
        if self._done:
            return False
        self._cancel = True
        self._loop.wake(self)
        return True

    def cancelled(self) -> bool:
        return isinstance(self._error, CancelledError)

    def _step(self) -> None:
        if self._done:
            return
        try:
            if self._cancel:
                self._cancel = False
                wait = self._coroutine.throw(CancelledError())
            else:
                wait = self._coroutine.send(None)
        except StopIteration as stop:
            self._finish(stop.value, None)
        except (Exception, CancelledError) as error:
            self._finish(None, error)
        else:
            if not isinstance(wait, _Wait):
                self._finish(None, RuntimeError("only awaitables of this asyncio can be awaited"))
            elif wait.delay_s is not None:
                self._loop.wake_later(self, wait.delay_s)

    def _finish(self, result: Any, error: BaseException | None) -> None:
        self._done, self._result, self._error = True, result, error
        for waiter in self._waiters:
            self._loop.wake(waiter)

    def __await__(self) -> Generator[Any, None, Any]:
        while not self._done:
            self._waiters.append(self._loop.current)
            yield _Wait(None)
        return self.result()


class _Loop:
    def __init__(self, advance: Callable[[float], None]) -> None:
        self._advance = advance
        self._now_s = 0.0
        self._ready: collections.deque[Task] = collections.deque()
        self._sleeping: list[tuple[float, int, Task]] = []
        self._order = itertools.count()
        self.current: Any = None

    def wake(self, task: Task) -> None:
        if task not in self._ready:
            self._ready.append(task)

    def wake_later(self, task: Task, delay_s: float) -> None:
        if delay_s <= 0:
            self._ready.append(task)
        else:
            heapq.heappush(self._sleeping, (self._now_s + delay_s, next(self._order), task))

    def run(self, task: Task) -> Any:
        while not task.done():
            if not self._ready:
                if not self._sleeping:
                    raise RuntimeError("all tasks wait for something that never happens")
                due_s, _, sleeper = heapq.heappop(self._sleeping)
                self._advance(due_s - self._now_s)
                self._now_s = due_s
                self._ready.append(sleeper)
            self.current = self._ready.popleft()
            self.current._step()
        return task.result()


class _Asyncio:
    """The functions of one interpreter's `asyncio`."""

    def __init__(self, advance: Callable[[float], None]) -> None:
        self._advance = advance
        self._loop: _Loop | None = None

    def _running(self) -> _Loop:
        if self._loop is None:
            raise RuntimeError("no running event loop")
        return self._loop

    def run(self, main: Coroutine[Any, Any, Any], *, debug: bool | None = None) -> Any:
        if self._loop is not None:
            raise RuntimeError("asyncio.run() cannot be called from a running event loop")
        if not inspect.iscoroutine(main):
            raise ValueError(f"a coroutine was expected, got {main!r}")
        self._loop = _Loop(self._advance)
        try:
            return self._loop.run(Task(main, self._loop))
        finally:
            self._loop = None

    def create_task(self, coroutine: Any, *, name: str | None = None) -> Task:
        return Task(coroutine, self._running())

    def ensure_future(self, awaitable: Any) -> Any:
        return awaitable if isinstance(awaitable, Task) else self.create_task(awaitable)

    async def sleep(self, delay: float, result: Any = None) -> Any:
        self._running()
        await _Wait(max(0.0, delay))
        return result

    async def gather(self, *awaitables: Any, return_exceptions: bool = False) -> list[Any]:
        tasks = [self.ensure_future(awaitable) for awaitable in awaitables]
        results: list[Any] = []
        for task in tasks:
            try:
                results.append(await task)
            except Exception as error:
                if not return_exceptions:
                    raise
                results.append(error)
        return results

    async def wait_for(self, awaitable: Any, timeout: float | None) -> Any:
        task = self.ensure_future(awaitable)
        if timeout is None:
            return await task
        alarm = self.create_task(self._cancel_later(task, timeout))
        try:
            return await task
        except CancelledError:
            raise TimeoutError from None
        finally:
            alarm.cancel()

    async def _cancel_later(self, task: Task, delay_s: float) -> None:
        await _Wait(delay_s)
        task.cancel()


def _waiting(ready: Callable[[], bool]) -> Generator[_Wait, None, None]:
    # Polls: the loop has nothing else to do, and virtual time stands still meanwhile.
    while not ready():
        yield _Wait(1e-3)


class _Until:
    def __init__(self, ready: Callable[[], bool]) -> None:
        self._ready = ready

    def __await__(self) -> Generator[_Wait, None, None]:
        yield from _waiting(self._ready)


class Semaphore:
    """Lets `value` tasks pass at a time."""

    def __init__(self, value: int = 1) -> None:
        self._value = value

    def locked(self) -> bool:
        return self._value == 0

    async def acquire(self) -> bool:
        await _Until(lambda: self._value > 0)
        self._value -= 1
        return True

    def release(self) -> None:
        self._value += 1

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(self, *_: object) -> None:
        self.release()


class Lock(Semaphore):
    """Lets one task pass at a time."""

    def __init__(self) -> None:
        super().__init__(1)


class Event:
    """Tasks wait until it is set."""

    def __init__(self) -> None:
        self._flag = False

    def is_set(self) -> bool:
        return self._flag

    def set(self) -> None:
        self._flag = True

    def clear(self) -> None:
        self._flag = False

    async def wait(self) -> bool:
        await _Until(self.is_set)
        return True


class Queue:
    """First in, first out, between tasks."""

    def __init__(self, maxsize: int = 0) -> None:
        self._maxsize = maxsize
        self._items: collections.deque[Any] = collections.deque()
        self._unfinished = 0

    def qsize(self) -> int:
        return len(self._items)

    def empty(self) -> bool:
        return not self._items

    def full(self) -> bool:
        return 0 < self._maxsize <= len(self._items)

    async def put(self, item: Any) -> None:
        await _Until(lambda: not self.full())
        self.put_nowait(item)

    def put_nowait(self, item: Any) -> None:
        self._items.append(item)
        self._unfinished += 1

    async def get(self) -> Any:
        await _Until(lambda: bool(self._items))
        return self._items.popleft()

    def get_nowait(self) -> Any:
        return self._items.popleft()

    def task_done(self) -> None:
        self._unfinished -= 1

    async def join(self) -> None:
        await _Until(lambda: self._unfinished <= 0)


def asyncio_names(advance: Callable[[float], None]) -> dict[str, Any]:
    """The names of `asyncio` for an interpreter whose sleeping calls `advance` with seconds."""
    functions = _Asyncio(advance)
    return {
        "CancelledError": CancelledError,
        "Event": Event,
        "Lock": Lock,
        "Queue": Queue,
        "Semaphore": Semaphore,
        "TimeoutError": TimeoutError,
        "create_task": functions.create_task,
        "ensure_future": functions.ensure_future,
        "gather": functions.gather,
        "iscoroutinefunction": inspect.iscoroutinefunction,
        "run": functions.run,
        "sleep": functions.sleep,
        "wait_for": functions.wait_for,
    }
