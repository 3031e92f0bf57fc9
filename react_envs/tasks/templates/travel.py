"""Speed, time, machines and other rates."""

from __future__ import annotations

from .template import Draw, Wordings, known, template
from .words import nouns

MACHINE_MADE = nouns("bottle, toy car, pencil, chair leg, glass jar, brick")
PLACES = ("the lake", "the coast", "the airport", "the mountains", "the old harbor")


@template(steps=1)
def distance_at_speed(d: Draw) -> Wordings:
    who, place, speed = d.person(), d.pick(PLACES), d.between(32, 68)
    hours = known(d.between(5, 22) / 4)
    d.step("The way is", speed * hours, "mile")
    return Wordings(
        train=(
            f"{who} drives to {place} at a constant speed of {speed} miles per hour. The drive "
            f"takes {hours:hour}. How many miles does {who.he} drive?",
            f"A bus with {who} on board goes {speed} miles every hour and reaches {place} after "
            f"{hours:hour}. How many miles long is the ride?",
        ),
        test=(
            f"After {hours:hour} on the road without a stop, {who} arrives at {place}. The speed "
            f"was {speed} miles per hour all the time. What distance in miles did {who} cover?",
        ),
        aside=f"{who} has been there {d.between(3, 9)} times before.",
    )


@template(steps=2)
def toward_each_other(d: Draw) -> Wordings:
    a, b = d.person(), d.person()
    v, w, hours = d.between(9, 24), d.between(8, 22), d.between(2, 8)
    far = known((v + w) * hours)
    closing = d.step("Each hour they come closer by", v + w, "kilometer")
    d.step("They meet after", far / closing, "hour")
    return Wordings(
        train=(
            f"{a} and {b} live {far} kilometers apart. They start at the same time and cycle "
            f"toward each other, {a} at {v} kilometers per hour and {b} at {w} kilometers per "
            f"hour. After how many hours do they meet?",
            f"A straight road of {far} kilometers joins two towns. {a} sets out from one town at "
            f"{v} kilometers per hour, and at the same moment {b} sets out from the other at {w} "
            f"kilometers per hour. How many hours pass until they meet on the road?",
        ),
        test=(
            f"Riding at {w} kilometers per hour, {b} comes toward {a}, who rides toward {b} at "
            f"{v} kilometers per hour. At the beginning there are {far} kilometers between them. "
            f"How many hours does it take until they meet?",
        ),
        aside=f"There are {d.between(2, 9)} bridges on the way.",
    )


@template(steps=2)
def burning_candle(d: Draw) -> Wordings:
    who, rate, hours, left = d.person(), d.between(6, 24), d.between(2, 9), d.between(12, 90)
    rate, left = known(rate / 10), known(left / 10)
    tall = known(rate * hours + left)
    burned = d.step("The part that burns is", rate * hours, "centimeter")
    d.step("The candle is then as tall as", tall - burned, "centimeter")
    return Wordings(
        train=(
            f"{who} lights a candle that is {tall:centimeter} tall. Each hour it gets "
            f"{rate:centimeter} shorter. "
            f"How tall is the candle, in centimeters, after {hours} hours?",
            f"A burning candle loses {rate:centimeter} of its height every hour. {who} lets a "
            f"candle of {tall:centimeter} burn for {hours} hours. "
            f"How many centimeters of this candle are left?",
        ),
        test=(
            f"For {hours} hours {who} reads by the light of a candle. It measured "
            f"{tall:centimeter} at first and melts down by {rate:centimeter} per hour. "
            f"What is the height of this candle in centimeters at the end?",
        ),
        aside=f"{who} has {d.between(3, 12)} more candles in a drawer.",
    )


