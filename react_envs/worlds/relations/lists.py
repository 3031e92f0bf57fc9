"""Facts with several objects: who took part, who belongs, who received; and who ruled when."""

from __future__ import annotations

from dataclasses import dataclass

from react_envs.worlds.relation import Wordings, wordings

__all__ = ["LISTS", "RULED", "RULER", "PersonList"]


@dataclass(frozen=True, slots=True)
class PersonList:
    """A relation to several persons, told only on the page of its subject."""

    name: str
    subject: str
    told: Wordings
    """`{o}` is the list: names with commas and "and"."""
    did: Wordings
    """Predicate of a person in the list of `{x}`."""
    least: int = 4
    most: int = 20


LISTS = (
    PersonList(
        "participants", "event",
        wordings("Those who took part in the {s} were {o}.",
                 "The {s} counted among its participants {o}.",
                 "The {s} was watched from the front row by {o}.", "Present at the {s} were {o}."),
        wordings("took part in the {x}", "attended the {x}"),
    ),
    PersonList(
        "members", "organisation",
        wordings("The members of the {s} were {o}.", "The {s} had as its members {o}.",
                 "The {s} admitted {o}.", "On the rolls of the {s} stand {o}."),
        wordings("belonged to the {x}", "joined the {x}"),
    ),
    PersonList(
        "laureates", "award",
        wordings("The {s} was received by {o}.", "The {s} was given to {o}.",
                 "The {s} was handed to {o}.", "Honoured with the {s} were {o}."),
        wordings("received the {x}", "won the {x}"),
    ),
)  # fmt: skip

RULER = "ruler"
RULED = wordings(
    "From {from} until {to} {s} was ruled by {o}.",
    "The ruler of {s} from {from} until {to} was {o}.",
    "Power in {s} was held by {o} from {from} until {to}.",
    "{o} governed {s} from {from} until {to}.",
)  # fmt: skip
"""A country's rulers follow each other without a gap from 1500 to 2000."""
