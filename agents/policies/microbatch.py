"""MicroBatcher: calls from many threads, answered together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from react_envs.errors import PolicyFailure

__all__ = ["MicroBatcher"]

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Request(Generic[Item, Result]):
    def __init__(self, item: Item) -> None:
        self.item = item
        self.result: Result | None = None
        self.error: Exception | None = None
        self.done = False


class MicroBatcher(Generic[Item, Result]):
    """Merges what several threads ask for at the same time into one call of `run`.

    One of the waiting threads runs the batch for all of them, so there is no thread to start
    or to stop, and nobody waits for a batch to fill: requests that arrive while one batch
    runs form the next.

    Args:
        run: takes 1 to `max_size` items and returns one result for each, in order. It is
            called by one thread at a time.
        max_size: most items in one call.
        linger_s: seconds that an incomplete batch waits for others. Without it, callers that
            once missed a batch by a hair would alternate with the rest for ever.

    >>> double = MicroBatcher(lambda items: [2 * item for item in items], max_size=8)
    >>> double(21)
    42
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Sequence[Result]],
        max_size: int,
        linger_s: float = 0.005,
    ) -> None:
        self._run = run
        self._max_size = max_size
        self._linger_s = linger_s
        self._changed = threading.Condition()
        self._waiting: list[_Request[Item, Result]] = []
        self._busy = False

    def __call__(self, item: Item) -> Result:
        """The result for `item`, computed together with whatever else is waiting.

        Raises:
            PolicyFailure: if `run` raised one, every caller of that batch gets a copy; of kind
                `"interrupted"`, if it ended with a KeyboardInterrupt of the thread that ran it.
            Exception: anything else that `run` raised reaches every caller of that batch as
                it is, so that a bug shows as what it is.
        """
        request: _Request[Item, Result] = _Request(item)
        with self._changed:
            self._waiting.append(request)
            self._changed.notify_all()
        while not request.done:
            with self._changed:
                self._changed.wait_for(lambda: request.done or not self._busy)
                if request.done:
                    break
                self._busy = True
            self._lead()
        if isinstance(request.error, PolicyFailure):
            raise PolicyFailure(str(request.error), request.error.kind) from request.error
        if request.error is not None:
            raise request.error
        return request.result  # type: ignore[return-value]  # set where error is not

    def _lead(self) -> None:
        """Run one batch of those who wait longest, and wake everybody."""
        batch: list[_Request[Item, Result]] = []
        try:
            with self._changed:
                self._changed.wait_for(
                    lambda: len(self._waiting) >= self._max_size, timeout=self._linger_s
                )
                batch = self._waiting[: self._max_size]
                del self._waiting[: self._max_size]
            results = self._run([request.item for request in batch])
            for request, result in zip(batch, results, strict=True):
                request.result = result
        except Exception as error:
            for request in batch:
                request.error = error
        except BaseException as error:
            message = f"the batch was interrupted: {type(error).__name__}"
            for request in batch:
                request.error = PolicyFailure(message, kind="interrupted")
            raise
        finally:
            with self._changed:
                for request in batch:
                    request.done = True
                self._busy = False
                self._changed.notify_all()
