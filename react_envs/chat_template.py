"""ChatTemplate: what a chat template adds around turns, and whether it changes earlier ones."""

from __future__ import annotations

import copy
import inspect
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from react_envs.errors import ArgumentError
from react_envs.tokenization import TokenCodec, as_codec, common_prefix
from react_envs.types import Message

__all__ = ["ChatTemplate", "Reply", "TemplateAudit", "audit_template"]

USER: Message = {"role": "user", "content": "a"}
_SHARED: WeakKeyDictionary[TokenCodec, ChatTemplate] = WeakKeyDictionary()
_ONE_AT_A_TIME = threading.Lock()
"""A tokenizer's settings are switched while it renders. Shared by all: none waits long."""
STAND_INS = ("b", "<think>\nb\n</think>\n\nb", "b\n</think>\n\nb")
"""Turns that stand for the agent's where only what follows is wanted: the agent's own text is
never encoded. The first for which the template writes the same continuation is taken."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the template writes after an agent's turn: the end of it, messages, the next header."""

    ids: list[int]
    """From the end-of-turn token on."""
    text: str


class ChatTemplate:
    """The chat template of a `transformers` tokenizer.

    A conversation is never rendered anew to learn what one message adds. The agent's turn and
    the messages after it are rendered behind a fixed one-message conversation, and the ids are
    cut at the end-of-turn token, a border that no merge crosses. Special tokens that are spelt
    out in messages are encoded as ordinary text.

    Not covered: templates that end a turn with text rather than a special token, and what the
    template makes of tools, documents or other variables.

    Args:
        codec: of a `transformers` tokenizer with a chat template.

    Raises:
        ArgumentError: if there is no chat template, or transformers is older than 5.23.
    """

    @classmethod
    def of(cls, codec: TokenCodec) -> ChatTemplate:
        """The template of `codec`, made once for all who share it."""
        if codec not in _SHARED:
            _SHARED[codec] = cls(codec)
        return _SHARED[codec]

    def __init__(self, codec: TokenCodec) -> None:
        self._codec = codec
        self._tokenizer = copy.deepcopy(codec.source)
        if not getattr(self._tokenizer, "chat_template", None):
            raise ArgumentError(
                'mode="chat" needs a transformers tokenizer with a chat template, and '
                f'{type(codec.source).__name__} has none; use mode="completion"'
            )
        parameters = inspect.signature(self._tokenizer.apply_chat_template).parameters
        if "sanitize_control_tokens" not in parameters:
            raise ArgumentError(
                'mode="chat" needs a transformers that keeps control tokens out of messages '
                "(sanitize_control_tokens); upgrade transformers to 5.23 or newer"
            )
        # only special tokens are neutralised: a `<tool_call>` that is an added token is one
        # wherever it stands
        self._tokenizer.chat_control_tokens = []
        self._frames: dict[Any, list[list[int]]] = {}
        self._opening = self.text([USER])
        self._opening_specials = sum(i in codec.special_ids for i in self.render([USER]))

    def render(self, messages: Sequence[Message], *, generation_prompt: bool = True) -> list[int]:
        """Ids of a whole conversation, ready for the agent's next turn.

        Raises:
            ArgumentError: if the template refuses the messages.
        """
        ids = self._apply(
            messages, generation_prompt, return_dict=False, sanitize_control_tokens=True
        )
        return list(ids)

    def text(self, messages: Sequence[Message]) -> str:
        """The text of a whole conversation, ready for the agent's next turn."""
        return str(self._apply(messages, True, tokenize=False))

    def reply(self, kept: str, messages: Sequence[Message]) -> Reply | None:
        """What follows the agent's turn `kept` when `messages` answer it.

        None if the template does not leave the turn as it was written (it trims it, or drops
        its thoughts): then only rendering the whole conversation tells what a model reads.

        Raises:
            ArgumentError: if the template refuses the messages.
        """
        after = self._after(kept, messages)
        if after is None:
            return None
        for stand_in in STAND_INS:
            if self._after(stand_in, messages) == after:
                ids = self._ids_after(stand_in, messages)
                if ids is None:
                    return None
                self._frames_of(messages)  # raises if a content is left out
                return Reply(ids, after)
        return None

    @cached_property
    def end_of_turn_id(self) -> int | None:
        """The special token that ends an agent's turn, None if the template has none."""
        ids = self._ids_after("b", [USER])
        return ids[0] if ids else None

    def spans(self, ids: list[int], messages: Sequence[Message]) -> list[tuple[int, int]]:
        """Where the contents of `messages` are in `ids`, which follow an agent's turn.

        What stands around contents is known from renderings in which one content after the
        other is another; it is looked for from the ends and, between messages, by its special
        tokens. A token that holds the end of a header and the beginning of a content belongs
        to the content. Between messages that no special token separates, all is content.

        Raises:
            ArgumentError: if the template refuses the messages or leaves a content out.
        """
        head, *between, tail = self._frames_of(messages)
        # the end-of-turn token may have been sampled: then `ids` begin after it
        skip = 1 if head and ids and head[0] != ids[0] else 0
        at = common_prefix(head[skip:], ids)
        end = len(ids) - common_prefix(tail[::-1], ids[at:][::-1])
        found = []
        special = self._codec.special_ids
        for frame in between:
            first = next((n for n, index in enumerate(frame) if index in special), None)
            mark = next((n for n in range(at, end) if ids[n] in special), None)
            if first is None or mark is None:
                continue
            close = mark - common_prefix(frame[:first][::-1], ids[at:mark][::-1])
            found.append((at, close))
            at = mark + common_prefix(frame[first:], ids[mark:end])
        return [*found, (at, max(end, at))]

    def _frames_of(self, messages: Sequence[Message]) -> list[list[int]]:
        """The ids before, between and after contents that are one letter each."""
        key = tuple((m.get("role"), m.get("name"), "tool_call_id" in m) for m in messages)
        if key not in self._frames:
            plain = [{**message, "content": "x"} for message in messages]
            base = self._ids_after("b", plain) or []
            borders = [0]
            for at in range(len(messages)):
                varied = [*plain[:at], {**plain[at], "content": "Y"}, *plain[at + 1 :]]
                other = self._ids_after("b", varied) or []
                if base and base == other:
                    role = messages[at].get("role")
                    raise ArgumentError(f"the chat template leaves out what the role {role!r} says")
                same = common_prefix(base, other)
                behind = common_prefix(base[same:][::-1], other[same:][::-1])
                borders += [same, len(base) - behind]
            borders.append(len(base))
            self._frames[key] = [
                base[a : max(a, b)] for a, b in zip(borders[::2], borders[1::2], strict=True)
            ]
        return self._frames[key]

    def _after(self, turn: str, messages: Sequence[Message]) -> str | None:
        """Text that follows `turn`, None if the template changed the turn or what led to it."""
        opening = self._opening + turn
        whole = self.text([USER, {"role": "assistant", "content": turn}, *messages])
        return whole[len(opening) :] if whole.startswith(opening) else None

    def _ids_after(self, turn: str, messages: Sequence[Message]) -> list[int] | None:
        ids = self.render([USER, {"role": "assistant", "content": turn}, *messages])
        special = [at for at, index in enumerate(ids) if index in self._codec.special_ids]
        if len(special) <= self._opening_specials:
            return None  # the turn ends with text: there is no border to cut at
        return ids[special[self._opening_specials] :]

    def _apply(self, messages: Sequence[Message], generation_prompt: bool, **options: Any) -> Any:
        try:
            with _ONE_AT_A_TIME:
                return self._tokenizer.apply_chat_template(
                    [_valid(message) for message in messages],
                    add_generation_prompt=generation_prompt,
                    **options,
                )
        # whatever the template's own code does with messages it was not written for
        except Exception as error:
            roles = [message.get("role") for message in messages]
            raise ArgumentError(
                f"the chat template refuses messages with the roles {roles}: "
                f"{type(error).__name__}: {error}"
            ) from error


