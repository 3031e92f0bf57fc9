"""ZeroSearch's simulated search engine: useful documents, or noisy ones, ever more of them."""

from __future__ import annotations

from random import Random
from typing import Any

from react_envs.errors import ArgumentError
from react_envs.simulators.noise import ZEROSEARCH, NoiseSchedule
from react_envs.simulators.simulator import PolicySimulator, SimulatedCall
from react_envs.types import ToolResult

__all__ = ["ZeroSearchSimulator"]

NOTHING = "No information available"

_USEFUL = "helpful: they hold what someone with this query needs to know"
_NOISY = "of no help: they sound fit for the query, but what it asks for is not in them"

_EXAMPLE = """Example
Query: height of the Eiffel Tower
Doc 1: The Eiffel Tower stands in Paris. Built of wrought iron for the fair of 1889, it rises
about 330 metres with its antennas, which made it the tallest structure of its time.
Doc 2: Seen from the Champ de Mars, the tower measures 300 metres to its upper platform. Lifts
take visitors to three levels, of which the highest is at 276 metres.

"""


class ZeroSearchSimulator(PolicySimulator):
    """A language model plays a search engine (arXiv 2505.04588).

    For each query it is asked for `k` documents of about 30 words that are helpful, or, with
    the probability that `noise` has at this point of training, of no help. Temperature and
    length are the policy's own (0.8 and 600 tokens are published).

    Args:
        policy: writes the documents.
        k: documents of a query.
        noise: a share, or a `NoiseSchedule` (also as a mapping); ZeroSearch's own by default.
        show_gold: tell the simulator question and true answer, as the published fine-tuned
            simulators are told. They then stand in *its* prompt and nowhere else; but it may
            write the answer into a document, as a search engine may find it. Off by default.
        few_shot: precede the query with an example, for a model that was not tuned to this. Of
            question and answer a noisy query is then not told, as published.
        **limits: see `Simulator`.

    Raises:
        ArgumentError: for a `k` below 1.
    """

    def __init__(
        self,
        policy: Any,
        *,
        k: int = 5,
        noise: Any = ZEROSEARCH,
        show_gold: bool = False,
        few_shot: bool = False,
        **limits: Any,
    ) -> None:
        super().__init__(policy, **limits)
        if type(k) is not int or k < 1:
            raise ArgumentError(f"k must be an int of at least 1, actually: {k!r}")
        self.k = k
        self.noise = NoiseSchedule.of(noise)
        self.show_gold = show_gold
        self.few_shot = few_shot

    def is_noisy(self, call: SimulatedCall) -> bool:
        """Whether this call gets noisy documents: drawn from its seed."""
        return Random(call.seed).random() < self.noise.at(self.progress)

    def prompt(self, call: SimulatedCall) -> str:
        noisy = self.is_noisy(call)
        told = ""
        if self.show_gold and not (self.few_shot and noisy):
            answers = " or ".join(call.task.answers)
            told = (
                f"Background, for you alone: the query serves the question {call.task.question!r}, "
                f"whose true answer is {answers!r}.\n"
            )
        return (
            f"You are a search engine. Write {self.k} documents for the query below, of about 30 "
            f"words each, all of them {_NOISY if noisy else _USEFUL}. "
            f"Begin them with 'Doc 1:' to 'Doc {self.k}:' and write nothing else.\n"
            f"{_EXAMPLE if self.few_shot else ''}{told}"
            f"Query: {_query(call)}\n"
        )

    def write(self, prompt: str, call: SimulatedCall) -> ToolResult:
        written = self._ask(prompt, call)
        return ToolResult(self.read(written, call) or NOTHING, meta={"simulated": True})

    def stop(self, call: SimulatedCall) -> tuple[str, ...]:
        return (f"Doc {self.k + 1}",)

    def read(self, written: str, call: SimulatedCall) -> str:
        """The documents: cut before one too many, without blank lines."""
        (end,) = self.stop(call)
        lines = map(str.strip, written.partition(end)[0].split("\n"))
        return "\n".join(filter(None, lines))


def _query(call: SimulatedCall) -> str:
    texts = [str(value) for value in call.arguments.values() if isinstance(value, str)]
    return " ".join((texts[0] if texts else str(call.arguments)).split())
