"""Wages, savings, budgets and small businesses."""

from __future__ import annotations

from .template import Draw, Wordings, known, template
from .words import nouns

JOBS = ("at a bakery", "at a car wash", "in a library", "at a garden center", "in a bike shop")
GOALS = nouns("bicycle, guitar, skateboard, telescope, tablet, camera, tent, keyboard")
CRAFTS = nouns("bracelet, bookmark, candle, paper flower, greeting card, key ring")
BIG_THINGS = nouns("sofa, electric bike, dining table, kitchen stove, laptop, washing machine")
FARM_BIRDS = nouns("hen, duck")
BAKED = nouns("cookie, muffin, brownie, cupcake, scone")


@template(steps=1)
def hourly_wage(d: Draw) -> Wordings:
    who, job, hours, rate = d.person(), d.pick(JOBS), d.between(3, 38), d.cents(825, 2450)
    d.step(f"{who} earns", hours * rate, "$")
    return Wordings(
        train=(
            f"{who} works {job} for {rate:$} an hour. Last week {who.he} worked {hours} hours. "
            f"How much did {who.he} earn?",
            f"For each hour of work {job}, {who} gets {rate:$}. "
            f"How much money does {who.he} make in {hours} hours?",
        ),
        test=(
            f"{who} spent {hours} hours working {job}. The pay is {rate:$} per hour. "
            f"What were {who}'s earnings in dollars?",
        ),
        aside=f"{who} started this job {d.between(2, 11)} months ago.",
    )


@template(steps=2)
def pay_after_tax(d: Draw) -> Wordings:
    who, job, pay, p = d.person(), d.pick(JOBS), d.between(900, 4000, by=50), d.between(6, 34)
    tax = d.step("The taxes are", pay * p / 100, "$")
    d.step(f"{who} keeps", pay - tax, "$")
    return Wordings(
        train=(
            f"{who} works {job} and earns {pay:$} a month before taxes. Taxes take {p}% of it. "
            f"How much is left each month?",
            f"From a monthly pay of {pay:$}, {who} has to give {p}% to the tax office. "
            f"How many dollars a month does {who.he} keep?",
        ),
        test=(
            f"The tax rate on {who}'s wages is {p}%. Working {job}, {who.he} is paid {pay:$} "
            f"per month before tax. What amount remains after tax?",
        ),
        aside=f"{who} has {d.between(18, 30)} days of vacation a year.",
    )


@template(steps=3)
def weeks_to_save(d: Draw) -> Wordings:
    who, goal, spend, net = d.person(), d.pick(GOALS), d.between(3, 20), d.between(10, 30)
    weeks, have = d.between(6, 20), d.between(20, 90)
    earn, price = known(spend + net), known(have + weeks * net)
    missing = d.step(f"{who} still needs", price - have, "$")
    saved = d.step(f"Each week {who} can save", earn - spend, "$")
    d.step("This takes", missing / saved, "week")
    return Wordings(
        train=(
            f"{who} wants to buy {goal.a} for {price:$} and already has {have:$}. Each week "
            f"{who.he} earns {earn:$}, spends {spend:$} and saves the rest. "
            f"In how many weeks will {who.he} have enough?",
            f"{goal.a.capitalize()} costs {price:$}. {who} earns {earn:$} a week, of which "
            f"{spend:$} goes to lunches and everything else into savings. {who.He} starts with "
            f"{have:$} in {who.his} savings. How many weeks must {who.he} save?",
        ),
        test=(
            f"Every week {who} puts aside what remains of {who.his} {earn:$} after spending "
            f"{spend:$}. With {have:$} saved so far, {who.he} dreams of {goal.a} that costs "
            f"{price:$}. How many more weeks does it take until the money is there?",
        ),
        aside=f"{who} read {d.between(3, 9)} reviews of the {goal}.",
    )


