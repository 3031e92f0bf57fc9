"""Lengths, areas, volumes, weights and their units."""

from __future__ import annotations

from .template import Draw, Wordings, known, template
from .words import nouns

DISHES = nouns("apple pie, fruit tart, nut cake, pan of cookies, carrot cake")
POWDERS = ("flour", "brown sugar", "butter", "oats", "ground almonds")


@template(steps=1)
def map_scale(d: Draw) -> Wordings:
    who, scale, apart = d.person(), d.between(3, 40), known(d.between(15, 140) / 10)
    d.step("The real distance is", apart * scale, "kilometer")
    return Wordings(
        train=(
            f"On {who}'s map, 1 centimeter stands for {scale} kilometers. Two towns are "
            f"{apart:centimeter} apart on the map. How many kilometers apart are they really?",
            f"{who} measures {apart:centimeter} between two lakes on a map. Each centimeter of the "
            f"map is {scale} kilometers in the real world. "
            f"What is the real distance between the lakes in kilometers?",
        ),
        test=(
            f"Two villages lie {apart:centimeter} from each other on a map that {who} found. The "
            f"map says that {scale} kilometers of land are drawn as 1 centimeter. "
            f"How far from each other are the villages in kilometers?",
        ),
        aside=f"The map was printed {d.between(3, 30)} years ago.",
    )


@template(steps=2)
def glasses_of_water(d: Draw) -> Wordings:
    who, glasses, size = d.person(), d.between(4, 12), d.between(15, 45, by=5)
    days = d.between(5, 14)
    total = d.step(f"In {days} days {who} drinks", glasses * size * days, "centiliter")
    d.step("In liters this is", total / 100, "liter")
    return Wordings(
        train=(
            f"{who} drinks {glasses} glasses of water a day. A glass holds {size} centiliters, and "
            f"100 centiliters are 1 liter. How many liters does {who.he} drink in {days} days?",
            f"There are 100 centiliters in 1 liter. {who} has a cup of {size} centiliters and "
            f"fills it with water {glasses} times a day. "
            f"How many liters of water does {who.he} take in {days} days?",
        ),
        test=(
            f"For {days} days {who} empties a bottle of {size} centiliters {glasses} times daily. "
            f"If 100 centiliters make 1 liter, how many liters is that in total?",
        ),
        aside=f"{who} sleeps {d.between(7, 9)} hours a night.",
    )


@template(steps=3)
def fence_around_garden(d: Draw) -> Wordings:
    who, long, wide = d.person(), d.between(13, 48), d.between(6, 12)
    gate, price = d.between(2, 4), d.cents(450, 2400, by=50)
    around = d.step("The way around is", 2 * (long + wide), "meter")
    fence = d.step("Without the gate it is", around - gate, "meter")
    d.step("The fence costs", fence * price, "$")
    return Wordings(
        train=(
            f"{who} puts a fence around a rectangular garden that is {long} meters long and {wide} "
            f"meters wide. A gap of {gate} meters stays open for a gate. One meter of fence costs "
            f"{price:$}. How much does the fence cost?",
            f"A rectangular field measures {long} meters by {wide} meters. {who} fences it in with "
            f"wire that costs {price:$} a meter, but leaves {gate} meters free as an entrance. "
            f"What does {who.he} pay for the wire?",
        ),
        test=(
            f"For {price:$} per meter, {who} has a fence built along all four sides of a yard. The "
            f"yard is a rectangle with sides of {wide} meters and {long} meters, and {gate} meters "
            f"of one side need no fence because there is a door. "
            f"How many dollars does the fence cost?",
        ),
        aside=f"The posts are {d.between(120, 190, by=5)} centimeters high.",
    )


@template(steps=3)
def square_like_rectangle(d: Draw) -> Wordings:
    who, long, wide = d.person(), d.between(13, 48), d.between(3, 12)
    long = known(long + int(long + wide) % 2)
    around = d.step("The rectangle has a perimeter of", 2 * (long + wide), "meter")
    side = d.step("A side of the square is", around / 4, "meter")
    d.step("The area of the square is", side * side, "square meter")
    return Wordings(
        train=(
            f"{who} lays a rope around a rectangle that is {long} meters long and {wide} meters "
            f"wide. With the same rope {who.he} then makes a square. "
            f"What is the area of the square in square meters?",
            f"A square and a rectangle have the same perimeter. {who} measures the sides of the "
            f"rectangle: {wide} meters and {long} meters. "
            f"How many square meters does the square cover?",
        ),
        test=(
            f"{who}'s flower bed is a rectangle of {long} by {wide} meters. The neighbor's bed is "
            f"a square whose perimeter has exactly the same length. "
            f"How large is the area of the neighbor's bed in square meters?",
        ),
        aside=f"It took {d.between(10, 45)} minutes to measure everything.",
    )


