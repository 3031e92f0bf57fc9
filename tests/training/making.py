"""Samples made by hand from runs of owners."""

from __future__ import annotations

import numpy as np

from react_envs.recorder import TraceRecorder
from react_envs.tokenization import ByteTokenizer, as_codec
from react_envs.trace import Sample, Trace
from react_envs.types import Completion


def trace(*turns: tuple[str, str, float], prompt: str = "Q:", logprobs: bool = True) -> Trace:
    """An episode of `(text, observation, reward)`, its ids the bytes of the texts."""
    recorder = TraceRecorder(as_codec(ByteTokenizer()))
    recorder.begin(prompt)
    for number, (text, observation, reward) in enumerate(turns):
        ids = list(text.encode())
        own = [-0.25] * len(ids) if logprobs else None
        recorder.act(Completion(text, token_ids=ids, logprobs=own))
        last = number == len(turns) - 1
        recorder.observe("" if last else observation, reward=reward, terminated=last)
    return recorder.end(reward=float(np.sum([reward for *_, reward in turns])))


def sample(*turns: tuple[str, str, float], prompt: str = "Q:", logprobs: bool = True) -> Sample:
    (only,) = trace(*turns, prompt=prompt, logprobs=logprobs).to_samples()
    return only
