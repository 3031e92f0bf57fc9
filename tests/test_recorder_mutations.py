# ruff: noqa: E501 - a mutation is a line of the source and what it becomes
"""The checks of provenance can fail: each way of breaking the code on purpose is noticed.

The source of a module is changed in one place, and the checks that the other tests rest on
(the known engine, the turns written by hand, parity with torch) run against the broken copy.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from recording import Engine, codec
from torch.nn import functional as F

from react_envs import alignment, recorder, sampled_turn, trace
from react_envs.tokenization import ByteTokenizer, TokenCodec, as_codec
from react_envs.trace import Owner
from react_envs.training import batches, loss, returns
from react_envs.types import Completion


def broken(module: types.ModuleType, old: str, new: str) -> Any:
    """A copy of `module` in which `old`, which must be there, reads `new`."""
    source = inspect.getsource(module)
    assert source.count(old) >= 1, f"{module.__name__} has no {old!r} any more"
    copy = types.ModuleType(module.__name__)
    exec(compile(source.replace(old, new), module.__name__, "exec"), copy.__dict__)
    return copy


def check_recorder(module: Any) -> None:
    """A known engine over several tokenizers: cuts, end-of-turn tokens, scattered tokens."""
    for name in ("bytes", "qwen", "sentencepiece"):
        own = codec(name)
        for gives_prompts in (True, False):
            end = max(own.control_ids)
            engine = Engine(own, seed=1, perturbed=0.3, end=end)
            engine.read_prompt("Question: what?\n")
            recorder = module.TraceRecorder(own)
            recorder.begin("Question: what?\n")
            for number, (text, keep, result) in enumerate(
                (
                    ("Action: python\n", 15, "Observation: 15 <|im_end|>\n"),
                    ("the thing</search>\n\nand so on", 18, "\n<information>x</information>\n\n"),
                    ("think\n\n\nother", 6, "\nthe"),
                    ("Final Answer: 15", 16, ""),
                )
            ):
                written = engine.write(text)
                if not gives_prompts:
                    written = Completion(
                        str(written), token_ids=written.token_ids, logprobs=written.logprobs
                    )
                recorder.act(written, str(written)[:keep])
                recorder.observe(result, reward=float(number), terminated=not result)
                engine.read(str(written)[:keep], result)
            got = recorder.end()
            got.check()
            assert not got.problems
            assert not got.forks
            assert got.ids.tolist() == engine.ids
            owners = [(Owner(int(o)), int(t)) for o, t in zip(got.source, got.turn, strict=True)]
            assert owners == engine.owners
            known = np.array(engine.logprobs, dtype=np.float32)
            assert np.array_equal(got.logprob, known, equal_nan=True)
            for row in got.turns:
                dropped = sum(len(tail.ids) for tail in got.dropped if tail.turn == row.turn)
                assert row.sampled_tokens == row.end - row.start + dropped
            assert b"".join(s.text for s in got.segments) == own.bytes_of(engine.ids)
            assert [row.reward for row in got.turns] == [0.0, 1.0, 2.0, 3.0]
    # a context that does not extend, one with a control token, ids that spell something else
    plain = as_codec(ByteTokenizer())
    fork = module.TraceRecorder(plain)
    fork.begin("Q")
    fork.act(Completion("a", prompt_token_ids=[81], token_ids=[97]))
    fork.observe("1")
    fork.act(Completion("b", prompt_token_ids=[82, 97, 49], token_ids=[98]))
    fork.observe("", terminated=True)
    got = fork.end()
    assert [s.ids.tolist() for s in got.to_samples()] == [[81, 97], [82, 97, 49, 98]]
    for completion, context in (
        (Completion("a", token_ids=[97]), [256, 81, 97, 49, 257, 50]),
        (Completion("a b", token_ids=[98]), None),
    ):
        bad = module.TraceRecorder(plain)
        bad.begin("Q")
        bad.act(completion, "a")
        bad.observe("12")
        bad.act(Completion("c", prompt_token_ids=context, token_ids=[99]))
        bad.observe("", terminated=True)
        assert bad.end().to_samples() == []


def check_turns(module: Any) -> None:
    """The recorder's checks with this reading of turns, and a few that it cannot show."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recorder, "read_turn", module.read_turn)
        check_recorder(recorder)
    emoji = [b"\xf0\x9f", b"\x99\x82\n", b"x"]
    own = TokenCodec(lambda text: [2] * len(text), emoji.__getitem__)
    cut = module.read_turn(own, Completion("🙂\nx", token_ids=[0, 1, 2]), "🙂")
    assert (cut.counts, cut.rests) == ([0], {0: "🙂"})
    words = [b"a", b">\n", b">", b"\n1"]
    own = TokenCodec(lambda text: [words.index(text.encode())], words.__getitem__)
    turn = module.read_turn(own, Completion("a>\n", token_ids=[0, 1]), "a>")
    # the context of an engine that did not keep the token: its half and a line break of the
    # observation happen to be that token
    assert turn.stayed([0, 1], own, "\n") == 1
    assert turn.stayed([0, 1, 3], own, "\n1") == 2


