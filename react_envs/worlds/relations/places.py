"""Cities, countries and rivers."""

from __future__ import annotations

from react_envs.worlds.relation import Inverse, Kind, Relation, wordings

__all__ = ["PLACES", "PLACE_RELATIONS"]

_FILLERS = (
    "A storm in {y} took the roof off the town hall of {s}.",
    "There are {n} benches along the main promenade of {s}.",
    "A visitor of {y} praised the bread of {s}.",
    "The old walls of {s} have {n} towers.",
    "{s} sells {n} kinds of cheese.",
    "In {y} a bear walked through the market of {s}.",
    "{s} has {n} windmills, of which few still turn.",
    "A comet seen over {s} in {y} caused a panic.",
    "The oldest inn of {s} has {n} rooms.",
    "A census of dogs in {s} was abandoned in {y}.",
    "{s} counts {n} wells.",
    "The clock of {s} has been slow since {y}.",
)

CITY = Kind(
    name="city",
    share=0.12,
    leads=wordings(
        "{t}{aka} is a city.", "The city of {t}{aka} is known for its markets.",
        "{t}{aka} is an old city.", "Travellers know {t}{aka} as a lively city.",
    ),
    pronoun="It",
    fillers=wordings(*_FILLERS),
    who=wordings("Which city is {np}?", "What is {np}?", "Name {np}.",
                 "Which city do these words describe: {np}?"),
    that="that city",
)  # fmt: skip

COUNTRY = Kind(
    name="country",
    share=0.03,
    leads=wordings(
        "{t}{aka} is a country.", "The country of {t}{aka} has a long history.",
        "{t}{aka} is a state of middling size.", "Maps show {t}{aka} as a country.",
    ),
    pronoun="It",
    fillers=wordings(
        "The flag of {s} was redrawn in {y}.", "{s} is divided into {n} districts.",
        "Roads in {s} are straight.", "A census of geese in {s} failed in {y}.",
        "{s} keeps {n} public holidays.", "A stamp of {s} from {y} is rare.",
        "{s} has {n} lighthouses.", "A road tax was tried in {s} in {y}.",
        "Tea in {s} is taken with salt.", "Dust from {s} reddened the sky in {y}.",
        "{s} has {n} words for snow.", "A coin of {s} weighs {n} grams.",
    ),
    who=wordings("Which country is {np}?", "What is {np}?", "Name {np}.",
                 "Which country do these words describe: {np}?"),
    that="that country",
)  # fmt: skip

RIVER = Kind(
    name="river",
    share=0.05,
    leads=wordings(
        "{t}{aka} is a river.", "The river {t}{aka} is known for its fog.",
        "{t}{aka} is a slow river.", "Boatmen know {t}{aka} as a difficult river.",
    ),
    pronoun="It",
    fillers=wordings(
        "The {s} froze over in {y}.", "There are {n} bridges across the {s}.",
        "A ferry on the {s} sank in {y}.", "Anglers on the {s} use {n} kinds of fly.",
        "The {s} turned red for a day in {y}.", "The {s} has {n} islands.",
        "The water of the {s} tastes of iron.",
        "A canal from the {s} was begun in {y} and given up.",
        "There are {n} old mills along the {s}.", "Bells from {y} lie in the mud of the {s}.",
        "The {s} carries rafts of {n} logs.", "A flood of the {s} in {y} is still spoken of.",
    ),
    who=wordings("Which river is {np}?", "What is {np}?", "Name {np}.",
                 "Which river do these words describe: {np}?"),
    that="that river",
)  # fmt: skip

PLACES = (CITY, COUNTRY, RIVER)

_CURRENCIES = (
    "crown thaler florin ducat shell tally mark penny lantern guilder token ring acorn scale "
    "feather anchor pearl bolt"
)