@template(steps=3)
def commission(d: Draw) -> Wordings:
    who, thing, n, price = d.person(), d.pick(GOALS), d.between(5, 40), d.between(40, 300, by=10)
    base, p = d.between(600, 2400, by=20), d.between(2, 15)
    sales = d.step(f"{who} sells goods for", n * price, "$")
    share = d.step("The commission is", sales * p / 100, "$")
    d.step(f"Together {who} earns", base + share, "$")
    return Wordings(
        train=(
            f"{who} gets {base:$} a month plus a commission of {p}% of all sales. This month "
            f"{who.he} sells {n:{thing}} for {price:$} each. How much does {who.he} earn?",
            f"In one month {who} sold {n:{thing}} at a price of {price:$} each. {who.His} pay is "
            f"a fixed {base:$} and, in addition, {p}% of the money from the sales. "
            f"What is {who.his} pay for this month?",
        ),
        test=(
            f"A store pays {who} {p}% of everything {who.he} sells, on top of a fixed salary of "
            f"{base:$}. How much does {who} receive in a month in which customers buy "
            f"{n:{thing}} from {who.him} at {price:$} apiece?",
        ),
        aside=f"The store has {d.between(4, 25)} employees.",
    )


@template(steps=3)
def piece_work(d: Draw) -> Wordings:
    who, craft, rate, hours = d.person(), d.pick(CRAFTS), d.between(2, 9), d.between(2, 7)
    days, price = d.between(3, 12), d.cents(125, 975)
    daily = d.step(f"In a day {who} makes", rate * hours, craft)
    total = d.step(f"In {days} days this gives", daily * days, craft)
    d.step("They sell for", total * price, "$")
    return Wordings(
        train=(
            f"{who} makes {rate:{craft}} an hour and works on them {hours} hours a day. After "
            f"{days} days {who.he} sells all of them for {price:$} each. "
            f"How much money does {who.he} get?",
            f"Each {craft} that {who} makes sells for {price:$}. For {days} days {who.he} works "
            f"{hours} hours a day and finishes {rate} of them every hour. "
            f"What do all the {craft.many} together bring in?",
        ),
        test=(
            f"During {days} days of {hours} hours each, {who} produces {rate:{craft}} per hour. "
            f"A shop buys the whole lot and pays {price:$} for every single one. "
            f"How many dollars does the shop pay {who.him}?",
        ),
        aside=f"{who} learned this craft {d.between(2, 9)} years ago.",
    )


@template(steps=3)
def installments(d: Draw) -> Wordings:
    who, thing, months = d.person(), d.pick(BIG_THINGS), known(d.pick((4, 5, 6, 8, 9, 10, 12)))
    p, unit = d.between(10, 50, by=5), d.between(5, 12)
    price = known(months * unit * 20)
    down = d.step("The down payment is", price * p / 100, "$")
    rest = d.step("What remains is", price - down, "$")
    d.step("Each monthly payment is", rest / months, "$")
    return Wordings(
        train=(
            f"{who} buys {thing.a} for {price:$}. {who.He} pays {p}% at once and the rest in "
            f"{months} equal monthly payments without interest. How much is each payment?",
            f"The price of {thing.a} is {price:$}. After a down payment of {p}%, {who} pays off "
            f"the remainder, free of interest, in equal parts over {months} months. "
            f"What does {who.he} pay per month?",
        ),
        test=(
            f"In {months} equal monthly payments, with no interest, {who} pays for {thing.a}. "
            f"Before that {who.he} already paid {p}% of the full price, which is {price:$}. "
            f"How many dollars are due each month?",
        ),
        aside=f"Delivery takes {d.between(2, 9)} days.",
    )