def check_alignment(module: Any) -> None:
    words = [b"ab", b"a", b"b"]

    def encode(text: str) -> list[int]:
        ids, data = [], text.encode()
        while data:
            ids.append(next(n for n, word in enumerate(words) if data.startswith(word)))
            data = data[len(words[ids[-1]]) :]
        return ids

    own = TokenCodec(encode, words.__getitem__)
    aligned = module.align(own, [("b", Owner.PROMPT), ("a", Owner.AGENT), ("bb", Owner.ENV)])
    assert aligned.ids == [2, 0, 2]
    assert aligned.part.tolist() == [0, 2, 2]
    assert aligned.straddles == 1
    aligned = module.align(own, [("a", Owner.ENV), ("b", Owner.AGENT)])
    assert aligned.part.tolist() == [0]
    aligned = module.align(own, [("a", Owner.ENV), ("b", Owner.AGENT)], "include")
    assert aligned.part.tolist() == [1]


def check_loss(module: Any) -> None:
    torch.manual_seed(0)
    logits = torch.randn(6, 5, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([1, -100, 2, -100, -100, 4])
    assert module.next_token_labels(torch.tensor([1, 2, 3])).tolist() == [2, 3, -100]
    ours = module.masked_cross_entropy(logits, labels)
    torch.testing.assert_close(ours, F.cross_entropy(logits, labels))
    hidden, weight = torch.randn(6, 4).double(), torch.randn(5, 4).double()
    fused = module.fused_linear_cross_entropy(hidden, weight.requires_grad_(), labels)
    plain = F.cross_entropy(hidden @ weight.T, labels)
    torch.testing.assert_close(fused, plain)
    for a, b in zip(
        torch.autograd.grad(fused, weight), torch.autograd.grad(plain, weight), strict=True
    ):
        torch.testing.assert_close(a, b)
    mask = torch.tensor([[True, False, True]])
    logprobs = torch.tensor([[-0.1, -0.2, -0.3]], requires_grad=True)
    reference = torch.tensor([[-0.2, 5.0, -0.1]])
    got = module.policy_gradient_loss(
        logprobs,
        torch.tensor([2.0]),
        mask,
        ref_logprobs=reference,
        kl_coef=1.0,
        entropy=torch.tensor([[1.0, 50.0, 2.0]]),
        entropy_coef=1.0,
    )
    gap = (reference - logprobs)[mask]
    assert got.loss.item() == pytest.approx(-2.0 + (gap.exp() - gap - 1).mean().item() - 1.5)


def check_samples(module: Any) -> None:
    names = ("Segment", "TurnRow", "EpisodeRow")
    segment, turn, episode = (getattr(module, name) for name in names)
    owner = module.Owner
    row = turn(0, 1, 3, 1.0, {}, True, "s", None, 1, 2, True, True, False)
    got = module.Trace(
        np.array([5, 6, 7, 8], dtype=np.int32),
        np.array([0, 1, 1, 2], dtype=np.uint8),
        np.array([-1, 0, 0, 0], dtype=np.int16),
        np.array([np.nan, -1, -2, np.nan], dtype=np.float32),
        (
            segment(0, 1, owner.PROMPT, -1, b"", True),
            segment(1, 3, owner.AGENT, 0, b"", True),
            segment(3, 4, owner.ENV, 0, b"", True),
        ),
        (row,),
        episode("g", "t", 0),
    )
    got.check()
    assert module.Trace.from_json(got.to_json()) == got
    (sample,) = got.to_samples()
    assert sample.labels().tolist() == [-100, 6, 7, -100]
    assert sample.labels(["agent", "env"]).tolist() == [-100, 6, 7, 8]
    cut = sample.truncated(2)
    assert [len(a) for a in (cut.ids, cut.source, cut.turn, cut.logprob)] == [2] * 4
    assert (cut.turns[0].start, cut.turns[0].end) == (1, 2)
    assert sample.attention_mask.tolist() == [1] * 4


def make_sample() -> trace.Sample:
    own = recorder.TraceRecorder(as_codec(ByteTokenizer()))
    own.begin("Q")
    own.act(Completion("a", token_ids=[97, 257]))
    own.observe("1", reward=0.5)
    own.act(Completion("c", token_ids=[99, 257]))
    own.observe("", reward=1.0, terminated=True)
    (sample,) = own.end().to_samples()
    return sample


def check_batches(module: Any) -> None:
    sample = make_sample()
    for side in ("left", "right"):
        batch = module.collate([sample, sample.truncated(3)], side=side, pad_id=257)
        assert batch.attention_mask.sum(1).tolist() == [len(sample), 3]
        assert int((batch.labels == 257).sum()) == int((sample.labels() == 257).sum())
        first = batch.position_ids[1, -3:] if side == "left" else batch.position_ids[1, :3]
        assert first.tolist() == [0, 1, 2]
    packed = module.pack([sample, sample], 2 * len(sample), train=list(Owner))
    allowed = packed.attention()[0]
    assert not allowed[len(sample) :, : len(sample)].any()
    assert allowed.sum() == 2 * np.tri(len(sample)).sum()
    assert packed.labels[0, len(sample)] == -100


def check_returns(module: Any) -> None:
    assert module.discounted_returns([0.0, 1.0], 0.5).tolist() == [0.5, 1.0]
    rewards = module.token_rewards(make_sample())
    # <bos> Q a <eos> 1 c <eos>
    assert rewards.tolist() == [0, 0, 0, 0.5, 0, 0, 1.0]


# fmt: off
MUTATIONS: list[tuple[types.ModuleType, Callable[[Any], None], str, str, str]] = [
    (recorder, check_recorder, "owners swapped",
     "self._append(ids[:count], Owner.AGENT,", "self._append(ids[:count], Owner.ENV,"),
    (sampled_turn, check_turns, "one kept token too few",
     "most = bisect_right(ends, len(kept)) - 1", "most = max(bisect_right(ends, len(kept)) - 2, 0)"),
    (sampled_turn, check_turns, "one kept token too many",
     "most = bisect_right(ends, len(kept)) - 1", "most = bisect_right(ends, len(kept))"),
    (sampled_turn, check_turns, "the sampled end of turn lost",
     "return SampledTurn(kept, ids, logprobs, True, [len(ids)], whole=whole, text=written)",
     "return SampledTurn(kept, ids, logprobs, True, [len(ids) - 1], whole=whole, text=written)"),
    (sampled_turn, check_turns, "agent text encoded again",
     "ids = plain_ids(ids)\n", "ids = codec.encode(text)\n        action = text\n"),
    (sampled_turn, check_turns, "a token that the observation completes taken for the agent's",
     "if count <= max(self.counts) or _holds(codec, after[count:], observation):", "if True:"),
    (sampled_turn, check_turns, "a rest that ends inside a character",
     "while kept[ends[most]] & 0xC0 == 0x80:", "while False:"),
    (recorder, check_recorder, "observations given a log-probability of zero",
     "[float(\"nan\")]", "[0.0]"),
    (recorder, check_recorder, "observations numbered with the next turn",
     "self._append(ids, Owner.ENV, turn, exact, text=text)",
     "self._append(ids, Owner.ENV, turn + 1, exact, text=text)"),
    (recorder, check_recorder, "the rest of a cut token trained",
     "self._append(ids[:first], Owner.SCAFFOLD, turn, exact)",
     "self._append(ids[:first], Owner.AGENT, turn, exact)"),
    (recorder, check_recorder, "a dropped tail forgotten",
     "if written.exact and count < len(ids):", "if False:"),
    (recorder, check_recorder, "contexts not compared",
     "if context[:size] == base:", "if True:"),
    (recorder, check_recorder, "control tokens let through",
     "if text is None and not self.codec.control_ids.isdisjoint(ids):", "if False:"),
    (recorder, check_recorder, "misspelt ids trained",
     "if not written.spelt:", "if False:"),
    (recorder, check_recorder, "log-probabilities one to the left",
     "written.logprobs[:count]", "written.logprobs[1 : count + 1]"),
    (recorder, check_recorder, "what was sampled not counted",
     "len(written.ids) if written.exact", "written.counts[0] if written.exact"),
    (recorder, check_recorder, "two encodings where the engine has one",
     "self.codec.encode(rest + self._observation)",
     "self.codec.encode(rest) + self.codec.encode(self._observation)"),
    (recorder, check_recorder, "an observation left out",
     "self.codec.encode(rest + self._observation)",
     "self.codec.encode((rest + self._observation).replace('<|im_end|>', ''))"),
    (alignment, check_alignment, "straddling tokens trained",
     'agent[n] == (straddle == "include")', 'agent[n] != (straddle == "include")'),
    (alignment, check_alignment, "a token owned by where it begins",
     "part[at] = (wanted or touched)[0]", "pass"),
    (loss, check_loss, "observations in the denominator",
     "losses.sum() / max(len(targets), 1)", "losses.sum() / labels.numel()"),
    (loss, check_loss, "labels not shifted",
     "return torch.cat([labels[..., 1:], last], dim=-1)", "return labels"),
    (loss, check_loss, "the fused mean over all positions",
     "total / max(len(targets), 1)", "total / labels.numel()"),
    (loss, check_loss, "the fused gradient of the label left out",
     "probabilities.scatter_add_(-1, target, -torch.ones_like(chosen))", "pass"),
    (loss, check_loss, "KL over the attention mask",
     "kl = ((gap.exp() - gap - 1) * weights).sum()",
     "gap = ref_logprobs.detach() - logprobs\n        kl = (gap.exp() - gap - 1).mean()"),
    (loss, check_loss, "entropy over the attention mask",
     "entropies = (entropy[mask] * weights).sum()", "entropies = entropy.mean()"),
    (trace, check_samples, "the loss mask is the attention mask",
     "return np.isin(self.source, [int(owner) for owner in owner_set(train)])",
     "return np.ones(len(self.ids), dtype=bool)"),
    (trace, check_samples, "the mask not truncated with the ids",
     "source=self.source[:n],", ""),
    (trace, check_samples, "null read as zero",
     "np.nan if item is None else float(item)", "0.0 if item is None else float(item)"),
    (batches, check_batches, "padding inferred from the padding id",
     "attention_mask=sample.attention_mask[None],",
     "attention_mask=(sample.ids[None] != 257).astype(np.int64),"),
    (batches, check_batches, "positions counted through the padding",
     "array[at, start : start + n] = getattr(row, name)[0]",
     "array[at, start : start + n] = getattr(row, name)[0] + (start if name == 'position_ids' else 0)"),
    (batches, check_batches, "packed samples read each other",
     "allowed: NDArray[np.bool_] = same & causal", "allowed: NDArray[np.bool_] = causal"),
    (batches, check_batches, "a sample predicts the next one's first token",
     'out["labels"][at, start : start + 1] = IGNORE_INDEX', "pass"),
    (returns, check_returns, "rewards on the first token of a turn",
     "out[end - 1] += reward", "out[start] += reward"),
    (returns, check_returns, "returns that stop at observations",
     "following = values[at] + gamma * following", "following = values[at]"),
]
# fmt: on


@pytest.mark.parametrize(
    ("module", "check", "old", "new"),
    [pytest.param(m, c, old, new, id=name.replace(" ", "-")) for m, c, name, old, new in MUTATIONS],
)
def test_a_break_is_noticed(
    module: types.ModuleType, check: Callable[[Any], None], old: str, new: str
) -> None:
    mutant = broken(module, old, new)
    with pytest.raises(Exception):  # noqa: B017, PT011 - however it shows
        check(mutant)


@pytest.mark.parametrize(
    ("module", "check"), list(dict.fromkeys((m, c) for m, c, *_ in MUTATIONS)), ids=str
)
def test_the_checks_pass_on_what_is_not_broken(
    module: types.ModuleType, check: Callable[[Any], None]
) -> None:
    check(broken(module, "from __future__", "from __future__"))
