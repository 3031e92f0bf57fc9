"""Ages, scores, averages and other numbers about people."""

from __future__ import annotations

from .template import Draw, Wordings, known, template

OLDER = ("aunt", "uncle", "teacher", "coach", "dentist")
SUBJECTS = ("math", "history", "biology", "spelling", "geography")


@template(steps=1)
def score_of_the_partner(d: Draw) -> Wordings:
    a, b, one, other = d.person(), d.person(), d.between(21, 140), d.between(21, 140)
    total = known(one + other)
    d.step(f"{b} scored", total - one, "point")
    return Wordings(
        train=(
            f"{a} and {b} are a team in a quiz and score {total} points together. {one} of these "
            f"points come from {a} and the others from {b}. How many points does {b} score?",
            f"In a quiz {a} answers well and gets {one} points. When the points of {b} are added, "
            f"the team of the two has {total}. How many points does {b} get?",
        ),
        test=(
            f"The scores of {a} and {b} in a quiz add up to {total} points. "
            f"If {a} has {one} points, what is the score of {b}?",
        ),
        aside=f"The quiz has {d.between(5, 12)} rounds.",
    )


@template(steps=2)
def older_in_some_years(d: Draw) -> Wordings:
    who, older, age = d.person(), d.pick(OLDER), d.between(8, 14)
    times, years = d.between(3, 4), d.between(2, 12)
    now = d.step(f"Now the {older} is as old as", age * times, "year")
    d.step(f"In {years} years this will be", now + years, "year")
    return Wordings(
        train=(
            f"{who} is {age} years old, and {who.his} {older} is {times:times} as old. "
            f"How old will the {older} be in {years} years?",
            f"At the moment {who} is {age}, and {who.his} {older} is {times:times} that age. "
            f"What will be the age of the {older} in {years} years?",
        ),
        test=(
            f"Today the {older} of {who} is {times:times} as old as {who}, who is {age}. "
            f"After another {years} years, how old will the {older} be?",
        ),
        aside=f"{who} has lived in the same town for {d.between(3, 8)} years.",
    )


@template(steps=2)
def mean_temperature(d: Draw) -> Wordings:
    who, base = d.person(), d.between(9, 26)
    a, b, c, e, f = (known(base + d.between(0, 9)) for _ in range(5))
    total = d.step("The sum of the temperatures is", a + b + c + e + f, "degree")
    d.step("The average is", total / 5, "degree")
    return Wordings(
        train=(
            f"On 5 days {who} measures the temperature at noon: {a}, {b}, {c}, {e} and {f} "
            f"degrees. What is the average temperature in degrees?",
            f"From Monday to Friday {who} reads {a}, {b}, {c}, {e} and {f} degrees on the "
            f"thermometer, one number a day. How many degrees is the average of these numbers?",
        ),
        test=(
            f"{who}'s weather diary says {a} degrees for Monday, {b} for Tuesday, {c} for "
            f"Wednesday, {e} for Thursday and {f} for Friday. "
            f"What is the mean of these temperatures in degrees?",
        ),
        aside=f"The thermometer is {d.between(2, 12)} years old.",
    )


@template(steps=3)
def sum_and_difference(d: Draw) -> Wordings:
    a, b, young, more = d.person(), d.person(), d.between(7, 40), d.between(2, 19)
    total = known(2 * young + more)
    double = d.step(f"Twice the age of {b} is", total - more, "year")
    age = d.step(f"The age of {b} is", double / 2, "year")
    d.step(f"The age of {a} is", age + more, "year")
    return Wordings(
        train=(
            f"{a} and {b} are {total} years old together. {a} is {more} years older than {b}. "
            f"How old is {a}?",
            f"If you add the ages of {a} and {b}, you get {total}. {b} is {more} years younger "
            f"than {a}. What is {a}'s age?",
        ),
        test=(
            f"There are {more} years between {a}, the older one, and {b}, the younger one. The sum "
            f"of their ages is {total}. How many years old is {a}?",
        ),
        aside=f"They have been neighbors for {d.between(2, 6)} years.",
    )


@template(steps=3)
def years_until_multiple(d: Draw) -> Wordings:
    who, times = d.person(), d.between(3, 4)
    then = d.between(12, 16) if int(times) == 3 else d.between(8, 11)
    child, parent = d.between(2, then - 2), d.pick(("mother", "father"))
    gap = (times - 1) * then
    old = known(child + gap)
    apart = d.step("The difference of their ages is always", old - child, "year")
    age = d.step(f"When the time comes, {who} is as old as", apart / (times - 1), "year")
    d.step("Until then it takes", age - child, "year")
    return Wordings(
        train=(
            f"{who} is {child} years old, and {who.his} {parent} is {old}. "
            f"In how many years will the {parent} be exactly {times:times} as old as {who}?",
            f"{who}'s {parent} is {old} years old now, while {who} is {child}. One day the "
            f"{parent} will be {times:times} as old as {who}. "
            f"In how many years will that be the case?",
        ),
        test=(
            f"At present {who} is {child} and {who.his} {parent} is {old} years old. {who} waits "
            f"for the day when the {parent} will be {times:times} {who.his} own age. "
            f"How many years must {who} wait?",
        ),
        aside=f"{who} has {d.between(2, 6)} cousins.",
    )