@dataclass(frozen=True, slots=True)
class TemplateAudit:
    """What a chat template does to a conversation of several turns."""

    roles: Mapping[str, str]
    """For each role an observation may have: `"extends"` if every context begins with the one
    before it and the turn after it, `"rewrites"` if not, `"loses the content"` if what the
    message says is not in it, or `"refuses: ..."`."""
    thoughts: Mapping[str, str]
    """The same where the agent's turns hold `<think>` blocks."""
    end_of_turn: str | None
    """The special token that ends the agent's turn, None if text does."""
    after_end_of_turn: str
    """What the template writes between that token and the next header; never sampled."""
    generation_prompt: str
    """The header of the agent's turn."""
    trims: bool
    """True if white space around the agent's text is lost in later contexts."""
    system: bool
    """True if the template takes a system message."""
    notes: tuple[str, ...] = field(default=())
    """What else to know, in words."""


def audit_template(tokenizer: Any, roles: Sequence[str] = ("tool", "user")) -> TemplateAudit:
    """What the chat template of `tokenizer` does to earlier turns, and how it frames new ones.

    Raises:
        ArgumentError: if it has none, or refuses a conversation of one user message.
    """
    codec = as_codec(tokenizer)
    template = ChatTemplate(codec)
    turns: tuple[str, ...] = ("I look.", "Once more.", "Done.")
    thinking = tuple(f"<think>\nhm {n}\n</think>\n\n{turn}" for n, turn in enumerate(turns))
    if template.text([USER]).rstrip().endswith("<think>"):  # the header opens the block
        turns = tuple(f"hm\n</think>\n\n{turn}" for turn in turns)
        thinking = turns
    kept = {role: _extends(template, role, turns) for role in roles}
    thoughts = {role: _extends(template, role, thinking) for role in roles}
    good = next((role for role in roles if kept[role] == "extends"), None)
    accepted = next((role for role in roles if not kept[role].startswith("refuses")), None)
    end, after = (None, "") if accepted is None else _end_of_turn(template, codec, accepted)
    white = good is not None and template._after(f"{turns[0]} \n", _result(good)) is None
    return TemplateAudit(
        roles=kept,
        thoughts=thoughts,
        end_of_turn=end,
        after_end_of_turn=after,
        generation_prompt=_generation_prompt(template, codec),
        trims=white,
        system=_accepts(template, [{"role": "system", "content": "s"}, USER]),
        notes=tuple(_notes(kept, thoughts, end, white)),
    )