@template(steps=3)
def ribbon_pieces(d: Draw) -> Wordings:
    who, piece, n = d.person(), d.between(12, 65), d.between(4, 15)
    meters = known((int(piece * n) // 10 + d.between(1, 8)) / 10)
    used = d.step("The pieces take", n * piece, "centimeter")
    length = d.step("The whole ribbon is", meters * 100, "centimeter")
    d.step("What is left is", length - used, "centimeter")
    return Wordings(
        train=(
            f"{who} has a ribbon of {meters:meter}. {who.He} cuts off {n} pieces of {piece} "
            f"centimeters each. How many centimeters of ribbon are left?",
            f"For presents {who} needs {n} strips of ribbon, each {piece} centimeters long, and "
            f"takes them from a roll of {meters:meter}. "
            f"How many centimeters remain on the roll?",
        ),
        test=(
            f"From {meters:meter} of ribbon, {piece} centimeters go into every bow that {who} "
            f"ties. How many centimeters of the ribbon does {who} still have after {n} bows?",
        ),
        aside=f"The ribbon is {d.between(3, 9)} centimeters wide.",
    )


@template(steps=3)
def water_in_aquarium(d: Draw) -> Wordings:
    who, long, wide = d.person(), d.between(40, 120, by=10), d.between(20, 50, by=10)
    high, part = d.between(30, 60, by=10), d.part("1/2", "3/4", "4/5", "2/5", "1/4")
    volume = d.step("The tank holds", long * wide * high, "cubic centimeter")
    liters = d.step("In liters this is", volume / 1000, "liter")
    d.step("The water in it is", liters * part, "liter")
    return Wordings(
        train=(
            f"{who}'s aquarium is a box {long} centimeters long, {wide} centimeters wide and "
            f"{high} centimeters high. It is filled to {part} of its height. One liter is 1000 "
            f"cubic centimeters. How many liters of water are in it?",
            f"A fish tank measures {long} by {wide} by {high} centimeters, and 1000 cubic "
            f"centimeters are a liter. {who} fills {part} of the tank with water. "
            f"How many liters does {who.he} need?",
        ),
        test=(
            f"A glass box has edges of {wide}, {long} and {high} centimeters. {who} pours in water "
            f"until {part} of the volume is taken. A liter is the same as 1000 cubic centimeters. "
            f"How many liters does {who} pour in?",
        ),
        aside=f"There are {d.between(4, 20)} fish to be moved in later.",
    )


@template(steps=3)
def recipe_for_more(d: Draw) -> Wordings:
    who, dish, powder = d.person(), d.pick(DISHES), d.pick(POWDERS)
    each, few, many = d.between(20, 95, by=5), d.between(2, 6), d.between(7, 20)
    have, amount = d.between(40, 135, by=5), known(each * few)
    single = d.step("One person needs", amount / few, "gram")
    need = d.step(f"For {many} people it is", single * many, "gram")
    d.step(f"{who} still has to buy", need - have, "gram")
    return Wordings(
        train=(
            f"A recipe for {few} people needs {amount} grams of {powder}. {who} wants to cook for "
            f"{many} people and has {have} grams of {powder} at home. "
            f"How many grams of {powder} does {who.he} still have to buy?",
            f"{who} finds {have} grams of {powder} in the kitchen. {who.He} would like to make "
            f"{dish.many} for {many} people, but {who.his} recipe is for {few} people and takes "
            f"{amount} grams of {powder}. How many grams of {powder} are missing?",
        ),
        test=(
            f"{amount} grams of {powder} are enough to make {dish.many} for {few} people. "
            f"{many} people come to {who}'s house, where there are {have} grams of {powder}. "
            f"How many more grams of {powder} are needed for these {many} people?",
        ),
        aside=f"The oven needs {d.between(5, 15)} minutes to get hot.",
    )


@template(steps=3)
def crates_on_a_truck(d: Draw) -> Wordings:
    who, n, jars = d.person(), d.between(5, 40), d.between(6, 24)
    grams, empty = d.between(150, 950, by=50), known(d.between(4, 30) / 10)
    filling = d.step("The jars in a crate weigh", jars * grams / 1000, "kilogram")
    crate = d.step("A full crate weighs", filling + empty, "kilogram")
    d.step("All crates weigh", n * crate, "kilogram")
    return Wordings(
        train=(
            f"{who} loads {n} crates onto a truck. Each crate holds {jars} jars of {grams} grams, "
            f"and the crate itself weighs {empty:kilogram}. One kilogram is 1000 grams. "
            f"How many kilograms do the full crates weigh in all?",
            f"An empty crate weighs {empty:kilogram}. {who} puts {jars} jars into it, and each jar "
            f"weighs {grams} grams. What is the weight in kilograms of {n} such full crates, if "
            f"1000 grams are a kilogram?",
        ),
        test=(
            f"There are 1000 grams in a kilogram. {who} carries {n} wooden crates of "
            f"{empty:kilogram} each down to the cellar, every one with {jars} jars in it. "
            f"If a jar weighs {grams} grams, what do crates and jars weigh together in kilograms?",
        ),
        aside=f"The truck is {d.between(3, 15)} years old.",
    )


@template(steps=5)
def tiles_for_a_floor(d: Draw) -> Wordings:
    who, edge, m, n = d.person(), d.pick((20, 25, 40, 50)), d.between(12, 20), d.between(5, 11)
    long, wide, price = known(m * edge / 100), known(n * edge / 100), d.cents(125, 850)
    spare = d.between(4, 20)
    along = d.step("Along the length there are", long * 100 / edge, "tile")
    across = d.step("Along the width there are", wide * 100 / edge, "tile")
    floor = d.step("The floor takes", along * across, "tile")
    bought = d.step("With the spare ones it is", floor + spare, "tile")
    d.step("They cost", bought * price, "$")
    return Wordings(
        train=(
            f"{who} covers a floor of {long:meter} by {wide:meter} with square tiles. A tile has "
            f"sides of {edge} centimeters and costs {price:$}. {who.He} buys {spare:tile} more "
            f"than the floor needs, in case some break. How much does {who.he} pay for the tiles?",
            f"Square tiles with sides of {edge} centimeters cost {price:$} each. {who} wants to "
            f"tile a rectangular floor {long:meter} long and {wide:meter} wide and keep "
            f"{spare:tile} for repairs. What do all the tiles cost together?",
        ),
        test=(
            f"In {who}'s new kitchen the floor is {wide:meter} wide and {long:meter} long. It "
            f"will be laid with square tiles, {edge} centimeters on each side, without gaps. "
            f"{who} orders the exact number plus {spare} in reserve at {price:$} a tile. "
            f"How many dollars does the order cost?",
        ),
        aside=f"The tiles weigh {d.between(300, 950, by=50)} grams each.",
    )


@template(steps=5)
def path_around_pool(d: Draw) -> Wordings:
    who, long, wide, path = d.person(), d.between(11, 30), d.between(4, 10), d.between(1, 4)
    outer_long = d.step("With the path the length is", long + 2 * path, "meter")
    outer_wide = d.step("With the path the width is", wide + 2 * path, "meter")
    outer = d.step("Pool and path together cover", outer_long * outer_wide, "square meter")
    inner = d.step("The pool covers", long * wide, "square meter")
    d.step("The path covers", outer - inner, "square meter")
    return Wordings(
        train=(
            f"{who}'s pool is a rectangle {long} meters long and {wide} meters wide. A path of "
            f"{path:meter} in width runs all around it, with square corners. "
            f"What is the area of the path in square meters?",
            f"Around a rectangular pool of {long} by {wide} meters, {who} builds a border that is "
            f"{path:meter} wide on every side, so that pool and border form a larger rectangle. "
            f"How many square meters does the border cover?",
        ),
        test=(
            f"{who} paves a strip around a swimming pool. The strip is {path:meter} wide on all "
            f"four sides and ends in a rectangle outside. The pool itself is a rectangle whose "
            f"width is {wide} meters and whose length is {long} meters. "
            f"How many square meters does {who} pave?",
        ),
        aside=f"The water is {d.between(120, 210, by=10)} centimeters deep.",
    )


@template(steps=6)
def paint_for_a_room(d: Draw) -> Wordings:
    who, long, wide, high = d.person(), d.between(5, 9), d.between(3, 5), d.between(2, 4)
    holes, price = d.between(3, 8), d.cents(400, 1200, by=50)
    around = d.step("The way around the room is", 2 * (long + wide), "meter")
    walls = d.step("The four walls have", around * high, "square meter")
    area = d.step("Without door and windows it is", walls - holes, "square meter")
    twice = d.step("For two coats of paint it is", area * 2, "square meter")
    liters = d.step(f"{who} needs", twice / 10, "liter")
    d.step("The paint costs", liters * price, "$")
    return Wordings(
        train=(
            f"{who} paints the four walls of a room that is {long} meters long, {wide} meters wide "
            f"and {high} meters high. Door and windows take up {holes} square meters and are not "
            f"painted. The walls get 2 coats of paint, and a liter is enough for 10 square meters "
            f"of one coat. Paint costs {price:$} a liter, and any part of a liter can be bought. "
            f"How much does the paint cost?",
            f"A liter of paint costs {price:$} and covers 10 square meters once. {who} wants to "
            f"give the four walls of a hall 2 coats. The hall has a rectangular floor of {long} by "
            f"{wide} meters and is {high} meters high, but {holes} square meters of the walls are "
            f"windows and a door. "
            f"If the shop fills exactly as much paint as needed, what does {who.he} pay for it?",
        ),
        test=(
            f"The paint shop sells any amount of paint at {price:$} per liter, and 10 square "
            f"meters need a liter for each coat. {who} puts 2 coats on all four walls of an office "
            f"with a height of {high} meters, a width of {wide} meters and a length of {long} "
            f"meters, leaving out {holes} square meters of door and glass. "
            f"How many dollars does {who} spend on paint?",
        ),
        aside=f"The paint dries in {d.between(3, 9)} hours.",
    )
