"""Shops, prices, discounts and bills."""

from __future__ import annotations

from .template import Draw, Wordings, known, template
from .words import nouns

STATIONERY = nouns("notebook, ruler, eraser, folder, marker, sketchbook, glue stick, sticker sheet")
CLOTHES = nouns("jacket, sweater, raincoat, backpack, scarf, umbrella, dress, hat, swimsuit")
DEVICES = nouns("lamp, toaster, kettle, fan, radio, blender, camera, keyboard, electric drill")
SNACKS = nouns("muffin, sandwich, bagel, pretzel, cupcake, croissant")
DRINKS = nouns("cup of tea, glass of juice, bottle of water, milkshake, cup of cocoa")
EVERYDAY = nouns("pair of socks, T-shirt, towel, pillow, poster, plant")
FRUIT = nouns("apple, banana, orange, pear, peach, plum")
SETS = nouns("battery, light bulb, candle, tennis ball, paper lantern, clothes hanger, mug")


@template(steps=1)
def saved_on_sale(d: Draw) -> Wordings:
    who, item = d.person(), d.pick(DEVICES)
    usual, off = d.cents(2000, 9000), d.cents(150, 1800)
    sale = known(usual - off)
    d.step(f"On the {item} {who} saves", usual - sale, "$")
    return Wordings(
        train=(
            f"{item.a.capitalize()} usually costs {usual:$}, but today {who} buys one for {sale:$}."
            f" How many dollars does {who.he} save?",
            f"{who} finds {item.a} on sale for {sale:$}. The regular price is {usual:$}. "
            f"How much cheaper is the {item} than usual?",
        ),
        test=(
            f"The price of {item.a} falls from {usual:$} to {sale:$} just before {who} buys it. "
            f"How much less does {who} pay than the old price?",
        ),
        aside=f"The store sold {d.between(4, 30)} {item.many} last month.",
    )


@template(steps=2)
def change_from_a_bill(d: Draw) -> Wordings:
    who, item, n, price = d.person(), d.pick(STATIONERY), d.between(3, 9), d.cents(75, 500, by=5)
    bill = known(next(b for b in (10, 20, 50) if b > (n * price).value))
    cost = d.step(f"The {item.many} cost", n * price, "$")
    d.step("The change is", bill - cost, "$")
    return Wordings(
        train=(
            f"{who} buys {n:{item}} for {price:$} each. {who.He} pays with a {bill:$} bill. "
            f"How much change should {who.he} get?",
            f"One {item} costs {price:$}. {who} takes {n:{item}} to the till and hands over "
            f"a {bill:$} bill. How much money does the cashier give back?",
        ),
        test=(
            f"With a {bill:$} bill, {who} pays for {n:{item}} that cost {price:$} apiece. "
            f"What is {who.his} change in dollars?",
        ),
        aside=f"The shop has been open for {d.between(4, 30)} years.",
    )


@template(steps=2)
def percent_off(d: Draw) -> Wordings:
    who, item = d.person(), d.pick(CLOTHES)
    price, p = d.between(12, 160), d.between(5, 45, by=5)
    off = d.step("The discount is", price * p / 100, "$")
    d.step(f"{who} pays", price - off, "$")
    return Wordings(
        train=(
            f"{who} wants {item.a} that costs {price:$}. The shop takes {p}% off the price. "
            f"How much does {who.he} pay?",
            f"Everything in the shop is {p}% off today. {who} picks {item.a} with a price tag of "
            f"{price:$}. What does the {item} cost after the discount?",
        ),
        test=(
            f"Thanks to a coupon, {who} gets {p}% off {item.a} whose normal price is {price:$}. "
            f"How many dollars does {who} have to pay?",
        ),
        aside=f"The shop closes in {d.between(20, 55, by=5)} minutes.",
    )


