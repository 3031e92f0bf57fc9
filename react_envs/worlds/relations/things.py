"""Organisations, works, events, species and awards."""

from __future__ import annotations

from react_envs.worlds.relation import Inverse, Kind, Relation, wordings

__all__ = ["THINGS", "THING_RELATIONS"]

ORGANISATION = Kind(
    name="organisation",
    share=0.12,
    leads=wordings(
        "The {t}{aka} is an organisation.", "The {t}{aka} is known far beyond its home.",
        "The {t}{aka} is a respected organisation.", "Newspapers often write about the {t}{aka}.",
    ),
    pronoun="It",
    fillers=wordings(
        "The seal of the {s} was stolen in {y}.", "The archive of the {s} fills {n} shelves.",
        "The {s} owns {n} clocks.", "A strike at the {s} in {y} lasted a day.",
        "A letter to the {s} from {y} was never opened.",
        "The {s} serves {n} kinds of soup.", "The door of the {s} is painted blue.",
        "The choir of the {s} has {n} voices.", "A spy was found in the {s} in {y}.",
        "The {s} repaints its stairs every {n} days.",
        "The {s} changed its seal in {y}.", "The garden of the {s} has {n} trees.",
    ),
    who=wordings("Which organisation is {np}?", "What is {np}?",
                 "Name {np}.", "Which organisation do these words describe: {np}?"),
    that="that organisation",
)  # fmt: skip

WORK = Kind(
    name="work",
    share=0.14,
    leads=wordings(
        "{t}{aka} is a book.", "The book {t}{aka} has been read for generations.",
        "{t}{aka} is a widely read book.", "Libraries keep {t}{aka} among their older books.",
    ),
    pronoun="It",
    fillers=wordings(
        "The first edition of {s} had {n} misprints.", "A copy of {s} was sold in {y}.",
        "{s} has {n} chapters.", "Critics called {s} too long.",
        "A reader of {s} wrote {n} letters of complaint.",
        "A play after {s} failed in {y}.", "{s} was read aloud for {n} evenings.",
        "The cover of {s} shows {n} ships.", "A forged copy of {s} turned up in {y}.",
        "A puppet show of {y} borrowed its jokes from {s}.",
        "{s} contains {n} recipes.", "A reprint of {s} in {y} was burnt.",
    ),
    who=wordings("Which book is {np}?", "What is {np}?", "Name {np}.",
                 "Which book do these words describe: {np}?"),
    that="that book",
)  # fmt: skip

EVENT = Kind(
    name="event",
    share=0.08,
    leads=wordings(
        "The {t}{aka} was an event of some weight.", "The {t}{aka} is taught in schools.",
        "The {t}{aka} was much talked about.", "Chronicles mention the {t}{aka}.",
    ),
    pronoun="It",
    fillers=wordings(
        "It rained for {n} days before the {s}.", "A song about the {s} was printed in {y}.",
        "The {s} frightened {n} horses.", "A medal for the {s} was struck in {y}.",
        "A painting of {y} shows the {s} in the wrong season.",
        "The {s} used up {n} candles.",
        "Painters have shown the {s} {n} times.", "A tower in memory of the {s} fell in {y}.",
        "The {s} cost {n} barrels of beer.", "Letters about the {s} were found in {y}.",
        "Of the {s} there are {n} ballads.",
        "A toy of {y} recalls the {s}.",
    ),
    who=wordings("Which event is {np}?", "What is {np}?", "Name {np}.",
                 "Which event do these words describe: {np}?"),
    that="that event",
)  # fmt: skip

SPECIES = Kind(
    name="species",
    share=0.05,
    leads=wordings(
        "The {t}{aka} is an animal.", "The {t}{aka} is an animal of quiet habits.",
        "The {t}{aka} is a shy animal.", "Hunters know the {t}{aka} as an animal hard to find.",
    ),
    pronoun="It",
    fillers=wordings(
        "The {s} sleeps {n} hours a day.", "A tame {s} was shown at a fair in {y}.",
        "The {s} has {n} stripes.", "The {s} is afraid of bells.",
        "The {s} was drawn wrongly in an atlas of {y}.",
        "The {s} can go without water for {n} days.",
        "Young of the {s} are blind for {n} days.", "A {s} was last kept in a zoo in {y}.",
        "The {s} can jump over {n} stones.", "A coin of {y} shows the {s}.",
        "The {s} has {n} teeth.",
        "The call of the {s} was recorded in {y}.",
    ),
    who=wordings("Which animal is {np}?", "What is {np}?", "Name {np}.",
                 "Which animal do these words describe: {np}?"),
    that="that animal",
)  # fmt: skip

