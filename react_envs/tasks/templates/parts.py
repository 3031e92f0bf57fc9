"""Fractions, ratios, percentages and mixtures."""

from __future__ import annotations

from .template import Draw, Wordings, known, template
from .words import nouns

GROUPS = ("students at a school", "members of a sports club", "visitors at a fair")
DRINKS = ("orange juice", "grape juice", "lemon syrup", "mango juice", "raspberry syrup")
BEADS = nouns("bead, marble, balloon, paper star, button, tulip, tile")
BLENDS = (
    ("almonds", "peanuts"),
    ("cashews", "raisins"),
    ("dark coffee", "mild coffee"),
    ("green tea", "black tea"),
)
COLORS = (("red", "blue"), ("green", "white"), ("yellow", "purple"), ("black", "silver"))


@template(steps=1)
def percent_of_group(d: Draw) -> Wordings:
    who, p, hundreds = d.person(), d.between(5, 95, by=5), d.between(15, 60)
    total = known(hundreds * 20)
    d.step("The ones who walk are", total * p / 100, "student")
    return Wordings(
        train=(
            f"There are {total} students at {who}'s school, and {p}% of them walk to school. "
            f"How many students walk?",
            f"{p}% of the students at the school that {who} attends come on foot. The school has "
            f"{total} students. How many of them come on foot?",
        ),
        test=(
            f"{who} reports that, out of {total} students in the whole school, {p}% go there "
            f"without a bus, a car or a bicycle. What is the number of these students?",
        ),
        aside=f"The school has {d.between(12, 40)} classrooms.",
    )


@template(steps=2)
def what_percent_rest(d: Draw) -> Wordings:
    who, group, total = d.person(), d.pick(GROUPS), d.between(100, 1200, by=100)
    p, q = d.between(11, 55), d.between(8, 40)
    rest = d.step("The share of tea drinkers is", 100 - p - q, "percent")
    d.step("Their number is", total * rest / 100, "person")
    return Wordings(
        train=(
            f"{who} asks {total} {group} what they like to drink best. {p}% say water, {q}% say "
            f"milk, and all the others say tea. How many people say tea?",
            f"Of {total} {group}, {p}% choose water and {q}% choose milk. Everybody else chooses "
            f"tea, and {who} serves it to them. How many people get tea?",
        ),
        test=(
            f"Water is the favorite drink of {p}% and milk that of {q}% of the {total} {group} "
            f"in {who}'s survey. For each of the remaining people it is tea. "
            f"How many people prefer tea?",
        ),
        aside=f"The survey took {d.between(3, 14)} days.",
    )


@template(steps=2)
def growth_in_percent(d: Draw) -> Wordings:
    who, base, p = d.person(), d.between(20, 400, by=20), d.between(5, 95, by=5)
    now = known(base * (100 + p) / 100)
    more = d.step("The club grew by", now - base, "member")
    d.step("Compared with the beginning this is", more / base * 100, "percent")
    return Wordings(
        train=(
            f"Last year {who}'s chess club had {base} members. This year it has {now}. "
            f"By what percent did the number of members grow?",
            f"The number of members in a choir led by {who} rose from {base} to {now}. "
            f"By what percent did the number increase?",
        ),
        test=(
            f"{who} counts {now} members in the hiking club, compared with {base} a year ago. "
            f"What is the growth as a percentage of the old number of members?",
        ),
        aside=f"They meet in room {d.between(12, 48)}.",
    )


