"""Things that are packed, shared, given away, compared or counted back to the beginning."""

from __future__ import annotations

from .template import Draw, Wordings, known, template
from .words import nouns

COLLECTED = nouns("marble, stamp, shell, sticker, postcard, button, bead, badge, trading card")
PACKED = nouns("orange, tomato, egg, light bulb, bar of soap, tulip bulb, jar of honey, mug")
BAKED = nouns("loaf of bread, bun, bagel, roll, pretzel, croissant")
TREATS = nouns("cookie, strawberry, cherry, grape, peanut, candy")
FARM_BIRDS = nouns("hen, duck, goose, turkey")
FARM_BEASTS = nouns("goat, cow, sheep, horse")
FOUND = nouns("shell, feather, smooth stone, piece of sea glass")
PLAYED = ("basketball game", "school tournament", "league match", "final")


@template(steps=1)
def packing_boxes(d: Draw) -> Wordings:
    who, item, size, boxes = d.person(), d.pick(PACKED), d.between(4, 24), d.between(6, 60)
    total = known(size * boxes)
    d.step(f"{who} fills", total / size, "box")
    return Wordings(
        train=(
            f"{who} packs {total:{item}} into boxes. Each box holds {size} of them. "
            f"How many boxes does {who.he} fill?",
            f"A box has room for {size:{item}}. How many full boxes can {who} make out of "
            f"{total:{item}}?",
        ),
        test=(
            f"There are {total:{item}} on the table. {who} puts them all into boxes, always "
            f"{size} to a box. What number of boxes does {who} need?",
        ),
        aside=f"A truck comes in {d.between(2, 6)} hours.",
    )


@template(steps=1)
def left_in_collection(d: Draw) -> Wordings:
    who, friend, item = d.person(), d.person(), d.pick(COLLECTED)
    have, give = d.between(60, 400), d.between(11, 55)
    d.step(f"{who} keeps", have - give, item)
    return Wordings(
        train=(
            f"{who} has {have:{item}} and gives {give} of them to {friend}. "
            f"How many {item.many} does {who} still have?",
            f"{friend} gets {give:{item}} from {who}, who had {have:{item}} before. "
            f"How many {item.many} are left for {who}?",
        ),
        test=(
            f"From a collection of {have:{item}}, {who} makes {friend} a present of {give}. "
            f"What is the number of {item.many} that {who} keeps?",
        ),
        aside=f"{who} and {friend} have known each other for {d.between(2, 9)} years.",
    )


@template(steps=2)
def share_after_keeping(d: Draw) -> Wordings:
    who, item, friends, each = d.person(), d.pick(COLLECTED), d.between(3, 9), d.between(4, 18)
    keep = d.between(5, 40)
    total = known(keep + friends * each)
    rest = d.step(f"{who} gives away", total - keep, item)
    d.step("Each friend gets", rest / friends, item)
    return Wordings(
        train=(
            f"{who} has {total:{item}}. {who.He} keeps {keep} and shares the others equally among "
            f"{friends:friend}. How many {item.many} does each friend get?",
            f"Of {who.his} {total:{item}}, {who} wants to keep {keep}. The rest goes in equal "
            f"parts to {friends:friend}. How many does every friend receive?",
        ),
        test=(
            f"All but {keep} of {who}'s {total:{item}} are handed out to {friends:friend}, "
            f"the same number to each one. How many {item.many} are there for every friend?",
        ),
        aside=f"{who} started to collect {item.many} {d.between(2, 8)} years ago.",
    )


@template(steps=2)
def half_and_some_more(d: Draw) -> Wordings:
    who, friend, item = d.person(), d.person(), d.pick(COLLECTED)
    more, left = d.between(3, 30), d.between(4, 50)
    half = d.step(f"Before the gift to {friend} there were", left + more, item)
    d.step(f"At first {who} had", half * 2, item)
    return Wordings(
        train=(
            f"{who} gives half of {who.his} {item.many} to {who.his} cousin and then {more} more "
            f"to {friend}. Now {who} has {left} left. "
            f"How many {item.many} did {who} have at first?",
            f"After selling half of {who.his} {item.many} and then giving {friend} another "
            f"{more}, {who} has {left:{item}} left. "
            f"How many {item.many} were there in the beginning?",
        ),
        test=(
            f"{who} now owns {left:{item}}. Yesterday {who} gave {more} to {friend}, and the day "
            f"before {who} had lost exactly half of the whole collection. "
            f"How large was the collection before the loss?",
        ),
        aside=f"{friend} is {d.between(8, 13)} years old.",
    )