@template(steps=3)
def simple_interest(d: Draw) -> Wordings:
    who, amount, p = d.person(), d.between(200, 5000, by=100), d.between(2, 8)
    years = d.between(2, 9)
    yearly = d.step("The interest of one year is", amount * p / 100, "$")
    interest = d.step(f"In {years} years it adds up to", yearly * years, "$")
    d.step("The account then holds", amount + interest, "$")
    return Wordings(
        train=(
            f"{who} puts {amount:$} into an account that pays {p}% simple interest each year. "
            f"How much is in the account after {years} years?",
            f"Every year a bank pays {who} {p}% of the {amount:$} that {who.he} deposited at the "
            f"beginning. {who.He} leaves everything in the account for {years} years. "
            f"How much money is there at the end?",
        ),
        test=(
            f"For {years} years {who} keeps a deposit of {amount:$} at a simple interest rate of "
            f"{p}% per year. What is the balance after that time, interest included?",
        ),
        aside=f"The bank is open {d.between(6, 9)} hours a day.",
    )


@template(steps=4)
def monthly_budget(d: Draw) -> Wordings:
    who, income = d.person(), d.between(1200, 4800, by=100)
    p, q, fare = d.between(20, 40), d.between(10, 30), d.between(40, 180, by=5)
    rent = d.step("The rent is", income * p / 100, "$")
    food = d.step("The food costs", income * q / 100, "$")
    spent = d.step("All expenses together are", rent + food + fare, "$")
    d.step(f"{who} saves", income - spent, "$")
    return Wordings(
        train=(
            f"{who} earns {income:$} a month. {who.He} spends {p}% of it on rent, {q}% of it on "
            f"food and {fare:$} on transport, and saves the rest. "
            f"How much does {who.he} save each month?",
            f"Rent takes {p}% of {who}'s monthly income of {income:$}, and food takes another "
            f"{q}% of the income. A bus and train pass costs {fare:$} a month. "
            f"How many dollars are left every month?",
        ),
        test=(
            f"A monthly pass for {fare:$}, food for {q}% of the income and a rent of {p}% of the "
            f"income: these are {who}'s only expenses. "
            f"If {who.he} makes {income:$} a month, how much can {who.he} put aside?",
        ),
        aside=f"{who} shares the apartment with {d.between(2, 4)} cats.",
    )


@template(steps=4)
def coin_jar(d: Draw) -> Wordings:
    who, q, t, n = d.person(), d.between(3, 30), d.between(3, 40), d.between(3, 50)
    quarters = d.step("The quarters are worth", q * known(25) / 100, "$")
    dimes = d.step("The dimes are worth", t * known(10) / 100, "$")
    nickels = d.step("The nickels are worth", n * known(5) / 100, "$")
    d.step(f"Altogether {who} has", quarters + dimes + nickels, "$")
    return Wordings(
        train=(
            f"{who} empties a jar and finds {q:quarter}, {t:dime} and {n:nickel}. "
            f"How many dollars are they worth in total?",
            f"In {who}'s piggy bank there are {n:nickel}, {t:dime} and {q:quarter}, and nothing "
            f"else. How many dollars are there in the piggy bank?",
        ),
        test=(
            f"After the fair {who} counts {t:dime}, {q:quarter} and {n:nickel}. "
            f"What is the value of all these coins in dollars?",
        ),
        aside=f"It took {who} {d.between(4, 15)} minutes to sort the coins.",
    )


@template(steps=5)
def overtime_week(d: Draw) -> Wordings:
    who, job, normal, extra = d.person(), d.pick(JOBS), d.between(30, 40), d.between(2, 14)
    rate, hours = d.cents(1000, 2600, by=50), known(normal + extra)
    base = d.step(f"For the first {normal} hours {who} gets", normal * rate, "$")
    over = d.step("Overtime is", hours - normal, "hour")
    high = d.step("An hour of overtime pays", rate * 3 / 2, "$")
    more = d.step("The overtime pay is", over * high, "$")
    d.step("The pay for the week is", base + more, "$")
    return Wordings(
        train=(
            f"{who} works {job} for {rate:$} an hour. Every hour beyond {normal} hours a week is "
            f"paid 1.5 times as much. How much does {who.he} earn in a week of {hours} hours?",
            f"Last week {who} worked {hours} hours {job}. The first {normal} hours were paid at "
            f"{rate:$} an hour, and each further hour at 1.5 times that rate. "
            f"What was {who.his} pay for the week?",
        ),
        test=(
            f"Overtime, which means any time over {normal} hours a week, pays 1.5 times the "
            f"regular rate. Working {job}, {who} has a regular rate of {rate:$} an hour. "
            f"How many dollars does {who.he} get for {hours} hours in one week?",
        ),
        aside=f"{who} needs {d.between(12, 45)} minutes to get to work.",
    )