@template(steps=3)
def catching_up(d: Draw) -> Wordings:
    a, b, t = d.person(), d.person(), int(d.between(3, 9))
    start, unit = d.between(1, t // 3), d.between(30 // t, 64 // t)
    slow, fast = known(unit * t), known(unit * t + unit * start)
    gap = d.step(f"The lead of {a} is", slow * start, "mile")
    closing = d.step("Each hour the lead shrinks by", fast - slow, "mile")
    d.step(f"{b} needs", gap / closing, "hour")
    return Wordings(
        train=(
            f"{a} drives along a highway at {slow} miles per hour. {b} starts {start:hour} later "
            f"from the same place and follows at {fast} miles per hour. "
            f"How many hours does {b} need to catch up with {a}?",
            f"A truck with {a} at the wheel leaves the depot and goes at a steady {slow} miles "
            f"per hour. {start:hour} after it, {b} follows on the same road at {fast} miles per "
            f"hour. How many hours does {b} drive until {b} reaches the truck?",
        ),
        test=(
            f"{b} leaves home {start:hour} after {a} and takes the same route. {b} moves at "
            f"{fast} miles per hour and {a} only at {slow} miles per hour. "
            f"For how many hours has {b} been on the way when the two meet?",
        ),
        aside=f"Both of them carry {d.between(4, 30)} parcels.",
    )


@template(steps=3)
def commute_hours(d: Draw) -> Wordings:
    who, way = d.person(), d.between(12, 54, by=6)
    days, weeks = d.between(2, 6), d.between(2, 12)
    daily = d.step(f"On such a day {who} travels", way * 2, "minute")
    total = d.step(f"On all {known(days * weeks)} days it is", daily * days * weeks, "minute")
    d.step("In hours this is", total / 60, "hour")
    return Wordings(
        train=(
            f"It takes {who} {way} minutes to get to work and just as long to get back. {who.He} "
            f"does this {days} days a week. How many hours does {who} travel in {weeks} weeks?",
            f"On {days} days of each week {who} rides the train to school and home again. One "
            f"ride is {way} minutes long. "
            f"How many hours does {who.he} spend on these rides in {weeks} weeks?",
        ),
        test=(
            f"For {weeks} weeks {who} attends a course {days} days a week. Going there takes "
            f"{way} minutes and coming back takes the same time. "
            f"What is the total time on the way, in hours?",
        ),
        aside=f"There are {d.between(2, 9)} bridges on the way.",
    )


@template(steps=3)
def lessons_and_breaks(d: Draw) -> Wordings:
    who, n, lesson, pause = d.person(), d.between(3, 7), d.between(25, 55, by=5), d.between(5, 20)
    taught = d.step("The lessons last", n * lesson, "minute")
    rest = d.step("The breaks last", (n - 1) * pause, "minute")
    d.step("From beginning to end it is", taught + rest, "minute")
    return Wordings(
        train=(
            f"{who} has {n} lessons of {lesson} minutes in a row. Between two lessons there is "
            f"always a break of {pause} minutes. How many minutes pass from the beginning of the "
            f"first lesson to the end of the last one?",
            f"{who} teaches {n} dance lessons one after the other, each {lesson} minutes long. "
            f"{who.He} rests for {pause} minutes after every lesson except the last. "
            f"How many minutes does the whole program take?",
        ),
        test=(
            f"A {pause}-minute pause separates each of {who}'s lessons from the next one. There "
            f"are {n} lessons today, and every one lasts {lesson} minutes. "
            f"How long is it, in minutes, from the start of the first lesson to the end of the "
            f"final one?",
        ),
        aside=f"The room has {d.between(15, 35)} chairs.",
    )


@template(steps=3)
def leaking_tank(d: Draw) -> Wordings:
    who, net, leak, minutes = d.person(), d.between(4, 20), d.between(1, 3), d.between(8, 45)
    start, pump = d.between(10, 120, by=5), known(net + leak)
    size = known(start + net * minutes)
    missing = d.step("The tank still needs", size - start, "liter")
    gain = d.step("Each minute it gains", pump - leak, "liter")
    d.step("It is full after", missing / gain, "minute")
    return Wordings(
        train=(
            f"{who} fills a tank that holds {size} liters. There are already {start} liters in "
            f"it. A pump adds {pump:liter} a minute, but the tank loses {leak:liter} a minute "
            f"through a crack. How many minutes does it take until the tank is full?",
            f"A garden pond holds {size} liters and contains {start} liters now. {who}'s hose "
            f"brings {pump:liter} each minute, while the ground soaks up {leak:liter} each minute. "
            f"After how many minutes will the pond be full?",
        ),
        test=(
            f"Water flows out of {who}'s barrel at {leak:liter} per minute and into it at "
            f"{pump:liter} per minute. The barrel can hold {size} liters. "
            f"If the barrel starts with {start} liters, "
            f"in how many minutes is it filled to the top?",
        ),
        aside=f"The water has a temperature of {d.between(9, 18)} degrees.",
    )


@template(steps=3)
def download_time(d: Draw) -> Wordings:
    who, rate, seconds = d.person(), d.between(3, 25), d.between(10, 90)
    p = d.between(10, 90, by=10)
    size = known(rate * seconds * 10)
    done = d.step("Already there are", size * p / 100, "megabyte")
    left = d.step("There remain", size - done, "megabyte")
    d.step("This takes", left / rate, "second")
    return Wordings(
        train=(
            f"{who} downloads a file of {size} megabytes. {p}% of it is already there, and the "
            f"rest comes at {rate} megabytes per second. "
            f"How many more seconds does the download take?",
            f"A computer receives {rate} megabytes every second. {who} is waiting for a game of "
            f"{size} megabytes, of which {p}% has arrived so far. "
            f"In how many seconds will all of the game be there?",
        ),
        test=(
            f"{p}% of a video has reached {who}'s phone. The whole video has {size} megabytes, "
            f"and the connection carries {rate} megabytes a second. "
            f"How many seconds are needed for the part that is still missing?",
        ),
        aside=f"The battery shows {d.between(30, 95)}%.",
    )


@template(steps=4)
def book_in_days(d: Draw) -> Wordings:
    who, pace, days = d.person(), d.between(9, 30), d.between(3, 9)
    new, later = known(pace + d.between(3, 15)), d.between(3, 12)
    pages = known(pace * days + new * later)
    read = d.step(f"In the first {days} days {who} reads", pace * days, "page")
    left = d.step("There remain", pages - read, "page")
    more = d.step("They take", left / new, "day")
    d.step("In all it takes", days + more, "day")
    return Wordings(
        train=(
            f"{who} reads a book of {pages} pages. For the first {days} days {who.he} reads "
            f"{pace} pages a day, and after that {new} pages a day until the end. "
            f"How many days does {who.he} need for the whole book?",
            f"A novel has {pages} pages. {who} begins with {pace} pages a day. After {days} days "
            f"{who.he} likes it so much that {who.he} reads {new} pages every day until it is "
            f"finished. On how many days in total does {who} read the novel?",
        ),
        test=(
            f"{who} wants to finish the {pages} pages of a diary. The plan is {pace} pages on "
            f"each of the first {days} days and {new} pages on every day that follows. "
            f"How many days will it take from start to finish?",
        ),
        aside=f"The book weighs {d.between(300, 900, by=10)} grams.",
    )


@template(steps=4)
def more_machines(d: Draw) -> Wordings:
    who, thing, rate = d.person(), d.pick(MACHINE_MADE), d.between(6, 45)
    few, short = d.between(2, 6), d.between(2, 6)
    many, long = d.between(7, 14), d.between(7, 12)
    made = known(few * short * rate)
    hourly = d.step(f"In an hour {few} machines make", made / short, thing)
    single = d.step("One machine makes", hourly / few, thing)
    all_hourly = d.step(f"In an hour {many} machines make", single * many, thing)
    d.step(f"In {long} hours they make", all_hourly * long, thing)
    return Wordings(
        train=(
            f"In {who}'s factory {few} machines make {made:{thing}} in {short} hours. "
            f"At the same rate, how many {thing.many} do {many} such machines make in {long} "
            f"hours?",
            f"{who} runs {few} equal machines, and after {short} hours they have made "
            f"{made:{thing}}. Tomorrow {who} will run {many} machines of the same kind for {long} "
            f"hours. How many {thing.many} will they make?",
        ),
        test=(
            f"How much can a workshop produce? {who} knows that {made:{thing}} come out of {few} "
            f"machines in {short} hours, and that all machines are equally fast. "
            f"What number of {thing.many} come out of {many} machines in {long} hours?",
        ),
        aside=f"A machine weighs {d.between(200, 900, by=10)} kilograms.",
    )


@template(steps=5)
def average_speed(d: Draw) -> Wordings:
    who, place, t, u = d.person(), d.pick(PLACES), d.between(1, 5), d.between(2, 6)
    mean, m = d.between(40, 56), d.between(1, 3)
    v, w = known(mean + m * u), known(mean - m * t)
    first = d.step("The first part is", v * t, "mile")
    second = d.step("The second part is", w * u, "mile")
    far = d.step("The whole way is", first + second, "mile")
    time = d.step("The whole time is", t + u, "hour")
    d.step("The average speed is", far / time, "mile per hour")
    return Wordings(
        train=(
            f"On the way to {place}, {who} drives {t:hour} at {v} miles per hour and then {u:hour} "
            f"at {w} miles per hour. What is the average speed for the whole trip in miles per "
            f"hour?",
            f"{who}'s trip to {place} has two parts. The first takes {t:hour} at {v} miles per "
            f"hour, and the second takes {u:hour} at {w} miles per hour. "
            f"How many miles per hour does {who} drive on average over the whole trip?",
        ),
        test=(
            f"At {v} miles per hour for {t:hour}, and later at {w} miles per hour for {u:hour}, "
            f"{who} gets to {place}. If the average speed is the whole distance divided by the "
            f"whole driving time, how many miles per hour is it?",
        ),
        aside=f"{who} listens to {d.between(12, 40)} songs on the way.",
    )


@template(steps=6)
def road_trip(d: Draw) -> Wordings:
    who, place, n = d.person(), d.pick(PLACES), known(d.pick((2, 4, 5)))
    reach, gallons, price = d.between(22, 40), d.between(3, 8), d.cents(300, 450, by=10)
    nights, night = d.between(2, 5), d.between(60, 140)
    way, others = known(reach * gallons), known(n - 1)
    both = d.step("There and back it is", way * 2, "mile")
    fuel = d.step("The car needs", both / reach, "gallon")
    gas = d.step("The gas costs", fuel * price, "$")
    hotel = d.step("The hotel costs", nights * night, "$")
    total = d.step("Together this is", gas + hotel, "$")
    d.step("Each person pays", total / n, "$")
    return Wordings(
        train=(
            f"{who} and {others:friend} drive {way} miles to {place} and the same way back. Their "
            f"car goes {reach} miles on a gallon of gas, and a gallon costs {price:$}. They also "
            f"pay {night:$} a night for {nights} nights in a hotel. They share the cost of gas "
            f"and hotel equally. How much does each of them pay?",
            f"A group of {n} people, with {who} at the wheel, visits {place}, which is {way} miles "
            f"from home. The hotel takes {night:$} per night from the whole group, and they stay "
            f"{nights} nights. Gas costs {price:$} a gallon, and a gallon lasts for {reach} miles. "
            f"If they divide the hotel bill and the gas for the way there and back evenly, "
            f"how many dollars does everyone pay?",
        ),
        test=(
            f"{who}'s van uses a gallon of gas, at {price:$} a gallon, for every {reach} miles. "
            f"With {n} people in it, it goes to {place}, {way} miles away, and returns by the same "
            f"road. In between, the group spends {nights} nights in a cottage that costs {night:$} "
            f"a night. What is the share of each of the {n} people in the cost of gas and cottage?",
        ),
        aside=f"They take {d.between(14, 60)} photos on the trip.",
    )