def _extends(template: ChatTemplate, role: str, turns: Sequence[str]) -> str:
    messages: list[Message] = [USER]
    try:
        text = template.text(messages)
        for number, turn in enumerate(turns):
            (result,) = _result(role)
            result["content"] = f"result {number}"
            messages += [{"role": "assistant", "content": turn}, result]
            longer = template.text(messages)
            if not longer.startswith(text + turn):
                return "rewrites"
            if result["content"] not in longer[len(text + turn) :]:
                return "loses the content"
            text = longer
    except ArgumentError as error:
        return f"refuses: {error.__cause__}"
    return "extends"


def _result(role: str) -> list[Message]:
    return [{"role": role, "name": "search", "content": "x"}]


def _end_of_turn(template: ChatTemplate, codec: TokenCodec, role: str) -> tuple[str | None, str]:
    """The special token after a turn, and the text between it and the next special token."""
    ids = template._ids_after("b", _result(role))
    if ids is None:
        return None, ""
    next_special = next((n for n, i in enumerate(ids[1:], 1) if i in codec.special_ids), len(ids))
    end, after = codec.literal_bytes_of(ids[:1]), codec.bytes_of(ids[1:next_special])
    return end.decode("utf-8", "replace"), after.decode("utf-8", "replace")


def _generation_prompt(template: ChatTemplate, codec: TokenCodec) -> str:
    with_it = template.render([USER])
    without = template.render([USER], generation_prompt=False)
    added = with_it[common_prefix(with_it, without) :]
    return codec.literal_bytes_of(added).decode("utf-8", "replace")


def _accepts(template: ChatTemplate, messages: Sequence[Message]) -> bool:
    try:
        template.text(messages)
    except ArgumentError:
        return False
    return True


def _notes(
    kept: Mapping[str, str], thoughts: Mapping[str, str], end: str | None, trims: bool
) -> Sequence[str]:
    notes = []
    good = [role for role, verdict in thoughts.items() if verdict == "extends"]
    for role, verdict in thoughts.items():
        if verdict == "rewrites" and kept[role] == "extends":
            instead = f'; the role "{good[0]}" keeps them' if good else ""
            notes.append(f'earlier thoughts are dropped under the role "{role}"{instead}')
    if end is None:
        notes.append("turns end with text: each later turn begins a sample of its own")
    if trims:
        notes.append("a turn that begins or ends with white space forks")
    return notes


def _valid(message: Message) -> Message:
    """`message` without lone surrogates, which no tokenizer takes."""
    return {
        key: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for key, value in message.items()
    }
