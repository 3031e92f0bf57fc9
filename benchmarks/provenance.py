"""What recording tokens costs, and what it costs not to: recorder, chat templates, losses.

    python benchmarks/provenance.py [--quick] [--only recorder|turns|loss]

One thread, so that ratios are of work and not of cores. *recorder*: tokens per second of
`TraceRecorder` on one long episode. *turns*: what an episode of n turns costs the recorder,
beside encoding the whole context again at each turn, as text and through a chat template.
*loss*: peak memory and time of one forward and backward pass from hidden states to gradients,
each in a process of its own. Everything is made on the spot; needs `react-envs[test]`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

T, D = 4096, 256
VOCABULARIES = (32_000, 152_000)
SHARES = (0.4, 0.7)
LOSSES = ("torch", "naive", "masked", "selected", "fused")
WORDS = "the thing that this other think number answer python Observation Action Input 3 12 + = \n"


def text(rng: random.Random, tokens: int) -> str:
    """About so many tokens of text."""
    return " ".join(rng.choice(WORDS.split(" ")) for _ in range(tokens))


def best(call: Callable[[], Any], repeats: int) -> float:
    """Least CPU seconds of several runs."""
    times = []
    for _ in range(repeats):
        started = time.process_time()
        call()
        times.append(time.process_time() - started)
    return min(times)


# Recorder.


def recorder_rows(quick: bool) -> list[list[str]]:
    from recording import codec

    from react_envs.recorder import TraceRecorder
    from react_envs.types import Completion

    own = codec("qwen")
    rng = random.Random(0)
    rows = []
    for turns in (10, 40) if quick else (10, 40, 128):
        size = 36_000 // (2 * turns)
        ids = own.encode("Question: what?\n")
        steps = []
        for _ in range(turns):
            action, observation = text(rng, 2 * size), text(rng, 2 * size)
            action_ids = own.encode(action)[:size]
            observation_ids = own.encode(observation)[:size]
            action = own.bytes_of(action_ids).decode()
            observation = own.bytes_of(observation_ids).decode()
            given = Completion(
                action,
                prompt_token_ids=ids,
                token_ids=action_ids,
                logprobs=[-0.5] * len(action_ids),
            )
            steps.append((given, observation))
            ids = ids + action_ids + observation_ids

        def record() -> Any:
            recorder = TraceRecorder(own)
            recorder.begin("Question: what?\n")
            for given, observation in steps:  # noqa: B023 - called at once
                recorder.act(given)
                recorder.observe(observation)
            return recorder.end()

        trace = record()
        seconds = best(record, 5 if quick else 15)
        arrays = (trace.ids, trace.source, trace.turn, trace.logprob)
        size = sum(array.nbytes for array in arrays) / len(trace)
        rate = len(trace) / seconds / 1e6
        rows.append([str(turns), str(len(trace)), f"{rate:.1f}", f"{size:.0f}"])
    return rows


# Incremental recording against encoding everything again.


def turn_rows(quick: bool) -> list[list[str]]:
    from recording import chat_tokenizer as make_chat_tokenizer
    from recording import codec

    from react_envs.chat_template import ChatTemplate
    from react_envs.recorder import TraceRecorder
    from react_envs.tokenization import as_codec
    from react_envs.types import Completion

    plain = codec("qwen")
    chat_tokenizer = make_chat_tokenizer("qwen2_5")
    chat_codec = as_codec(chat_tokenizer)
    template = ChatTemplate(chat_codec)
    rows = []
    for turns in (2, 8, 32) if quick else (2, 8, 32, 128):
        rng = random.Random(turns)
        steps = [(text(rng, 100), text(rng, 100)) for _ in range(turns)]
        given = {
            name: [Completion(a, token_ids=own.encode(a)) for a, _ in steps]
            for name, own in (("text", plain), ("template", chat_codec))
        }

        def record(name: str) -> None:
            chat = name == "template"
            recorder = TraceRecorder(chat_codec if chat else plain, template if chat else None)
            recorder.begin("Q\n", [{"role": "user", "content": "Q"}])
            for action, (_, observation) in zip(given[name], steps, strict=True):  # noqa: B023
                recorder.act(action)
                recorder.observe(observation, [{"role": "tool", "content": observation}])
            recorder.end()

        def again_text() -> None:
            """At each turn: the context's ids, and the prefix's, whose difference is the mask."""
            context = "Q\n"
            for action, observation in steps:  # noqa: B023
                plain.encode_prompt(context)
                context += action
                plain.encode_prompt(context)
                context += observation

        def again_template() -> None:
            messages = [{"role": "user", "content": "Q"}]
            for action, observation in steps:  # noqa: B023
                chat_tokenizer.apply_chat_template(
                    messages, add_generation_prompt=True, return_dict=False
                )
                messages.append({"role": "assistant", "content": action})
                chat_tokenizer.apply_chat_template(messages, return_dict=False)
                messages.append({"role": "tool", "content": observation})

        repeats = 3 if turns < 100 else 1
        for name, again in (("text", again_text), ("template", again_template)):
            ours = best(lambda name=name: record(name), 5)  # type: ignore[misc]
            theirs = best(again, repeats)
            rows.append(
                [
                    name,
                    str(turns),
                    f"{ours * 1e3:.1f}",
                    f"{theirs * 1e3:.1f}",
                    f"{theirs / ours:.1f}x",
                ]
            )
    return rows


# Losses: each in a process, whose peak memory is its own.


def run_loss(kind: str, vocabulary: int, share: float) -> dict[str, float]:
    import torch
    from torch.nn import functional as F

    from react_envs.training import fused_linear_cross_entropy, masked_cross_entropy

    torch.set_num_threads(1)
    torch.manual_seed(0)
    hidden = torch.randn(T, D, requires_grad=True)
    weight = (torch.randn(vocabulary, D) * 0.02).requires_grad_()
    weight.grad, hidden.grad = torch.zeros_like(weight), torch.zeros_like(hidden)
    labels = torch.randint(0, vocabulary, (T,))
    labels[torch.rand(T) >= share] = -100

    def naive() -> Any:
        logprobs = (hidden @ weight.T).log_softmax(-1)
        keep = labels != -100
        chosen = logprobs.gather(-1, labels.clamp(min=0)[:, None])[:, 0]
        return -(chosen * keep).sum() / keep.sum()

    def selected() -> Any:
        keep = labels != -100
        return F.cross_entropy(hidden[keep] @ weight.T, labels[keep])

    losses: dict[str, Callable[[], Any]] = {
        "torch": lambda: F.cross_entropy(hidden @ weight.T, labels),
        "naive": naive,
        "masked": lambda: masked_cross_entropy(hidden @ weight.T, labels),
        "selected": selected,
        "fused": lambda: fused_linear_cross_entropy(hidden, weight, labels),
    }
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    loss = losses[kind]()
    loss.backward()
    seconds = time.process_time() - started
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return {"loss": float(loss), "mib": peak, "seconds": seconds}


def loss_rows(quick: bool) -> list[list[str]]:
    rows = []
    for vocabulary in VOCABULARIES[:1] if quick else VOCABULARIES:
        for share in SHARES:
            results = {}
            for kind in LOSSES:
                command = [sys.executable, __file__, "--loss", kind, str(vocabulary), str(share)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                results[kind] = json.loads(done.stdout.splitlines()[-1])
            whole = results["torch"]
            for kind in LOSSES:
                got = results[kind]
                assert abs(got["loss"] - whole["loss"]) < 1e-3, (kind, got, whole)
                rows.append(
                    [
                        f"{vocabulary // 1000}k",
                        f"{share:.0%}",
                        kind,
                        f"{got['mib']:.0f}",
                        f"{got['mib'] / whole['mib']:.2f}x",
                        f"{got['seconds']:.1f}",
                        f"{got['seconds'] / whole['seconds']:.2f}x",
                    ]
                )
    return rows


TABLES: dict[str, tuple[list[str], Callable[[bool], list[list[str]]]]] = {
    "recorder": (["turns", "tokens", "M tokens/s", "bytes/token"], recorder_rows),
    "turns": (["context", "turns", "recorder ms", "encoding again ms", "ratio"], turn_rows),
    "loss": (
        ["V", "agent tokens", "loss", "peak MiB", "of torch", "CPU s", "of torch"],
        loss_rows,
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer sizes")
    parser.add_argument("--only", choices=list(TABLES), help="one of the tables")
    parser.add_argument("--loss", nargs=3, metavar=("KIND", "V", "SHARE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.loss:
        kind, vocabulary, share = arguments.loss
        print(json.dumps(run_loss(kind, int(vocabulary), float(share))))
        return
    print(f"Python {platform.python_version()}, one thread, T={T}, D={D}\n")
    for name, (head, rows) in TABLES.items():
        if arguments.only in (None, name):
            print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
            for row in rows(arguments.quick):
                print(f"| {' | '.join(row)} |", flush=True)
            print()


if __name__ == "__main__":
    main()