@template(steps=5)
def egg_farm(d: Draw) -> Wordings:
    who, birds, each = d.person(), d.between(16, 48), d.between(4, 6)
    kept, price, feed = known(12 + int(birds * each) % 12), d.cents(300, 650), d.between(4, 8)
    bird = d.pick(FARM_BIRDS)
    laid = d.step(f"In a week the {bird.many} lay", birds * each, "egg")
    sold = d.step(f"{who} sells", laid - kept, "egg")
    dozens = d.step("This makes", sold / 12, "dozen")
    income = d.step("They bring in", dozens * price, "$")
    d.step("Without the money for the feed it is", income - feed, "$")
    return Wordings(
        train=(
            f"{who} keeps {birds:{bird}}, and each of them lays {each} eggs a week. Each week the "
            f"family eats {kept} of the eggs, and {who} sells the rest for {price:$} a dozen. The "
            f"feed costs {feed:$} a week. How much profit does {who} make in a week?",
            f"On {who}'s farm a dozen eggs costs {price:$}. There are {birds:{bird}} that lay "
            f"{each} eggs a week each. All eggs are sold except {kept} eggs a week that stay in "
            f"the house. "
            f"If feed for a week costs {feed:$}, what is left from a week's egg sales?",
        ),
        test=(
            f"Feeding {birds:{bird}} costs {who} {feed:$} a week. Each {bird} lays {each} eggs in "
            f"that time. {who} gives away {kept} eggs a week and gets {price:$} for every dozen of "
            f"the others. By how many dollars a week do the sales exceed the cost of the feed?",
        ),
        aside=f"The farm is {d.between(3, 25)} miles from the town.",
    )


@template(steps=6)
def bake_sale(d: Draw) -> Wordings:
    who, baked, trays, size = d.person(), d.pick(BAKED), d.between(4, 12), d.between(10, 24)
    left, price = d.between(3, 9), d.cents(150, 325)
    cost, stand = d.cents(150, 400, by=50), d.between(5, 20)
    count = d.step(f"{who} bakes", trays * size, baked)
    sold = d.step("The number sold is", count - left, baked)
    income = d.step("They bring in", sold * price, "$")
    spent = d.step("The ingredients cost", trays * cost, "$")
    profit = d.step("Without the ingredients this leaves", income - spent, "$")
    d.step("After paying for the stand it is", profit - stand, "$")
    return Wordings(
        train=(
            f"For a bake sale {who} bakes {trays} trays of {size:{baked}} each. The ingredients "
            f"cost {cost:$} per tray, and renting the stand costs {stand:$}. {who} sells the "
            f"{baked.many} for {price:$} each, but {left} of them are left over at the end. "
            f"How much profit does {who.he} make?",
            f"{who} rents a stand for {stand:$} and brings {trays} trays with {size:{baked}} on "
            f"each. Every {baked} is sold for {price:$}, except for {left} that nobody buys. "
            f"If the ingredients for one tray cost {cost:$}, what does {who.he} earn after all "
            f"costs?",
        ),
        test=(
            f"At {price:$} apiece, {who} sells all but {left} of {who.his} {baked.many} at the "
            f"street festival. There were {trays} trays, and each tray held {size} of them. "
            f"{who} has to subtract {cost:$} for the ingredients of each tray and {stand:$} for "
            f"the stand. What is {who.his} profit in dollars?",
        ),
        aside=f"The sale lasts {d.between(3, 7)} hours.",
    )