@template(steps=3)
def score_needed(d: Draw) -> Wordings:
    who, subject, goal = d.person(), d.pick(SUBJECTS), d.between(70, 88)
    a, b, c = (known(goal + d.between(0, 10) - 4) for _ in range(3))
    need = d.step("The 4 tests together need", 4 * goal, "point")
    have = d.step(f"The 3 tests so far give {who}", a + b + c, "point")
    d.step("The last test must bring", need - have, "point")
    return Wordings(
        train=(
            f"{who} scored {a}, {b} and {c} points in 3 {subject} tests. How many points does "
            f"{who.he} need in the 4th test for an average of {goal} in the 4 tests?",
            f"There are 4 {subject} tests this term, and {who} wants to average {goal} points. So "
            f"far {who.he} has {a}, {b} and {c} points. "
            f"How many points must the last test bring?",
        ),
        test=(
            f"{who}'s first 3 scores in {subject} are {a}, {b} and {c} points. "
            f"To reach a mean of {goal} points over 4 tests, what score does {who} need in the "
            f"last one?",
        ),
        aside=f"Each test takes {d.between(30, 60, by=5)} minutes.",
    )


@template(steps=3)
def without_the_lowest(d: Draw) -> Wordings:
    who, subject, n, mean = d.person(), d.pick(SUBJECTS), d.between(4, 8), d.between(68, 88)
    gain = d.between(1, 3)
    low, rest = known(mean - (n - 1) * gain), known(n - 1)
    total = d.step(f"All {n} tests together have", n * mean, "point")
    kept = d.step("Without the lowest one it is", total - low, "point")
    d.step("The average of the others is", kept / rest, "point")
    return Wordings(
        train=(
            f"In {n} {subject} tests {who} has an average of {mean} points. The lowest score, "
            f"{low} points, is dropped. What is the average of the other tests?",
            f"{who}'s teacher leaves out the worst of {n} {subject} tests. With all of them the "
            f"average was {mean} points, and the worst one had {low} points. "
            f"What is {who}'s average in the remaining tests?",
        ),
        test=(
            f"The mean of {who}'s {n} scores in {subject} is {mean}. "
            f"When the smallest of these scores, which is {low}, no longer counts, "
            f"what is the mean of the scores that still count?",
        ),
        aside=f"There are {d.between(18, 32)} students in the course.",
    )


@template(steps=3)
def savings_race(d: Draw) -> Wordings:
    a, b, slow, faster = d.person(), d.person(), d.between(3, 15), d.between(2, 9)
    weeks, behind = d.between(4, 20), d.between(10, 60)
    ahead, fast = known(behind + weeks * faster), known(slow + faster)
    gap = d.step(f"{a} is ahead by", ahead - behind, "$")
    closing = d.step(f"Each week {b} gains", fast - slow, "$")
    d.step("They have the same after", gap / closing, "week")
    return Wordings(
        train=(
            f"{a} has {ahead:$} and saves {slow:$} every week. {b} has {behind:$} and saves "
            f"{fast:$} every week. After how many weeks do both have the same amount?",
            f"{b} starts to save with {behind:$} and adds {fast:$} a week. At the same time {a} "
            f"starts with {ahead:$} and adds {slow:$} a week. "
            f"How many weeks does it take until {b} has as much as {a}?",
        ),
        test=(
            f"In the piggy banks of {a} and {b} there are {ahead:$} and {behind:$}. Every week "
            f"{b} puts in {fast:$}, but {a} only {slow:$}. "
            f"In how many weeks are the two amounts equal?",
        ),
        aside=f"{a} and {b} are both {d.between(8, 14)} years old.",
    )


@template(steps=4)
def four_ages(d: Draw) -> Wordings:
    a, b, c, e = (d.person() for _ in range(4))
    age, times = d.between(6, 18), d.between(2, 4)
    fewer = d.between(2, age - 2)
    fewer = known(fewer + int(age + age * times - fewer) % 2)
    second = d.step(f"{b} is as old as", age * times, "year")
    third = d.step(f"{c} is as old as", second - fewer, "year")
    fourth = d.step(f"{e} is as old as", (age + third) / 2, "year")
    d.step("The sum of the four ages is", age + second + third + fourth, "year")
    return Wordings(
        train=(
            f"{a} is {age} years old. {b} is {times:times} as old as {a}, and {c} is {fewer} years "
            f"younger than {b}. The age of {e} is exactly the average of the ages of {a} and {c}. "
            f"What is the sum of the ages of all four?",
            f"{e} is as much older than {a} as {c} is older than {e}. {c} is {fewer} years younger "
            f"than {b}, who is {times:times} as old as {a}. {a} is {age} years old. "
            f"How many years old are the four people together?",
        ),
        test=(
            f"Take {a}'s age, which is {age}, {times:times}, and you have {b}'s age. {c} was born "
            f"{fewer} years after {b}. {e}'s age lies just in the middle between {a}'s and {c}'s. "
            f"What do you get when you add the ages of the four?",
        ),
        aside=f"They sing in a choir of {d.between(20, 60)} people.",
    )