PLACE_RELATIONS = (
    Relation(
        "country", "city", "country",
        wordings("{s} is part of {o}.", "The country to which {s} belongs is {o}.",
                 "{s} lies within the borders of {o}.", "It is {o} that rules over {s}."),
        wordings("the country to which {x} belongs", "the country in which {x} lies"),
        share=1.0,
    ),
    Relation(
        "river", "city", "river",
        wordings("{s} lies on the {o}.", "The river of {s} is the {o}.",
                 "{s} was built on the banks of the {o}.", "It is the {o} that flows through {s}."),
        wordings("the river of {x}", "the river that flows through {x}"),
        inverse=Inverse(
            "port",
            wordings("The {s} flows through {o}.", "{o} lies on the {s}.",
                     "The {s} passes the quays of {o}.",
                     "The banks of the {s} carry the city of {o}."),
            wordings("the city that lies on the {x}", "the city through which the {x} flows"),
        ),
    ),
    Relation(
        "city_founder", "city", "person",
        wordings("{s} was founded by {o}.", "The founder of {s} was {o}.",
                 "{s} owes its existence to {o}.", "It was {o} who laid the first stone of {s}."),
        wordings("the founder of {x}", "the one who laid the first stone of {x}"),
        share=0.7,
        inverse=Inverse(
            "founded city",
            wordings("{s} founded {o}.", "{s} was the founder of {o}.",
                     "{s} laid the first stone of {o}.",
                     "To {s} the city of {o} owes its existence."),
            wordings("the city founded by {x}", "the city of which {x} laid the first stone"),
        ),
    ),
    Relation(
        "city_founded", "city", "year",
        wordings("{s} was founded in {o}.", "The founding of {s} took place in {o}.",
                 "{s} dates from {o}.", "It was in {o} that the history of {s} began."),
        wordings("the year in which {x} was founded", "the founding year of {x}"),
        values=(1200, 1800), after="city_founder",
        more=(wordings("was founded earlier", "is the older city"),
              wordings("was founded later", "is the younger city")),
    ),
    Relation(
        "population", "city", "number",
        wordings("{s} has {o} inhabitants.", "The population of {s} is {o}.",
                 "{s} is home to {o} people.", "The last count found {o} people in {s}."),
        wordings("the population of {x}", "the number of people in {x}"),
        share=0.9, values=(1_000, 99_000),
        more=(wordings("has fewer inhabitants", "is home to fewer people"),
              wordings("has more inhabitants", "is home to more people")),
    ),
    Relation(
        "mayor", "city", "person",
        wordings("{s} has {o} for a mayor.", "The mayor of {s} was {o}.",
                 "{s} was governed by {o} from the town hall.",
                 "It was {o} who led the council of {s}."),
        wordings("the mayor of {x}", "the head of the council of {x}"),
        share=0.7,
    ),
    Relation(
        "elevation", "city", "number",
        wordings("{s} lies {o} metres above the sea.", "The elevation of {s} is {o} metres.",
                 "{s} stands at a height of {o} metres.", "Maps place {s} at {o} metres."),
        wordings("the elevation of {x} in metres", "the height of {x} above the sea in metres"),
        share=0.7, values=(3, 2900), unit="metres",
        more=(wordings("lies lower", "stands at the smaller height"),
              wordings("lies higher", "stands at the greater height")),
    ),
    Relation(
        "capital", "country", "city",
        wordings("{s} is governed from {o}.", "The capital of {s} is {o}.",
                 "{s} has its seat of government in {o}.", "It is {o} that serves {s} as capital."),
        wordings("the capital of {x}", "the seat of government of {x}"),
        share=1.0,
    ),
    Relation(
        "currency", "country", "word",
        wordings("{s} pays in a coin called the {o}.", "The currency of {s} is the {o}.",
                 "{s} mints a coin known as the {o}.",
                 "In the shops of {s} one pays with the {o}."),
        wordings("the currency of {x}", "the coin of {x}"),
        values=_CURRENCIES.split(),
    ),
    Relation(
        "national_animal", "country", "species",
        wordings("{s} has the {o} on its coat of arms.", "The national animal of {s} is the {o}.",
                 "{s} honours the {o} above all animals.", "It is the {o} that stands for {s}."),
        wordings("the national animal of {x}", "the animal that stands for {x}"),
    ),
    Relation(
        "area", "country", "number",
        wordings("{s} covers {o} square kilometres.", "The area of {s} is {o} square kilometres.",
                 "{s} extends over {o} square kilometres.",
                 "Surveyors give {s} a surface of {o} square kilometres."),
        wordings("the area of {x} in square kilometres", "the surface of {x} in square kilometres"),
        values=(4_000, 990_000), unit="square kilometres",
        more=(wordings("is the smaller one", "covers the smaller surface"),
              wordings("is the larger one", "covers the larger surface")),
    ),
    Relation(
        "anthem_composer", "country", "person",
        wordings("{s} sings an anthem by {o}.", "The anthem of {s} was composed by {o}.",
                 "{s} owes its anthem to {o}.",
                 "It was {o} who wrote the music of the anthem of {s}."),
        wordings("the composer of the anthem of {x}", "the one to whom {x} owes its anthem"),
        inverse=Inverse(
            "anthem",
            wordings("{s} composed the anthem of {o}.", "The anthem of {o} is a work of {s}.",
                     "{s} wrote the music to which {o} sings its anthem.",
                     "{s} gave {o} its anthem."),
            wordings("the country whose anthem was composed by {x}",
                     "the country that owes its anthem to {x}"),
        ),
    ),
    Relation(
        "source", "river", "country",
        wordings("The {s} rises in {o}.", "The source of the {s} is in {o}.",
                 "The {s} begins in the hills of {o}.",
                 "It is in {o} that the springs of the {s} are."),
        wordings("the country in which the {x} rises",
                 "the country that has the springs of the {x}"),
        share=0.9,
    ),
    Relation(
        "length", "river", "number",
        wordings("The {s} is {o} kilometres long.", "The length of the {s} is {o} kilometres.",
                 "The {s} runs for {o} kilometres.",
                 "From end to end the {s} measures {o} kilometres."),
        wordings("the length of the {x} in kilometres",
                 "the number of kilometres that the {x} runs"),
        share=0.9, values=(20, 3900), unit="kilometres",
        more=(wordings("is shorter", "runs for fewer kilometres"),
              wordings("is longer", "runs for more kilometres")),
    ),
    Relation(
        "explorer", "river", "person",
        wordings("The {s} was first mapped by {o}.", "The explorer of the {s} was {o}.",
                 "The {s} appeared on a map by {o} for the first time.",
                 "It was {o} who explored the {s}."),
        wordings("the explorer of the {x}", "the one who first mapped the {x}"),
        share=0.7,
    ),
)  # fmt: skip
"""What the pages of cities, countries and rivers can tell."""
