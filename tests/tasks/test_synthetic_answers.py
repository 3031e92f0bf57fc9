"""Every template against a second solver that sees nothing but the question's text.

A new template adds one entry to `SOLVERS`: the answer as a formula or a search, written
without looking at the template's steps, and the order in which each wording (train, train,
..., test) gives its numbers. `_` marks a number that the formula does not need, such as
the 4 of "the 4th test" or a "half" that the formula knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from itertools import count

import pytest

from react_envs.tasks.synthetic import SyntheticMath
from react_envs.tasks.templates import TEMPLATES
from react_envs.types import Task

PROBLEMS = 12_000
"""Problems per split: about 155 of each template."""

_WORDS = {"a": 1, "two": 2, "three": 3, "four": 4, "third": 3, "quarter": 4, "fifth": 5}
_NUMBER = re.compile(
    r"(?P<digits>\d+(?:\.\d+)?(?:/\d+)?)"
    r"|\b(?P<twice>twice)\b|\b(?P<half>half)\b|\b(?P<times>three|four) times\b"
    r"|\b(?P<top>a|two|three|four) (?P<bottom>third|quarter|fifth)s?\b"
)


def numbers(text: str) -> list[Fraction]:
    """The numbers of a text in reading order, those in words included.

    >>> [str(n) for n in numbers("2.50 is half of 5, 3:4, two thirds and 3/4 of twice.")]
    ['5/2', '1/2', '5', '3', '4', '2/3', '3/4', '2']
    """
    found = []
    for match in _NUMBER.finditer(text):
        if match["digits"]:
            found.append(Fraction(match["digits"]))
        elif match["top"]:
            found.append(Fraction(_WORDS[match["top"]], _WORDS[match["bottom"]]))
        elif match["times"]:
            found.append(Fraction(_WORDS[match["times"]]))
        else:
            found.append(Fraction(2) if match["twice"] else Fraction(1, 2))
    return found


def first(holds: Callable[[int], bool]) -> int:
    """The smallest number from 0 for which `holds`; inverse problems are solved by search."""
    return next(x for x in count() if holds(x) or x > 10_000)


def reading_days(P, d, a, b):
    day = read = 0
    while read < P:
        day += 1
        read += a if day <= d else b
    assert read == P, "the last day must be a full one"
    return day


def five_shares(n, t, f, m, p):
    second = n * t
    half = Fraction(second - f, 2)
    assert half.denominator == 1
    return p * sum([n, second, 2 * half, half, half + m])


def ages(a, t, f):
    oldest = a * t
    middle = Fraction(a + oldest - f, 2)
    assert middle.denominator == 1
    return a + oldest + (oldest - f) + middle


Solver = tuple[Callable[..., Fraction | int], str, str, str]
SOLVERS: dict[str, Solver] = {
    # shopping
    "saved_on_sale": (lambda u, s: u - s, "u s", "s u", "u s"),
    "change_from_a_bill": (lambda b, n, p: b - n * p, "n p b", "p n b", "b n p"),
    "percent_off": (lambda v, p: v * (100 - p) / 100, "v p", "p v", "p v"),
    "spend_the_rest": (lambda b, k, p: first(lambda n: k + n * p == b), "b k p", "p b k", "b k p"),
    "two_kinds": (lambda n, a, m, b: n * a + m * b, "n a m b", "b a m n", "a b n m"),
    "tip_and_split": (
        lambda m, p, n=None, f=None: m / (n or f + 1) * (1 + p / 100),
        "f m p",
        "n m p",
        "n m p",
    ),
    "price_per_piece": (
        lambda n, s, m, l: (s * m - l * n) / (n * m),  # noqa: E741
        "n s m l",
        "n s m l",
        "m l n s",
    ),
    "discount_then_tax": (
        lambda v, p, t: v * (100 - p) * (100 + t) / 10_000,
        "v p t",
        "p v t",
        "t p v",
    ),
    "packs_or_singles": (lambda s, k, p, n: n / k * (k * s - p), "s k p n", "n k p s", "p k s n"),
    "tickets_with_coupon": (
        lambda a, p, c, q, o: a * p + c * q - o,
        "p q a c o",
        "a c p q o",
        "o c q a p",
    ),
    "every_second_at_half_price": (lambda v, n: n * v * 3 / 4, "v _ n", "n v _", "n v _"),
    "class_party": (
        lambda g, e, b, p, r, f: e * p / b + (r - f) / g,
        "g e b p r f",
        "r b p e g f",
        "f g r p b e",
    ),
    # earning
    "hourly_wage": (lambda r, h: r * h, "r h", "r h", "h r"),
    "pay_after_tax": (lambda v, p: v - v * p / 100, "v p", "v p", "p v"),
    "weeks_to_save": (
        lambda c, h, e, s: first(lambda w: h + w * (e - s) == c),
        "c h e s",
        "c e s h",
        "e s h c",
    ),
    "commission": (lambda b, p, n, v: b + n * p * v / 100, "b p n v", "n v b p", "p b n v"),
    "piece_work": (lambda r, h, d, v: v * d * h * r, "r h d v", "v d h r", "d h r v"),
    "installments": (lambda v, p, m: v / m * (1 - p / 100), "v p m", "v p m", "m p v"),
    "simple_interest": (lambda a, p, y: a * (100 + p * y) / 100, "a p y", "p a y", "y a p"),
    "monthly_budget": (
        lambda i, p, q, f: i * (100 - p - q) / 100 - f,
        "i p q f",
        "p i q f",
        "f q p i",
    ),
    "coin_jar": (lambda q, t, n: (25 * q + 10 * t + 5 * n) / 100, "q t n", "n t q", "t q n"),
    "overtime_week": (lambda r, n, x, h: r * (n + x * (h - n)), "r n x h", "h n r x", "n x r h"),
    "egg_farm": (
        lambda b, e, k, p, f: (b * e - k) * p / 12 - f,
        "b e k p f",
        "p b e k f",
        "b f e k p",
    ),
    "bake_sale": (
        lambda t, s, c, d, p, left: t * (s * p - c) - left * p - d,
        "t s c d p left",
        "d t s p left c",
        "p left t s c d",
    ),
    # counting
    "packing_boxes": (lambda n, k: first(lambda b: b * k == n), "n k", "k n", "n k"),
    "left_in_collection": (lambda h, g: h - g, "h g", "g h", "h g"),
    "share_after_keeping": (
        lambda t, k, f: first(lambda x: x * f + k == t),
        "t k f",
        "t k f",
        "k t f",
    ),
    "half_and_some_more": (
        lambda m, left: first(lambda x: Fraction(x, 2) - m == left),
        "_ m left",
        "_ m left",
        "left m _",
    ),
    "comparison_of_three": (
        lambda n, m, t, f: n + 2 * (t * n + m) - f,
        "n m t f",
        "n t m f",
        "f t m n",
    ),
    "bakery_backwards": (
        lambda s, w, left: first(lambda x: Fraction(x, 2) - s + w == left),
        "_ s w left",
        "left w s _",
        "left w s _",
    ),
    "legs_on_the_farm": (lambda n, m: 2 * (n + m) + 2 * m, "n m", "m n", "n m"),
    "animals_from_legs": (
        lambda legs, n: first(lambda x: 2 * n + 4 * x == legs),
        "legs n",
        "legs n",
        "n legs",
    ),
    "points_in_a_game": (
        lambda a, x, b, y, c, z: a * x + b * y + c * z,
        "a x b y c z",
        "c z b y a x",
        "y x z b a c",
    ),
    "treats_by_parts": (lambda t, p, e: t * (1 - p) / 2 - e, "t p _ e", "t p _ e", "t p _ e"),
    "seats_on_the_bus": (
        lambda seats, s, a, b, c, e, f: seats - s + (a + c + f) - (b + e),
        "seats s a b c e f",
        "s a b c e f seats",
        "seats s b a e c f",
    ),
    "chain_of_five": (five_shares, "n t f _ m p", "p n t f _ m", "m _ f t p n"),
    # travel
    "distance_at_speed": (lambda v, h: v * h, "v h", "v h", "h v"),
    "toward_each_other": (
        lambda far, v, w: first(lambda t: v * t == far - w * t),
        "far v w",
        "far v w",
        "w v far",
    ),
    "burning_candle": (lambda tall, r, h: tall - r * h, "tall r h", "r tall h", "h tall r"),
    "catching_up": (
        lambda s, lead, f: first(lambda t: f * t == s * (t + lead)),
        "s lead f",
        "s lead f",
        "lead f s",
    ),
    "commute_hours": (lambda m, d, w: m * d * w / 30, "m d w", "d m w", "w d m"),
    "lessons_and_breaks": (lambda n, m, p: n * (m + p) - p, "n m p", "n m p", "p n m"),
    "leaking_tank": (
        lambda size, s, p, leak: first(lambda t: s + p * t - leak * t == size),
        "size s p leak",
        "size s p leak",
        "leak p size s",
    ),
    "download_time": (lambda s, p, r: s * (100 - p) / 100 / r, "s p r", "r s p", "p s r"),
    "book_in_days": (reading_days, "P d a b", "P a d b", "P a d b"),
    "more_machines": (
        lambda f, m, s, k, h: m * k * h / (f * s),
        "f m s k h",
        "f s m k h",
        "m f s k h",
    ),
    "average_speed": (
        lambda t, v, u, w: (t * v + u * w) / (t + u),
        "t v u w",
        "t v u w",
        "v t w u",
    ),
    "road_trip": (
        lambda w, r, p, n, k, o=None, N=None: (2 * w / r * p + n * k) / (N or o + 1),
        "o w r p n k",
        "N w n k p r",
        "p r N w k n N",
    ),
    # measuring
    "map_scale": (lambda s, a: s * a, "_ s a", "a s", "a s _"),
    "glasses_of_water": (
        lambda g, s, c, d: d * g * s / c,
        "g s c _ d",
        "c _ s g d",
        "d s g c _",
    ),
    "fence_around_garden": (
        lambda a, b, g, p: p * (a + b + a + b - g),
        "a b g p",
        "a b p g",
        "p b a g",
    ),
    "square_like_rectangle": (lambda a, b: (a + b) ** 2 / 4, "a b", "b a", "a b"),
    "ribbon_pieces": (lambda m, n, p: 100 * m - n * p, "m n p", "n p m", "m p n"),
    "water_in_aquarium": (
        lambda a, b, h, f, k: f * a * b * h / k,
        "a b h f k",
        "a b h k f",
        "b a h f k",
    ),
    "recipe_for_more": (lambda f, a, m, h: a * m / f - h, "f a m h", "h m f a", "a f m h m"),
    "crates_on_a_truck": (
        lambda n, j, g, e, k: n * e + n * j * g / k,
        "n j g e k",
        "e j g n k",
        "k n e j g",
    ),
    "tiles_for_a_floor": (
        lambda a, b, e, p, s: p * (10_000 * a * b / e**2 + s),
        "a b e p s",
        "e p a b s",
        "b a e s p",
    ),
    "path_around_pool": (lambda a, b, p: 2 * p * (a + b + 2 * p), "a b p", "a b p", "p b a"),
    "paint_for_a_room": (
        lambda a, b, h, o, c, k, p: c * p / k * (2 * a * h + 2 * b * h - o),
        "a b h o c k p",
        "p k c a b h o",
        "p k c h b a o",
    ),
    # parts
    "percent_of_group": (lambda t, p: t * p / 100, "t p", "p t", "t p"),
    "what_percent_rest": (lambda t, p, q: t - t * p / 100 - t * q / 100, "t p q", "t p q", "p q t"),
    "growth_in_percent": (lambda a, b: 100 * b / a - 100, "a b", "a b", "b a"),
    "part_of_a_part": (lambda t, f, g: t * f * (1 - g), "f t g", "t f g", "t f g"),
    "ratio_of_colors": (lambda t, a, b: t * b / (a + b), "t a b", "a b t", "a b t"),
    "up_and_down": (lambda s, p, q: s * (100 + p) * (100 - q) / 10_000, "s p q", "s p q", "p q s"),
    "juice_mixture": (
        lambda a, s, b, w: (a * s + b * w) / (a + b),
        "a s b w",
        "b w a s",
        "b w a s",
    ),
    "blended_price": (
        lambda a, h, b, w: (a * h + b * w) / (a + b),
        "a h b w",
        "w h b a",
        "b w a h",
    ),
    "evening_at_the_theater": (
        lambda r, s, p, f, v: v * f * r * s * (1 - p / 100),
        "r s p f v",
        "r s p f v",
        "v r s p f",
    ),
    # people
    "score_of_the_partner": (
        lambda t, a: first(lambda b: a + b == t),
        "t a",
        "a t",
        "t a",
    ),
    "older_in_some_years": (lambda a, t, y: y + t * a, "a t y", "a t y", "t a y"),
    "mean_temperature": (
        lambda a, b, c, e, f: (a + b + c + e + f) / 5,
        "_ a b c e f",
        "a b c e f",
        "a b c e f",
    ),
    "sum_and_difference": (
        lambda t, d: first(lambda x: x + (x - d) == t),
        "t d",
        "t d",
        "d t",
    ),
    "years_until_multiple": (
        lambda c, p, t: first(lambda y: p + y == t * (c + y)),
        "c p t",
        "p c t",
        "c p t",
    ),
    "score_needed": (
        lambda a, b, c, g: first(lambda x: (a + b + c + x) / 4 == g),
        "a b c _ _ g _",
        "_ g a b c",
        "_ a b c g _",
    ),
    "without_the_lowest": (
        lambda n, m, x: m + (m - x) / (n - 1),
        "n m x",
        "n m x",
        "n m x",
    ),
    "savings_race": (
        lambda a, s, b, f: first(lambda w: a + s * w == b + f * w),
        "a s b f",
        "b f a s",
        "a b f s",
    ),
    "four_ages": (ages, "a t f", "f t a", "a t f"),
}


def answer_from_text(template: str, wording: int, question: str) -> Fraction:
    """Solve a question without a distractor; `wording` counts train's, then test's."""
    formula, *orders = SOLVERS[template]
    names, found = orders[wording].split(), numbers(question)
    assert len(names) == len(found), f"{template} {wording}: {names} and {found} in {question!r}"
    known: dict[str, Fraction] = {}
    for name, number in zip(names, found, strict=True):
        assert known.setdefault(name, number) == number or name == "_"
    known.pop("_", None)
    return Fraction(formula(**known))


def test_every_template_has_an_independent_solver() -> None:
    assert list(SOLVERS) == [template.name for template in TEMPLATES]


@pytest.fixture(scope="module")
def by_template() -> dict[str, list[Task]]:
    tasks: dict[str, list[Task]] = {template.name: [] for template in TEMPLATES}
    for split in ("train", "test"):
        problems = SyntheticMath(split, seed=1, distractors=0)
        for task in (problems[index] for index in range(PROBLEMS)):
            tasks[task.metadata["template"]].append(task)
    return tasks


@pytest.mark.parametrize("name", SOLVERS)
def test_answers_agree_with_a_solver_that_reads_only_the_question(name, by_template) -> None:
    seen = []
    for task in by_template[name]:
        wording = task.metadata["wording"] + (2 if task.split == "test" else 0)
        seen.append(wording)
        expected = answer_from_text(name, wording, task.question)
        assert Fraction(task.answers[0]) == expected, task.question
    assert len(seen) > 200
    assert set(seen) == {0, 1, 2}


def test_solvers_disagree_with_a_changed_number() -> None:
    """The check has teeth: another number in the text gives another answer."""
    task = SyntheticMath("train", difficulty=1, distractors=0)[0]
    name, wording = task.metadata["template"], task.metadata["wording"]
    number = re.findall(r"\d+", task.question)[0]
    changed = task.question.replace(number, str(int(number) + 1), 1)
    assert answer_from_text(name, wording, task.question) == Fraction(task.answers[0])
    assert answer_from_text(name, wording, changed) != Fraction(task.answers[0])