@template(steps=2)
def spend_the_rest(d: Draw) -> Wordings:
    who, item, book = d.person(), d.pick(SNACKS), d.between(6, 18)
    n, price = d.between(3, 12), d.between(2, 6)
    budget = known(book + n * price)
    left = d.step(f"After the book {who} has", budget - book, "$")
    d.step(f"{who} can buy", left / price, item)
    return Wordings(
        train=(
            f"{who} has {budget:$}. {who.He} buys a book for {book:$} and spends all the rest on "
            f"{item.many} for {price:$} each. How many {item.many} does {who.he} buy?",
            f"{item.many.capitalize()} cost {price:$} each. {who} takes {budget:$} to the market, "
            f"spends {book:$} on a book and uses up the rest of the money on {item.many}. "
            f"How many {item.many} does {who.he} bring home?",
        ),
        test=(
            f"Out of {budget:$}, {who} pays {book:$} for a book. With the whole remainder "
            f"{who.he} treats the class to {item.many} at {price:$} apiece. "
            f"How many {item.many} does {who} buy?",
        ),
        aside=f"The book has {d.between(90, 300)} pages.",
    )


@template(steps=3)
def two_kinds(d: Draw) -> Wordings:
    who, snack, drink = d.person(), d.pick(SNACKS), d.pick(DRINKS)
    n, a, m, b = d.between(3, 12), d.cents(125, 450), d.between(2, 9), d.cents(75, 325)
    snacks = d.step(f"The {snack.many} cost", n * a, "$")
    drinks = d.step(f"The {drink.many} cost", m * b, "$")
    d.step(f"Together {who} pays", snacks + drinks, "$")
    return Wordings(
        train=(
            f"{who} orders {n:{snack}} at {a:$} each and {m:{drink}} at {b:$} each for a meeting. "
            f"How much is the bill?",
            f"At the school fair {drink.a} costs {b:$} and {snack.a} costs {a:$}. {who} buys "
            f"{m:{drink}} and {n:{snack}}. How much does {who.he} spend?",
        ),
        test=(
            f"A café asks {a:$} for {snack.a} and {b:$} for {drink.a}. {who} pays for {n:{snack}} "
            f"and {m:{drink}} for {who.his} team. What does {who} pay in total?",
        ),
        aside=f"There are {d.between(8, 20)} tables in the room.",
    )


@template(steps=3)
def tip_and_split(d: Draw) -> Wordings:
    who, n, share = d.person(), d.between(3, 6), d.between(8, 40)
    p, meal = d.between(5, 25, by=5), known(n * share)
    tip = d.step("The tip is", meal * p / 100, "$")
    total = d.step("With the tip they pay", meal + tip, "$")
    d.step("Each of them pays", total / n, "$")
    others = known(n - 1)
    return Wordings(
        train=(
            f"{who} and {others:friend} eat at a restaurant. The food costs {meal:$} and they add "
            f"a tip of {p}%. They split everything equally. How much does each person pay?",
            f"A dinner for {n} people, {who} among them, costs {meal:$} before a {p}% tip. "
            f"All of them share the meal and the tip equally. What is {who}'s part in dollars?",
        ),
        test=(
            f"{who} goes out for lunch in a group of {n}. Their check is {meal:$}, and on top of "
            f"it they leave {p}% for the waiter. "
            f"If everyone pays the same amount, how much does {who} pay?",
        ),
        aside=f"They waited {d.between(15, 40)} minutes for their table.",
    )