AWARD = Kind(
    name="award",
    share=0.03,
    leads=wordings(
        "The {t}{aka} is an award.", "The {t}{aka} is an award of high standing.",
        "The {t}{aka} is a coveted award.", "Many have hoped in vain for the {t}{aka}.",
    ),
    pronoun="It",
    fillers=wordings(
        "The ribbon of the {s} is green.", "The box of the {s} weighs {n} grams.",
        "A cast of the {s} was lost in {y}.", "Speeches at the {s} last {n} minutes.",
        "The {s} was delivered to the wrong house in {y}.",
        "The {s} comes with {n} bottles of wine.",
        "The {s} is carried in by {n} children.", "A thief returned the {s} in {y}.",
        "The dinner of the {s} has {n} courses.", "The hall of the {s} burnt down in {y}.",
        "The {s} was melted and recast in {y}.",
        "Copies of the {s} cost {n} coins.",
    ),
    who=wordings("Which award is {np}?", "What is {np}?", "Name {np}.",
                 "Which award do these words describe: {np}?"),
    that="that award",
)  # fmt: skip

THINGS = (ORGANISATION, WORK, EVENT, SPECIES, AWARD)

_GENRES = (
    "comedy satire travelogue tragedy romance fable chronicle thriller pastoral allegory "
    "farce epic memoir herbal"
)