@template(steps=3)
def part_of_a_part(d: Draw) -> Wordings:
    who, group, f = d.person(), d.pick(GROUPS), d.part("1/2", "1/3", "2/3", "3/4", "2/5", "3/5")
    g, scale = d.part("1/2", "1/3", "1/4", "2/3", "3/5"), d.between(2, 20)
    total = known(f.value.denominator * g.value.denominator * scale)
    sing = d.step("The singers are", total * f, "person")
    piano = d.step("The piano players are", sing * g, "person")
    d.step("Those who only sing are", sing - piano, "person")
    return Wordings(
        train=(
            f"{f} of the {total} {group} can sing well, and {g} of these singers also play the "
            f"piano. {who} needs singers who do not play the piano. "
            f"How many such singers are there?",
            f"{who} meets {total} {group}, of whom {f:part} are singers. Of these singers, {g} are "
            f"piano players too. How many of the singers do not play the piano?",
        ),
        test=(
            f"Among {total} {group}, {who} finds that {f} sing in a choir. "
            f"If {g} of the people in the choir play the piano as well, how many people sing in "
            f"the choir but do not play the piano?",
        ),
        aside=f"{who} has practiced the piano for {d.between(2, 9)} years.",
    )


@template(steps=3)
def ratio_of_colors(d: Draw) -> Wordings:
    who, item, (one, other) = d.person(), d.pick(BEADS), d.pick(COLORS)
    a, b = d.pick(((2, 3), (3, 5), (1, 4), (5, 2), (4, 3), (7, 2), (5, 4), (3, 8), (1, 2)))
    total = known((a + b) * d.between(4, 30))
    parts = d.step("The number of parts is", known(a) + b, "part")
    size = d.step("One part is", total / parts, item)
    d.step(f"The number of {other} ones is", size * b, item)
    return Wordings(
        train=(
            f"{who} has {total:{item}}, some {one} and all others {other}. The ratio of {one} to "
            f"{other} ones is {a} to {b}. How many of them are {other}?",
            f"In a box that belongs to {who}, there are {one} and {other} {item.many} in the ratio "
            f"{a}:{b}. The box holds {total} in all. How many {other} ones does it hold?",
        ),
        test=(
            f"For every {a} {one} {item.many} that {who} owns, there are {b} {other} ones, and "
            f"there are no other colors. With {total:{item}} altogether, "
            f"how many {other} ones does {who} own?",
        ),
        aside=f"{who} bought them {d.between(2, 11)} months ago.",
    )


@template(steps=4)
def up_and_down(d: Draw) -> Wordings:
    who, people, p, q = d.person(), d.between(4, 40), d.between(5, 45, by=5), d.between(5, 40, by=5)
    start = known(people * 400)
    up = d.step("The rise is", start * p / 100, "visitor")
    high = d.step("After the rise it is", start + up, "visitor")
    down = d.step("The fall is", high * q / 100, "visitor")
    d.step("After the fall it is", high - down, "visitor")
    return Wordings(
        train=(
            f"{who}'s museum had {start} visitors in its first year. In the next year the number "
            f"went up by {p}%, and in the year after that it went down by {q}% compared with the "
            f"year before. How many visitors came in that last year?",
            f"A museum run by {who} sees the number of its visitors, {start} at first, grow by "
            f"{p}% in one year and then drop by {q}% of the new number in the following year. "
            f"How many visitors does it have after both changes?",
        ),
        test=(
            f"First plus {p}%, then minus {q}%, each time measured from the year before: so "
            f"{who} describes two years in the museum. Before that there were {start} visitors a "
            f"year. What is the yearly number of visitors after the two changes?",
        ),
        aside=f"The museum has {d.between(6, 30)} rooms.",
    )