@template(steps=3)
def price_per_piece(d: Draw) -> Wordings:
    who, item, n, m = d.person(), d.pick(SETS), d.between(4, 10, by=2), d.between(11, 20)
    cheap, more = d.cents(60, 200, by=5), d.cents(5, 60, by=5)
    small, large = known(n * (cheap + more)), known(m * cheap)
    one = d.step(f"In the small pack one {item} costs", small / n, "$")
    other = d.step(f"In the large pack one {item} costs", large / m, "$")
    d.step("The difference is", one - other, "$")
    return Wordings(
        train=(
            f"{who} compares two packs. The small pack has {n:{item}} for {small:$} and the large "
            f"pack has {m:{item}} for {large:$}. "
            f"How much less does one {item} cost in the large pack?",
            f"A store sells {item.many} in packs of {n} for {small:$} or in packs of {m} for "
            f"{large:$}. {who} buys the larger pack. "
            f"How much cheaper is each {item} in the larger pack?",
        ),
        test=(
            f"In a pack of {m}, {item.many} cost {large:$} altogether. In a pack of {n} they cost "
            f"{small:$} altogether. {who} works out the price of a single {item} in both. "
            f"By how many dollars do the two prices differ?",
        ),
        aside=f"The shelf is {d.between(2, 6)} meters long.",
    )


@template(steps=4)
def discount_then_tax(d: Draw) -> Wordings:
    who, item, price = d.person(), d.pick(DEVICES), d.between(20, 240, by=20)
    p, t = d.between(10, 50, by=5), d.between(4, 12)
    off = d.step("The discount is", price * p / 100, "$")
    sale = d.step("The sale price is", price - off, "$")
    tax = d.step("The tax is", sale * t / 100, "$")
    d.step(f"{who} pays", sale + tax, "$")
    return Wordings(
        train=(
            f"{item.a.capitalize()} costs {price:$}. {who} gets a discount of {p}% and then pays "
            f"{t}% sales tax on the reduced price. How much does {who.he} pay in all?",
            f"{who} buys {item.a} in a sale that takes {p}% off its price of {price:$}. "
            f"A sales tax of {t}% is added to what is left. What is the final price?",
        ),
        test=(
            f"A sales tax of {t}% is charged on the price after any discount. {who} has a voucher "
            f"for {p}% off {item.a} marked {price:$}. "
            f"How many dollars, tax included, does {who} hand over?",
        ),
        aside=f"The {item} comes with a guarantee of {d.between(2, 5)} years.",
    )


@template(steps=4)
def packs_or_singles(d: Draw) -> Wordings:
    who, item, k, packs = d.person(), d.pick(SETS), d.between(4, 12), d.between(2, 8)
    single, off = d.cents(80, 250, by=5), d.cents(30, 110, by=10)
    pack, n = known(k * single - off), known(k * packs)
    count = d.step(f"{who} needs", n / k, "pack")
    packed = d.step("The packs cost", count * pack, "$")
    loose = d.step("Bought one by one they would cost", n * single, "$")
    d.step(f"{who} saves", loose - packed, "$")
    return Wordings(
        train=(
            f"One {item} costs {single:$}, and a pack of {k} costs {pack:$}. {who} needs "
            f"{n:{item}}. How much does {who.he} save by buying packs instead of single pieces?",
            f"{who} has to buy {n:{item}}. A shop sells them in packs of {k} for {pack:$} or one "
            f"at a time for {single:$}. How many dollars cheaper is it to buy only packs?",
        ),
        test=(
            f"For {pack:$} a shop offers a pack of {k:{item}}, while a single one costs "
            f"{single:$}. {who} buys exactly {n:{item}}, all in packs. "
            f"How much more would the same number have cost one by one?",
        ),
        aside=f"The shop is {d.between(3, 9)} blocks away.",
    )


