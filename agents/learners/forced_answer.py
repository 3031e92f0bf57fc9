"""ForcedAnswer: a policy whose every turn is an answer: the trigger of an action is taken away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from react_envs.dialects import Dialect
from react_envs.rollout import BatchPolicy
from react_envs.tokenization import TokenCodec
from react_envs.types import Completion, Context

__all__ = ["ForcedAnswer"]

_ARGUMENT = "Zq"


class ForcedAnswer:
    """Writes what opens an answer in a dialect; the policy goes on from there.

    For what a model answers without a tool, such as the thinking side of AutoCoA's pairs. In
    mode `"completion"` only. Ids are exact on the first turn: an episode in which an answer was
    refused and given again has several samples.

    Args:
        policy: continues a text.
        dialect: says what opens an answer.
        codec: of the policy's tokenizer.
    """

    def __init__(self, policy: BatchPolicy, dialect: Dialect, codec: TokenCodec) -> None:
        self.policy = policy
        self.opening = dialect.format_answer(_ARGUMENT).partition(_ARGUMENT)[0].rstrip(" ")
        self._codec = codec

    def __call__(self, context: Context) -> Completion:
        return self.generate([context])[0]

    def generate(self, contexts: Sequence[Context]) -> list[Completion]:
        """One answer for each context."""
        opened = [replace(c, prompt=c.prompt + self.opening) for c in contexts]
        written = self.policy.generate(opened)
        return [self._whole(c, w) for c, w in zip(contexts, written, strict=True)]

    def _whole(self, context: Context, written: str) -> Completion:
        ids = [*self._codec.encode(self.opening), *(getattr(written, "token_ids", None) or ())]
        prompt = self._codec.encode_prompt(context.prompt)
        return Completion(self.opening + written, token_ids=ids, prompt_token_ids=prompt)
