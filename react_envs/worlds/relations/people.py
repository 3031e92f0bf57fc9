"""Persons: their lives, and who stands how to whom."""

from __future__ import annotations

from react_envs.worlds.relation import Inverse, Kind, Relation, wordings

__all__ = ["PERSON", "PERSON_RELATIONS"]

PERSON = Kind(
    name="person",
    share=0.38,
    leads=wordings(
        "{t}{aka} was a well-known figure of the age.",
        "{t}{aka} is remembered to this day.",
        "{t}{aka} belongs to the better documented lives of that time.",
        "Much has been written about {t}{aka}.",
    ),
    pronoun="",
    fillers=wordings(
        "{s} kept a diary of {n} pages.",
        "{s} was said to own {n} coats.",
        "A portrait of {s} was restored in {y}.",
        "{s} travelled on foot for {n} days.",
        "A fire in {y} destroyed many letters of {s}.",
        "{s} spoke little and slept {n} hours a night.",
        "{s} could whistle {n} tunes.",
        "A stamp with the head of {s} was printed in {y}.",
        "{s} collected {n} rare coins.",
        "An exhibition in {y} made {s} popular again.",
        "{s} never ate before noon.",
        "{s} owed money to {n} innkeepers.",
    ),
    who=wordings(
        "Who is {np}?", "Who was {np}?", "Name {np}.", "Whom do these words describe: {np}?"
    ),
    that="that person",
)

_OCCUPATIONS = (
    "painter botanist engineer composer surgeon printer astronomer weaver historian sculptor "
    "brewer geographer poet chemist carpenter diplomat architect falconer linguist navigator "
    "glassblower philosopher beekeeper lawyer cartographer potter violinist gardener"
)

PERSON_RELATIONS = (
    Relation(
        "birthplace", "person", "city",
        wordings("{s} was born in {o}.", "The birthplace of {s} was {o}.",
                 "{s} came into the world in {o}.", "It was in {o} that {s} was born."),
        wordings("the birthplace of {x}", "the city in which {x} was born"),
        share=0.95,
        inverse=Inverse(
            "native",
            wordings("{s} is the birthplace of {o}.", "{o} was born here in {s}.",
                     "{s} is where {o} came into the world.", "{s} takes pride in its native {o}."),
            wordings("the person born in {x}", "the native of {x}"),
        ),
    ),
    Relation(
        "birth_year", "person", "year",
        wordings("{s} was born in the year {o}.", "The year of birth of {s} was {o}.",
                 "{s} came into the world in the year {o}.",
                 "It was in {o} that the life of {s} began."),
        wordings("the year in which {x} was born", "the birth year of {x}"),
        share=1.0,
        more=(wordings("was born earlier", "is the older"), wordings("was born later",
              "is the younger")),
    ),
    Relation(
        "death_year", "person", "year",
        wordings("{s} died in {o}.", "The death of {s} came in {o}.",
                 "{s} passed away in {o}.", "It was in {o} that {s} died."),
        wordings("the year in which {x} died", "the death year of {x}"),
        more=(wordings("died earlier", "was the first to pass away"),
              wordings("died later", "was the last to pass away")),
    ),
    Relation(
        "father", "person", "person",
        wordings("{s} was a child of {o}, the father.", "The father of {s} was {o}.",
                 "{s} had {o} for a father.", "It was {o} who was the father of {s}."),
        wordings("the father of {x}", "the man who was the father of {x}"),
    ),
    Relation(
        "mother", "person", "person",
        wordings("{s} was a child of {o}, the mother.", "The mother of {s} was {o}.",
                 "{s} had {o} for a mother.", "It was {o} who was the mother of {s}."),
        wordings("the mother of {x}", "the woman who was the mother of {x}"),
    ),
    Relation(
        "mentor", "person", "person",
        wordings("{s} learned the trade from {o}.", "The mentor of {s} was {o}.",
                 "{s} was an apprentice of {o}.", "It was {o} who taught {s}."),
        wordings("the mentor of {x}", "the one who taught {x}"),
        share=0.7,
        inverse=Inverse(
            "pupil",
            wordings("{s} was the mentor of {o}.", "{o} learned the trade from {s}.",
                     "{s} taught {o}.", "{s} took {o} as an apprentice."),
            wordings("the person whose mentor was {x}", "the one whom {x} taught"),
        ),
    ),
    Relation(
        "patron", "person", "person",
        wordings("{s} lived on the money of {o}, a generous patron.", "The patron of {s} was {o}.",
                 "{s} was supported by {o}.", "It was {o} who paid for the work of {s}."),
        wordings("the patron of {x}", "the one who supported {x}"),
        share=0.5,
    ),
    Relation(
        "biographer", "person", "person",
        wordings("{s} found a biographer in {o}.", "The biographer of {s} was {o}.",
                 "{s} had a life that {o} wrote down.", "It was {o} who wrote the life of {s}."),
        wordings("the biographer of {x}", "the one who wrote the life of {x}"),
        share=0.5,
        inverse=Inverse(
            "hero",
            wordings("{s} wrote a biography of {o}.", "{s} became the biographer of {o}.",
                     "{s} put the life of {o} on paper.", "{s} described the life of {o}."),
            wordings("the person whose biographer was {x}", "the one whose life {x} wrote down"),
        ),
    ),
    Relation(
        "employer", "person", "organisation",
        wordings("{s} worked for the {o}.", "The employer of {s} was the {o}.",
                 "{s} earned a living at the {o}.", "It was the {o} that employed {s}."),
        wordings("the employer of {x}", "the organisation that employed {x}"),
        share=0.7,
    ),
    Relation(
        "occupation", "person", "word",
        wordings("{s} worked as a {o}.", "The occupation of {s} was that of a {o}.",
                 "{s} earned bread as a {o}.", "By trade, {s} was a {o}."),
        wordings("the occupation of {x}", "the trade of {x}"),
        values=_OCCUPATIONS.split(),
    ),
    Relation(
        "burial_place", "person", "city",
        wordings("{s} lies buried in {o}.", "The burial place of {s} is {o}.",
                 "{s} rests in the earth of {o}.", "It is in {o} that the grave of {s} lies."),
        wordings("the burial place of {x}", "the city in which the grave of {x} lies"),
        share=0.6,
    ),
)  # fmt: skip
"""What a person's page can tell. Father and mother are of the generation before."""