@template(steps=3)
def comparison_of_three(d: Draw) -> Wordings:
    a, b, c, item = d.person(), d.person(), d.person(), d.pick(COLLECTED)
    n, times, more = d.between(8, 60), d.between(2, 4), d.between(3, 20)
    fewer = d.between(2, 15)
    second = d.step(f"{b} has", n * times + more, item)
    third = d.step(f"{c} has", second - fewer, item)
    d.step("All three have", n + second + third, item)
    return Wordings(
        train=(
            f"{a} has {n:{item}}. {b} has {more} more than {times:times} as many as {a}. {c} has "
            f"{fewer} fewer than {b}. How many {item.many} do the three have altogether?",
            f"{a}, {b} and {c} collect {item.many}. {a} owns {n}. If you take {times:times} that "
            f"number and add {more}, you get what {b} owns, and {c} owns {fewer} fewer than {b}. "
            f"How many {item.many} do they own together?",
        ),
        test=(
            f"{c}'s collection of {item.many} is smaller than {b}'s by {fewer}. {b}'s collection "
            f"is {times:times} as large as {a}'s, plus another {more}. {a} has {n:{item}}. "
            f"What is the total of the three collections?",
        ),
        aside=f"They meet {d.between(2, 4)} times a month.",
    )


@template(steps=3)
def bakery_backwards(d: Draw) -> Wordings:
    who, item = d.person(), d.pick(BAKED)
    sold, left = d.between(6, 40), d.between(20, 90)
    new = d.between(5, left - 8)
    before = d.step("Before the new ones came there were", left - new, item)
    half = d.step("After the morning there were", before + sold, item)
    d.step("At the opening there were", half * 2, item)
    return Wordings(
        train=(
            f"{who} sells half of the {item.many} in the bakery in the morning and {sold} more at "
            f"noon. In the afternoon {who.he} bakes {new} new ones, and then there are {left}. "
            f"How many {item.many} were there when the bakery opened?",
            f"At the end of the day {who} counts {left:{item}} in the shop. {new} of them came "
            f"fresh from the oven in the evening. Before that, {who} had sold {sold} at noon, and "
            f"earlier still, half of all that there were at the start. "
            f"How many {item.many} were there at the start of the day?",
        ),
        test=(
            f"{left:{item}} lie on {who}'s shelf. The last thing that happened is that {who} put "
            f"{new} more on it. Earlier a customer had taken {sold}, and before this customer a "
            f"school had bought half of what was there. "
            f"How many {item.many} lay on the shelf before the school came?",
        ),
        aside=f"The bakery opened {d.between(3, 40)} years ago.",
    )


@template(steps=3)
def legs_on_the_farm(d: Draw) -> Wordings:
    who, bird = d.person(), d.pick(FARM_BIRDS)
    beast, n, m = d.pick(FARM_BEASTS), d.between(5, 48), d.between(3, 36)
    small = d.step(f"The {bird.many} have", n * 2, "leg")
    large = d.step(f"The {beast.many} have", m * 4, "leg")
    d.step("Together they have", small + large, "leg")
    return Wordings(
        train=(
            f"{who} has {n:{bird}} and {m:{beast}} on a farm. "
            f"How many legs do these animals have altogether?",
            f"On a walk {who} sees {m:{beast}} and {n:{bird}} in a meadow. {who.He} counts all of "
            f"their legs. What number does {who.he} get?",
        ),
        test=(
            f"{who} draws a farm with {n:{bird}} and {m:{beast}}. Every animal gets all its legs. "
            f"How many legs must {who} draw?",
        ),
        aside=f"There are also {d.between(10, 40)} apple trees.",
    )


@template(steps=3)
def animals_from_legs(d: Draw) -> Wordings:
    who, bird = d.person(), d.pick(FARM_BIRDS)
    beast, n, m = d.pick(FARM_BEASTS), d.between(5, 40), d.between(3, 30)
    legs = known(2 * n + 4 * m)
    small = d.step(f"The {bird.many} have", n * 2, "leg")
    large = d.step(f"The {beast.many} have", legs - small, "leg")
    d.step("Their number is", large / 4, beast)
    return Wordings(
        train=(
            f"In {who}'s barn there are only {bird.many} and {beast.many}, with {legs} legs in "
            f"all. {n} of the animals are {bird.many}. How many {beast.many} are there?",
            f"{who} counts {legs} legs in a pen that holds {n:{bird}} and some {beast.many}. "
            f"How many {beast.many} are in the pen?",
        ),
        test=(
            f"{n:{bird}} and a number of {beast.many} drink at {who}'s pond. Together they stand "
            f"on {legs} legs. What is the number of {beast.many}?",
        ),
        aside=f"The place is {d.between(40, 90)} years old.",
    )


@template(steps=3)
def points_in_a_game(d: Draw) -> Wordings:
    who, game = d.person(), d.pick(PLAYED)
    two, three, free = d.between(3, 14), d.between(2, 9), d.between(2, 12)
    a = d.step("The 2-point shots give", two * 2, "point")
    b = d.step("The 3-point shots give", three * 3, "point")
    d.step(f"In all {who} scored", a + b + free, "point")
    return Wordings(
        train=(
            f"In a {game} {who} made {two} shots worth 2 points, {three} shots worth 3 points and "
            f"{free} free throws worth 1 point. How many points did {who.he} score?",
            f"{who} hit {free} free throws of 1 point each, {three} long shots of 3 points each "
            f"and {two} short shots of 2 points each in the {game}. "
            f"What was {who.his} score?",
        ),
        test=(
            f"A long shot counts 3 points, a short one 2 points and a free throw 1 point. {who} "
            f"finished the {game} with {three} long shots, {two} short ones and {free} free "
            f"throws. How many points are all these throws worth?",
        ),
        aside=f"The hall has {d.between(120, 600, by=10)} seats.",
    )