@template(steps=5)
def juice_mixture(d: Draw) -> Wordings:
    who, drink, a, b = d.person(), d.pick(DRINKS), d.between(2, 9), d.between(2, 8)
    mean, m = d.between(30, 55), d.between(1, 3)
    strong, weak = known(mean + m * b), known(mean - m * a)
    first = d.step("The sweet drink brings", a * strong / 100, f"liter of {drink}")
    second = d.step("The light drink brings", b * weak / 100, f"liter of {drink}")
    pure = d.step("Together this is", first + second, f"liter of {drink}")
    whole = d.step("The mixture has", a + b, "liter")
    d.step("The share is", pure / whole * 100, "percent")
    return Wordings(
        train=(
            f"{who} mixes {a} liters of a drink with {strong}% {drink} and {b} liters of a drink "
            f"with {weak}% {drink}. What percent of the mixture is {drink}?",
            f"Two drinks are poured into one bowl by {who}: {b} liters that contain {weak}% "
            f"{drink} and {a} liters that contain {strong}% {drink}. "
            f"What percent of the contents of the bowl is {drink}?",
        ),
        test=(
            f"{who} adds {b} liters of a light drink, {weak}% of which is {drink}, to {a} liters "
            f"of a sweet drink, {strong}% of which is {drink}. "
            f"What is the percentage of {drink} in the result?",
        ),
        aside=f"The drinks are cooled to {d.between(4, 12)} degrees.",
    )


@template(steps=5)
def blended_price(d: Draw) -> Wordings:
    who, (fine, plain) = d.person(), d.pick(BLENDS)
    a, b, mean, m = d.between(2, 12), d.between(2, 12), d.between(12, 24), d.between(1, 3)
    high, low = known(mean + m * b / 4), known(mean - m * a / 4)
    first = d.step(f"For the {fine} {who} pays", a * high, "$")
    second = d.step(f"For the {plain} {who} pays", b * low, "$")
    cost = d.step("Together they cost", first + second, "$")
    weight = d.step("The blend weighs", a + b, "kilogram")
    d.step("A kilogram of it costs", cost / weight, "$")
    return Wordings(
        train=(
            f"{who} mixes {a} kilograms of {fine} at {high:$} a kilogram with {b} kilograms of "
            f"{plain} at {low:$} a kilogram. What does one kilogram of the mixture cost?",
            f"A kilogram of {plain} costs {low:$}, and a kilogram of {fine} costs {high:$}. For a "
            f"blend {who} takes {b} kilograms of the first and {a} kilograms of the second. "
            f"How many dollars is a kilogram of this blend worth?",
        ),
        test=(
            f"Into one sack {who} puts {b} kilograms of {plain}, bought for {low:$} per kilogram, "
            f"and {a} kilograms of {fine}, bought for {high:$} per kilogram. "
            f"How much did the contents of the sack cost per kilogram?",
        ),
        aside=f"{who} opened the shop {d.between(2, 12)} years ago.",
    )


@template(steps=5)
def evening_at_the_theater(d: Draw) -> Wordings:
    who, rows, size = d.person(), d.between(8, 24, by=4), d.between(10, 30, by=10)
    p, f, price = d.pick((20, 40, 50, 60)), d.part("1/2", "3/4", "1/4"), d.cents(600, 1900, by=50)
    seats = d.step("The theater has", rows * size, "seat")
    guests = d.step("The invited guests take", seats * p / 100, "seat")
    others = d.step("There remain", seats - guests, "seat")
    sold = d.step("The seats that are sold are", others * f, "seat")
    d.step("They bring in", sold * price, "$")
    return Wordings(
        train=(
            f"{who} runs a theater with {rows} rows of {size} seats. For tonight, {p}% of the "
            f"seats are given free to invited guests, and {f} of the remaining seats are sold at "
            f"{price:$} each. How much money comes in?",
            f"A theater has {rows} rows with {size} seats in each. {who} keeps {p}% of all seats "
            f"for guests who pay nothing. Of the other seats, {f:part} are sold at {price:$} a "
            f"ticket and the rest stay empty. How many dollars do the tickets bring in?",
        ),
        test=(
            f"Tickets for {who}'s play cost {price:$}. There are {rows} rows of {size} seats in "
            f"the hall. People from the press sit on {p}% of the seats without paying, and buyers "
            f"of tickets sit on {f} of those that are left. What is the income from the tickets?",
        ),
        aside=f"The play lasts {d.between(75, 150, by=5)} minutes.",
    )
