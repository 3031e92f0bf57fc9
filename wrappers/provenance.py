"""TokenProvenance: for every token of an episode, who put it there."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

import gymnasium as gym

from react_envs.alignment import Straddle
from react_envs.chat_template import ChatTemplate
from react_envs.errors import ArgumentError
from react_envs.recorder import TraceRecorder, digest
from react_envs.tokenization import as_codec
from react_envs.trace import EpisodeRow, Owner, Trace

__all__ = ["TokenProvenance"]

_MODES = ("completion", "chat")
_TEXT = ("segments", "whole")
_STRADDLE = ("exclude", "include", "error")
_END_OF_TURN = ("scaffold", "agent")
MAX_GROUPS = 100_000
"""Groups whose episodes are counted; after that, counting begins anew."""


class TokenProvenance(gym.Wrapper[str, str, str, str]):
    """Records an episode as tokens with owners; put it outside the rewards and what ends episodes.

    Every token of an episode belongs to the prompt, the agent, an observation or the scaffold
    around them (`react_envs.trace.Owner`). The last `info` of an episode carries the `trace`
    (a `react_envs.trace.Trace`), from which `to_samples()`, `react_envs.training` and its
    exporters make whatever a trainer wants. Actions, observations and rewards pass unchanged.

    Where the action is a `Completion` with `token_ids`, those ids are recorded as they are, and
    its `prompt_token_ids` must extend what was recorded before: else a new sample begins (a
    fork). Where it is plain text, text is encoded and the turn is marked `exact=False`.
    `counts` says how often anything but the exact way was taken. An episode that cannot be
    recorded truly never raises: its sample is left out and counted as `dropped_samples`.

    >>> import gymnasium as gym, react_envs
    >>> from react_envs.tokenization import ByteTokenizer
    >>> env = TokenProvenance(gym.make("ReactGSM8K-v0"), ByteTokenizer())
    >>> _ = env.reset(seed=0)
    >>> _ = env.step("Action: python\\nAction Input: print(6 * 7)\\n")
    >>> *_, info = env.step("Final Answer: 42\\n")
    >>> for segment in info["trace"].segments[1:]:
    ...     print(segment.owner.name, segment.turn, segment.text)
    AGENT 0 b'Action: python\\nAction Input: print(6 * 7)\\n'
    ENV 0 b'Observation: 42\\n'
    AGENT 1 b'Final Answer: 42\\n'

    Args:
        env: any text environment; `info` may say `kept`, `messages`, `new_text`.
        tokenizer: the policy's, of any kind that `react_envs.tokenization.as_codec` takes. To
            share one among many environments, pass the codec.
        mode: `"completion"` if the policy continues the text, `"chat"` if its contexts are
            rendered by the tokenizer's chat template.
        text: how text without ids is encoded: `"segments"`, each turn and observation by itself,
            or `"whole"`, the episode in one piece and owners by bytes (mode `"completion"`,
            and only where no turn had ids).
        straddle: with `"whole"`, whose a token is that holds bytes of the agent and of others:
            `"exclude"`: the others', so no foreign byte is trained; `"include"`: the agent's;
            `"error"`: the sample is dropped.
        end_of_turn: whose the end-of-turn token is that follows a turn given as text: the
            `"scaffold"`'s, since nobody sampled it, or the `"agent"`'s, for a teacher's turns
            whose student must learn to stop.

    Raises:
        ArgumentError: for an unusable argument, and for a tokenizer without bytes or, in mode
            `"chat"`, without a chat template.
    """

    def __init__(
        self,
        env: gym.Env[str, str],
        tokenizer: Any,
        mode: Literal["completion", "chat"] = "completion",
        *,
        text: Literal["segments", "whole"] = "segments",
        straddle: Straddle = "exclude",
        end_of_turn: Literal["scaffold", "agent"] = "scaffold",
    ) -> None:
        super().__init__(env)
        for name, value, known in (
            ("mode", mode, _MODES),
            ("text", text, _TEXT),
            ("straddle", straddle, _STRADDLE),
            ("end_of_turn", end_of_turn, _END_OF_TURN),
        ):
            if value not in known:
                raise ArgumentError(f"{name} must be one of {known}, actually: {value!r}")
        if text == "whole" and mode == "chat":
            raise ArgumentError('text="whole" encodes a plain text: it needs mode="completion"')
        codec = as_codec(tokenizer)
        self.recorder = TraceRecorder(
            codec,
            ChatTemplate.of(codec) if mode == "chat" else None,
            whole=straddle if text == "whole" else None,
            end_of_turn=Owner.AGENT if end_of_turn == "agent" else Owner.SCAFFOLD,
        )
        self.trace: Trace | None = None
        """Of the last episode that ended."""
        self._episodes: Counter[str] = Counter()
        self._running = False
        self._reward = 0.0

    @property
    def counts(self) -> Counter[str]:
        """Over all episodes: `episodes`, `abandoned` (by a reset in their midst), `turns`,
        `samples`, `dropped_samples`, `forks`, `straddles`, `inexact_turns`, `misspelt_turns`,
        `altered_observations`."""
        return self.recorder.counts

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        prompt, info = super().reset(seed=seed, options=options)
        text = info.get("new_text", prompt)
        messages = info.get("messages") or [{"role": "user", "content": text}]
        self.recorder.begin(text, messages, episode=self._episode_row(text, info, seed))
        self._running, self._reward = True, 0.0
        return prompt, info

    def step(self, action: str) -> tuple[str, Any, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = super().step(action)
        if self._running:
            try:
                self._record(action, observation, reward, terminated, truncated, info)
            # a foreign environment may say anything, and must not end a run by it
            except Exception as error:
                self.recorder.fail(error)
            if terminated or truncated:
                info = {**info, "trace": self.finish(info)}
        return observation, reward, terminated, truncated, info

    def _record(
        self,
        action: str,
        observation: str,
        reward: Any,
        terminated: bool,
        truncated: bool,
        info: dict[str, Any],
    ) -> None:
        text = info.get("new_text", observation)
        self.recorder.act(action, info.get("kept"))
        self.recorder.observe(
            text,
            self._others(info.get("messages"), text),
            reward=float(reward),
            reward_terms=_numbers(info.get("reward_terms")),
            action_ok=info.get("parse_error") is None
            and info.get("tool_ok") is not False
            and not info.get("fabricated_observation", False),
            terminated=bool(terminated),
            truncated=bool(truncated),
        )
        self._reward += float(reward)

    def finish(self, info: Mapping[str, Any] | None = None) -> Trace:
        """End the recording and give its trace.

        Called by the last step. Call it yourself where an episode ends outside: by a wrapper
        round this one (`TimeLimit`), or by an error.

        Raises:
            ArgumentError: if no episode is being recorded.
        """
        info = info or {}
        stop_reason = info.get("stop_reason")
        rows = self.recorder.rows
        self._running = False
        self.trace = self.recorder.end(
            reward=self._reward,
            reward_terms=dict(rows[-1]["reward_terms"]) if rows else {},
            stop_reason=None if stop_reason is None else str(stop_reason),
            terminated=bool(rows) and rows[-1]["terminated"],
            truncated=bool(rows) and rows[-1]["truncated"],
        )
        return self.trace

    def _episode_row(self, prompt: str, info: Mapping[str, Any], seed: int | None) -> EpisodeRow:
        """Episodes of one task share a group; unseeded ones are told apart by chance."""
        named = [info.get(name) for name in ("dataset", "split", "index", "fingerprint")]
        group = digest(prompt) if info.get("index") is None else ":".join(map(str, named))
        if len(self._episodes) > MAX_GROUPS:
            self._episodes.clear()
        number = self._episodes[group]
        self._episodes[group] += 1
        run = uuid.uuid4().hex[:12] if seed is None else seed
        return EpisodeRow(group, f"{group}#{run}.{number}", seed, number)

    def _others(self, messages: Any, text: str) -> list[dict[str, Any]]:
        """The messages of a step that answer the agent's own; only a template needs them."""
        if self.recorder.template is None:
            return []
        others = [message for message in messages or () if message.get("role") != "assistant"]
        return others or ([{"role": "user", "content": text}] if text else [])


def _numbers(terms: Any) -> dict[str, float]:
    return {str(name): float(value) for name, value in (terms or {}).items()}