@template(steps=4)
def treats_by_parts(d: Draw) -> Wordings:
    who, friend, item = d.person(), d.person(), d.pick(TREATS)
    part, m = d.part("1/3", "1/4", "2/5", "1/5", "3/4"), d.between(5, 14)
    total, eaten = known(2 * part.value.denominator * m), d.between(2, m - 2)
    family = d.step("The family eats", total * part, item)
    rest = d.step("There remain", total - family, item)
    gift = d.step(f"{friend} gets", rest / 2, item)
    d.step(f"{who} has", rest - gift - eaten, item)
    return Wordings(
        train=(
            f"{who} has a bowl of {total:{item}}. {who.His} family eats {part} of them. Then "
            f"{who} gives half of what is left to {friend} and eats {eaten} of the others. "
            f"How many {item.many} does {who} have now?",
            f"Out of {total:{item}} that {who} brought home, the family takes {part:part}. "
            f"{friend} receives half of the rest. "
            f"After {who} has eaten {eaten} more, how many {item.many} remain?",
        ),
        test=(
            f"There are {total:{item}} on a plate. First {who}'s family takes {part} of all of "
            f"them, next {friend} takes half of those still there, and finally {who} takes "
            f"{eaten}. How many {item.many} stay on the plate?",
        ),
        aside=f"{friend} lives {d.between(3, 20)} minutes away.",
    )


@template(steps=4)
def seats_on_the_bus(d: Draw) -> Wordings:
    who, start, seats = d.person(), d.between(14, 32), d.between(48, 64, by=2)
    off1, on1 = d.between(2, 9), d.between(2, 9)
    off2, on2, off3 = d.between(2, 6), d.between(2, 9), d.between(2, 5)
    first = d.step("After the first stop there are", start - off1 + on1, "passenger")
    second = d.step("After the second stop there are", first - off2 + on2, "passenger")
    third = d.step("After the third stop there are", second - off3, "passenger")
    d.step("The number of free seats is", seats - third, "seat")
    return Wordings(
        train=(
            f"{who} drives a bus with {seats} seats for passengers. It leaves the station with "
            f"{start} passengers. At the first stop {off1} get off and {on1} get on, at the second "
            f"stop {off2} get off and {on2} get on, and at the third stop {off3} get off. "
            f"If everybody sits, how many passenger seats are free now?",
            f"There are {start} passengers on {who}'s bus. Then {off1} leave and {on1} board, "
            f"next {off2} leave and {on2} board, and finally {off3} leave. Everyone has one of "
            f"the {seats} passenger seats. How many passenger seats are empty in the end?",
        ),
        test=(
            f"Of {seats} passenger seats on the bus that {who} drives, {start} are taken at the "
            f"start. {on1} passengers come in at stop A, where {off1} go out. At stop B {on2} "
            f"come in and {off2} go out, and at stop C {off3} go out and nobody comes in. "
            f"How many passenger seats are not taken after stop C, if nobody stands?",
        ),
        aside=f"The trip takes {d.between(25, 55)} minutes.",
    )


@template(steps=6)
def chain_of_five(d: Draw) -> Wordings:
    a, b, c, e, f = (d.person() for _ in range(5))
    item, n, times, more = d.pick(FOUND), d.between(10, 30), d.between(2, 4), d.between(3, 20)
    price, fewer = d.cents(25, 175), d.between(2, 9)
    fewer = known(fewer + int(n * times - fewer) % 2)
    second = d.step(f"{b} found", n * times, item)
    third = d.step(f"{c} found", second - fewer, item)
    fourth = d.step(f"{e} found", third / 2, item)
    fifth = d.step(f"{f} found", fourth + more, item)
    total = d.step("Together they found", n + second + third + fourth + fifth, item)
    d.step("All of them sell for", total * price, "$")
    return Wordings(
        train=(
            f"{a} found {n:{item}}. {b} found {times:times} as many as {a}, {c} found {fewer} "
            f"fewer than {b}, {e} found half as many as {c}, and {f} found {more} more than {e}. "
            f"They sell all of them for {price:$} each. How much money do they get?",
            f"Five friends look for {item.many} and sell everything they find at {price:$} per "
            f"{item}. {a} brings {n}, and {b} brings {times:times} that number. {c} has {fewer} "
            f"fewer than {b}, {e} has half of what {c} has, and {f} has {more} more than {e}. "
            f"What do the five earn together?",
        ),
        test=(
            f"{f} picks up {more} more {item.many} than {e}. {e} picks up half as many as {c}. "
            f"{c} is {fewer} short of {b}'s number, which is {times:times} {a}'s. A craft shop "
            f"buys every {item} of the five for {price:$} apiece. "
            f"If {a} picked up {n}, how many dollars does the shop pay in total?",
        ),
        aside=f"The beach is {d.between(2, 9)} kilometers long.",
    )