@template(steps=4)
def tickets_with_coupon(d: Draw) -> Wordings:
    who, place = d.person(), d.pick(("zoo", "museum", "circus", "water park", "planetarium"))
    adults, children = d.between(2, 6), d.between(2, 12)
    p, q = d.cents(900, 2400, by=50), d.cents(300, 850, by=50)
    off = d.between(3, 12)
    a = d.step("The adult tickets cost", adults * p, "$")
    c = d.step("The child tickets cost", children * q, "$")
    both = d.step("Without the coupon it would be", a + c, "$")
    d.step("With the coupon they pay", both - off, "$")
    return Wordings(
        train=(
            f"A ticket for the {place} costs {p:$} for an adult and {q:$} for a child. {who} buys "
            f"tickets for {adults} adults and {children} children. A coupon takes {off:$} off the "
            f"total. How much does {who.he} pay?",
            f"{who} visits the {place} in a group of {adults} adults and {children} children. "
            f"Adults pay {p:$} each, children {q:$} each, and {who.his} coupon lowers the whole "
            f"bill by {off:$}. How much do the tickets cost them?",
        ),
        test=(
            f"With a coupon worth {off:$}, {who} buys {children} child tickets at {q:$} and "
            f"{adults} adult tickets at {p:$} for the {place}. "
            f"What is the price of all the tickets together after the coupon?",
        ),
        aside=f"The {place} is {d.between(12, 60)} years old.",
    )


@template(steps=5)
def every_second_at_half_price(d: Draw) -> Wordings:
    who, item = d.person(), d.pick(EVERYDAY)
    n, price = d.between(4, 16, by=2), d.cents(300, 2400, by=50)
    half = d.step("Half of the price is", price / 2, "$")
    pairs = d.step(f"Half of the {item.many} are at full price:", n / 2, item)
    full = d.step("At full price they cost", pairs * price, "$")
    reduced = d.step("The others cost", pairs * half, "$")
    d.step(f"{who} pays", full + reduced, "$")
    return Wordings(
        train=(
            f"{item.a.capitalize()} costs {price:$}, but every second one that a customer buys "
            f"costs only half as much. {who} buys {n:{item}}. How much does {who.he} pay?",
            f"In a sale {who} chooses {n:{item}}. The normal price is {price:$} each, and for each "
            f"one at full price {who.he} gets another one at half price. "
            f"What does {who.he} pay altogether?",
        ),
        test=(
            f"{who} fills a basket with {n:{item}}. Of every two, one costs the full {price:$} "
            f"and one costs half of that. How many dollars are due at the checkout?",
        ),
        aside=f"There are {d.between(5, 15)} people in line.",
    )


@template(steps=6)
def class_party(d: Draw) -> Wordings:
    who, fruit = d.person(), d.pick(FRUIT)
    guests, each, bag = d.between(12, 36, by=12), d.between(2, 4), known(d.pick((4, 6, 12)))
    price, fee, fund = d.cents(150, 300, by=50), d.between(5, 9), d.between(5, 30)
    room = known(guests * fee + fund - guests * each / bag * price)
    need = d.step("The guests eat", guests * each, fruit)
    bags = d.step(f"{who} needs", need / bag, "bag")
    food = d.step("The bags cost", bags * price, "$")
    total = d.step("With the room the party costs", food + room, "$")
    rest = d.step("After the class fund has paid its part, they still need", total - fund, "$")
    d.step("Each guest pays", rest / guests, "$")
    return Wordings(
        train=(
            f"{who} plans a party for {guests} guests, and each guest gets {each:{fruit}}. "
            f"Bags of {bag:{fruit}} cost {price:$} each, and the room costs {room:$}. The class "
            f"fund pays {fund:$} of all this, and the guests share the rest equally. "
            f"How much does each guest pay?",
            f"A room for a party costs {room:$}. {who} also buys bags of {bag:{fruit}} at "
            f"{price:$} a bag, just enough to give {each:{fruit}} to each of the {guests} guests. "
            f"After {fund:$} from the class fund, the guests pay equal parts of what is missing. "
            f"How many dollars is one part?",
        ),
        test=(
            f"There is {fund:$} in the class fund for a party that {who} organizes for {guests} "
            f"guests. The costs are {room:$} for the room and {price:$} for every bag of "
            f"{bag:{fruit}}, and {who} buys exactly enough bags for each guest to get "
            f"{each:{fruit}}. If the guests divide evenly what the fund does not cover, "
            f"how much is it per guest?",
        ),
        aside=f"The party lasts {d.between(2, 5)} hours.",
    )