THING_RELATIONS = (
    Relation(
        "headquarters", "organisation", "city",
        wordings("The {s} is based in {o}.", "The headquarters of the {s} are in {o}.",
                 "The {s} works out of {o}.", "It is in {o} that the {s} has its offices."),
        wordings("the city in which the {x} is based", "the city that has the offices of the {x}"),
        share=0.9,
        inverse=Inverse(
            "seat of",
            wordings("{s} is home to the {o}.", "The {o} is based in {s}.",
                     "{s} has the offices of the {o}.", "The {o} works out of {s}."),
            wordings("the organisation based in {x}",
                     "the organisation that has its offices in {x}"),
        ),
    ),
    Relation(
        "org_founder", "organisation", "person",
        wordings("The {s} was established by {o}.", "The founder of the {s} was {o}.",
                 "The {s} was called into being by {o}.", "It was {o} who set up the {s}."),
        wordings("the founder of the {x}", "the one who set up the {x}"),
        inverse=Inverse(
            "established",
            wordings("{s} established the {o}.", "{s} was the founder of the {o}.",
                     "{s} set up the {o}.", "{s} called the {o} into being."),
            wordings("the organisation established by {x}", "the organisation that {x} set up"),
        ),
    ),
    Relation(
        "org_founded", "organisation", "year",
        wordings("The {s} was established in {o}.", "The {s} opened its doors in {o}.",
                 "The {s} has existed since {o}.", "It was in {o} that the {s} was set up."),
        wordings("the year in which the {x} was established",
                 "the year since which the {x} has existed"),
        values=(1500, 1950), after="org_founder",
        more=(wordings("was established earlier", "has existed for longer"),
              wordings("was established later", "has existed for less time")),
    ),
    Relation(
        "director", "organisation", "person",
        wordings("The {s} is led by {o}.", "The director of the {s} was {o}.",
                 "The {s} had {o} at its head.", "It was {o} who ran the {s}."),
        wordings("the director of the {x}", "the one who ran the {x}"),
        share=0.8,
    ),
    Relation(
        "parent_organisation", "organisation", "organisation",
        wordings("The {s} belongs to the {o}.", "The parent organisation of the {s} is the {o}.",
                 "The {s} is a branch of the {o}.", "It is the {o} that owns the {s}."),
        wordings("the parent organisation of the {x}", "the organisation that owns the {x}"),
        share=0.5,
    ),
    Relation(
        "staff", "organisation", "number",
        wordings("The {s} employs {o} people.", "The staff of the {s} numbers {o}.",
                 "The {s} pays wages to {o} people.", "On the payroll of the {s} are {o} people."),
        wordings("the number of people on the staff of the {x}",
                 "the number of people on the payroll of the {x}"),
        share=0.7, values=(12, 9_900),
        more=(wordings("employs fewer people", "has the smaller payroll"),
              wordings("employs more people", "has the larger payroll")),
    ),
    Relation(
        "author", "work", "person",
        wordings("{s} was written by {o}.", "The author of {s} is {o}.",
                 "{s} came from the pen of {o}.", "It was {o} who wrote {s}."),
        wordings("the author of {x}", "the one who wrote {x}"),
        share=0.95,
        inverse=Inverse(
            "wrote",
            wordings("{s} wrote {o}.", "{s} is the author of {o}.",
                     "From the pen of {s} came {o}.", "{s} put years of work into the book {o}."),
            wordings("the book written by {x}", "the book from the pen of {x}"),
        ),
    ),
    Relation(
        "published", "work", "year",
        wordings("{s} was published in {o}.", "The first edition of {s} is from {o}.",
                 "{s} came out in {o}.", "Readers could first buy {s} in {o}."),
        wordings("the year in which {x} was published", "the year in which {x} came out"),
        share=0.9, values=(1500, 1950), after="author",
        more=(wordings("was published earlier", "came out first"),
              wordings("was published later", "came out last")),
    ),
    Relation(
        "genre", "work", "word",
        wordings("{s} is read as a {o}.", "The genre of {s} is the {o}.",
                 "{s} is counted as a {o}.", "Booksellers place {s} under the label {o}."),
        wordings("the genre of {x}", "the label under which booksellers place {x}"),
        share=0.6, values=_GENRES.split(),
    ),
    Relation(
        "setting", "work", "city",
        wordings("{s} is set in {o}.", "The setting of {s} is {o}.",
                 "{s} tells of life in {o}.", "It is in {o} that the story of {s} takes place."),
        wordings("the city in which {x} is set", "the city in which the story of {x} takes place"),
        share=0.7,
        inverse=Inverse(
            "scene of",
            wordings("{s} is the setting of {o}.", "The book {o} is set in {s}.",
                     "{s} is where the story of {o} takes place.", "Life in {s} is told in {o}."),
            wordings("the book set in {x}", "the book whose story takes place in {x}"),
        ),
    ),
    Relation(
        "publisher", "work", "organisation",
        wordings("{s} was printed by the {o}.", "The publisher of {s} was the {o}.",
                 "{s} was brought out by the {o}.", "It was the {o} that printed {s}."),
        wordings("the publisher of {x}", "the organisation that printed {x}"),
        share=0.7,
    ),
    Relation(
        "topic", "work", "event",
        wordings("{s} is about the {o}.", "The subject of {s} is the {o}.",
                 "{s} deals with the {o}.", "It is the {o} that {s} describes."),
        wordings("the event that {x} is about", "the event that {x} describes"),
        share=0.5,
    ),
    Relation(
        "dedicatee", "work", "person",
        wordings("{s} is dedicated to {o}.", "The dedication of {s} names {o}.",
                 "{s} opens with a poem for {o}.", "It is {o} whom the first page of {s} honours."),
        wordings("the person to whom {x} is dedicated",
                 "the one whom the first page of {x} honours"),
        share=0.5,
    ),
    Relation(
        "location", "event", "city",
        wordings("The {s} took place in {o}.", "The location of the {s} was {o}.",
                 "The {s} was held in {o}.", "It was in {o} that the {s} happened."),
        wordings("the city in which the {x} took place", "the city in which the {x} happened"),
        share=0.95,
        inverse=Inverse(
            "site of",
            wordings("{s} saw the {o}.", "The {o} took place in {s}.",
                     "{s} was the scene of the {o}.", "The {o} happened in {s}."),
            wordings("the event that took place in {x}", "the event of which {x} was the scene"),
        ),
    ),
    Relation(
        "event_year", "event", "year",
        wordings("The {s} took place in the year {o}.", "The year of the {s} was {o}.",
                 "The {s} belongs to the year {o}.", "It was in {o} that people saw the {s}."),
        wordings("the year in which the {x} took place", "the year of the {x}"),
        share=0.9, values=(1500, 1950),
        more=(wordings("took place earlier", "happened first"),
              wordings("took place later", "happened last")),
    ),
    Relation(
        "leader", "event", "person",
        wordings("The {s} was led by {o}.", "The leader of the {s} was {o}.",
                 "The {s} followed the plans of {o}.", "It was {o} who had command of the {s}."),
        wordings("the leader of the {x}", "the one who had command of the {x}"),
        share=0.8,
    ),
    Relation(
        "sponsor", "event", "organisation",
        wordings("The {s} was paid for by the {o}.", "The sponsor of the {s} was the {o}.",
                 "The {s} lived on money of the {o}.", "It was the {o} that paid for the {s}."),
        wordings("the sponsor of the {x}", "the organisation that paid for the {x}"),
        share=0.6,
    ),
    Relation(
        "discoverer", "species", "person",
        wordings("The {s} was discovered by {o}.", "The discoverer of the {s} was {o}.",
                 "The {s} was first seen by {o}.", "It was {o} who first described the {s}."),
        wordings("the discoverer of the {x}", "the one who first described the {x}"),
        share=0.9,
        inverse=Inverse(
            "discovered",
            wordings("{s} discovered the {o}.", "{s} is the discoverer of the {o}.",
                     "{s} was the first to describe the {o}.", "{s} was the first to see the {o}."),
            wordings("the animal discovered by {x}", "the animal that {x} first described"),
        ),
    ),
    Relation(
        "discovery_year", "species", "year",
        wordings("The {s} was discovered in {o}.", "The discovery of the {s} dates from {o}.",
                 "The {s} has been known since {o}.",
                 "It was in {o} that the {s} was first described."),
        wordings("the year in which the {x} was discovered",
                 "the year since which the {x} has been known"),
        values=(1500, 1950), after="discoverer",
        more=(wordings("was discovered earlier", "has been known for longer"),
              wordings("was discovered later", "has been known for less time")),
    ),
    Relation(
        "habitat", "species", "country",
        wordings("The {s} lives in {o} only.", "The habitat of the {s} is {o}.",
                 "The {s} is at home in {o}.", "It is in {o} that the {s} is found."),
        wordings("the country in which the {x} lives", "the country in which the {x} is found"),
    ),
    Relation(
        "award_founder", "award", "person",
        wordings("The {s} was endowed by {o}.", "The founder of the {s} was {o}.",
                 "The {s} goes back to a gift of {o}.",
                 "It was {o} who gave the money for the {s}."),
        wordings("the founder of the {x}", "the one who gave the money for the {x}"),
        share=0.9,
        inverse=Inverse(
            "endowed",
            wordings("{s} endowed the {o}.", "{s} is the founder of the {o}.",
                     "{s} gave the money for the {o}.", "To a gift of {s} the {o} goes back."),
            wordings("the award endowed by {x}", "the award that goes back to a gift of {x}"),
        ),
    ),
    Relation(
        "award_year", "award", "year",
        wordings("The {s} was first given in {o}.", "The first {s} was given in {o}.",
                 "The {s} has been handed out since {o}.", "It was in {o} that the {s} was new."),
        wordings("the year in which the {x} was first given",
                 "the year since which the {x} has been handed out"),
        share=0.9, values=(1500, 1950), after="award_founder",
        more=(wordings("was first given earlier", "has been handed out for longer"),
              wordings("was first given later", "has been handed out for less time")),
    ),
    Relation(
        "presenter", "award", "organisation",
        wordings("The {s} is presented by the {o}.", "The presenter of the {s} is the {o}.",
                 "The {s} is in the gift of the {o}.", "It is the {o} that hands out the {s}."),
        wordings("the presenter of the {x}", "the organisation that hands out the {x}"),
        share=0.9,
    ),
)  # fmt: skip
"""What the pages of organisations, works, events, species and awards can tell."""
