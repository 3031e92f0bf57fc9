"""ReAct's page semantics, one edge at a time, and against a second description of them."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages_of_react import ReactWiki

from react_envs.core import ReactEnv
from react_envs.errors import ToolFailure
from react_envs.retrieval import Page, PageStore
from react_envs.tasks import TaskList
from react_envs.tools import Think, Tool, call_tool, page_tools
from react_envs.tools.pages import split_sentences
from react_envs.types import Task

TASK = Task("?", ("1",))

MILHOUSE = (
    "Milhouse Van Houten is a character. He was created by Dr. M. Groening in 1989. He is ten. "
    "He has blue hair.\nHistory\nHe was named after Richard Nixon. Later he grew. "
    "The end, e.g. now."
)
PAGES = [
    Page("Milhouse", MILHOUSE),
    Page("Mercury", "Mercury may refer to:\nMercury (planet), a planet", disambiguation=True),
    Page("Mercury (planet)", "Mercury is the first planet."),
    Page("Tokyo 東京", "東京 is the capital of Japan. It is large."),
    Page("مدينة", "مدينة is a city whose name is read from the right."),
    Page("🦊 fox", "🦊 is red, and quick too."),
]


def store() -> PageStore:
    return PageStore(PAGES, {"Van Houten": "Milhouse"})


def tools(strict_react: bool = False, source: Any = None) -> tuple[Tool, Tool]:
    found = source if source is not None else store()
    search, lookup = page_tools(lambda task: found, strict_react)
    for tool in (search, lookup):
        tool.start(TASK, 0)
    return search, lookup


def text(tool: Tool, argument: str) -> str:
    (name,) = tool.parameters["required"]
    return call_tool(tool, {name: argument}).text


def test_search_shows_the_first_five_sentences() -> None:
    search, _ = tools()
    assert text(search, "Milhouse") == (
        "Milhouse Van Houten is a character. He was created by Dr. M. Groening in 1989. "
        "He is ten. He has blue hair. History"
    )
    search, _ = tools(strict_react=True)
    assert text(search, "Milhouse") == (
        "Milhouse Van Houten is a character. He was created by Dr. M. Groening in 1989. He is ten."
    )


def test_strict_sentences_are_cut_as_react_cuts_them() -> None:
    assert split_sentences(MILHOUSE, strict_react=True) == [
        "Milhouse Van Houten is a character.",
        "He was created by Dr.",
        "M.",
        "Groening in 1989.",
        "He is ten.",
        "He has blue hair..",  # a full stop is added to each piece
        "He was named after Richard Nixon.",  # "History" has two words or fewer
        "Later he grew.",
        "The end, e.g.",
        "now..",
    ]


@pytest.mark.parametrize(
    ("line", "sentences"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("He met J. R. R. Tolkien. They ate.", ["He met J. R. R. Tolkien.", "They ate."]),
        ("In the U.S. Army he slept. He woke.", ["In the U.S. Army he slept.", "He woke."]),
        ("She said \"Go.\" He went.", ["She said \"Go.\"", "He went."]),
        ("It cost 3.50 dollars. No. 5 is red.", ["It cost 3.50 dollars.", "No. 5 is red."]),
        ("See vol. 2, pp. 3–4. It was ca. 1900.", ["See vol. 2, pp. 3–4.", "It was ca. 1900."]),
        ("A dot. followed by a small letter.", ["A dot. followed by a small letter."]),
        ("東京は首都です。 大きい。", ["東京は首都です。", "大きい。"]),
        ("Wait... What?", ["Wait...", "What?"]),
        ("  ", []),
        ("", []),
    ],
)  # fmt: skip
def test_clean_sentences_end_where_they_end(line: str, sentences: list[str]) -> None:
    assert split_sentences(line) == sentences


@given(st.text(alphabet="aB .!?\n\"')e"))
def test_clean_sentences_lose_nothing_but_blanks(page: str) -> None:
    assert "".join("".join(split_sentences(page)).split()) == "".join(page.split())


@pytest.mark.parametrize("strict_react", [True, False])
def test_a_miss_keeps_the_page_and_the_place_in_it(strict_react: bool) -> None:
    search, lookup = tools(strict_react)
    text(search, "Milhouse")
    first = text(lookup, "he")
    assert first.startswith("(Result 1 / ")
    assert text(search, "Melhouse") == "Could not find Melhouse. Similar: ['Milhouse']."
    assert text(lookup, "he").startswith("(Result 2 / ")


def test_similar_titles_are_written_as_a_python_list() -> None:
    search, _ = tools()
    assert text(search, "the planet Mercury") == (
        "Could not find the planet Mercury. Similar: ['Mercury (planet)', 'Mercury']."
    )
    assert text(search, "xyzzy") == "Could not find xyzzy. Similar: []."
    quoted = PageStore([Page("Ocean's Eleven", "A film."), Page('The "Big" One', "A book.")])
    search, _ = tools(source=quoted)
    assert text(search, "oceans eleven x").endswith('Similar: ["Ocean\'s Eleven"].')


def test_at_most_five_similar_titles() -> None:
    search, _ = tools(source=PageStore(Page(f"Fox number {i}", "A fox.") for i in range(9)))
    result = call_tool(search, {"entity": "a fox"})
    assert result.text.count("Fox number") == 5
    assert result.meta["found"] is False


def test_lookup_walks_the_sentences_and_ends() -> None:
    search, lookup = tools()
    text(search, "Milhouse")
    assert [text(lookup, "HE") for _ in range(4)][2:] == [
        "(Result 3 / 6) He has blue hair.",
        "(Result 4 / 6) He was named after Richard Nixon.",
    ]
    assert [text(lookup, "HE") for _ in range(3)][1:] == [
        "(Result 6 / 6) The end, e.g. now.",
        "No more results.",
    ]
    assert text(lookup, "HE") == "No more results."


def test_the_same_keyword_in_another_case_begins_again() -> None:
    search, lookup = tools()
    text(search, "Milhouse")
    assert text(lookup, "blue") == "(Result 1 / 1) He has blue hair."
    assert text(lookup, "Blue") == "(Result 1 / 1) He has blue hair."
    assert text(lookup, "blue") == "(Result 1 / 1) He has blue hair."


def test_a_new_page_begins_the_lookup_again() -> None:
    search, lookup = tools()
    text(search, "Milhouse")
    text(lookup, "is ten")
    text(search, "Mercury (planet)")
    assert text(lookup, "is ten") == "No more results."
    text(search, "Milhouse")
    assert text(lookup, "is ten") == "(Result 1 / 1) He is ten."


@pytest.mark.parametrize(
    ("strict_react", "told"), [(True, "No more results.\n"), (False, "No more results.")]
)
def test_lookup_before_any_search_finds_nothing(strict_react: bool, told: str) -> None:
    _, lookup = tools(strict_react)
    assert text(lookup, "he") == told
    assert text(lookup, "") == told


def test_a_keyword_looked_up_before_the_search_is_looked_up_again() -> None:
    search, lookup = tools()
    text(lookup, "is ten")
    text(search, "Milhouse")
    assert text(lookup, "is ten") == "(Result 1 / 1) He is ten."


@pytest.mark.parametrize("strict_react", [True, False])
def test_a_list_of_meanings_is_given_up_for_its_search_results(strict_react: bool) -> None:
    search, lookup = tools(strict_react)
    text(search, "Milhouse")
    shown = text(search, "Mercury")
    assert shown == "Could not find [Mercury]. Similar: ['Mercury', 'Mercury (planet)']."
    assert text(lookup, "is ten") == "(Result 1 / 1) He is ten.", "the page stays open"


def test_a_list_of_meanings_that_leads_to_another_is_given_up_too() -> None:
    class Endless(PageStore):
        def page(self, title: str) -> Page | None:
            self.asked = [*getattr(self, "asked", []), title]
            return Page(title, f"{title} may refer to:\nmany things")

    source = Endless([Page("A", "a")])
    search, _ = tools(source=source)
    assert text(search, "X").startswith("Could not find [X]. Similar: [")
    assert source.asked == ["X", "[X]"]


@pytest.mark.parametrize("title", ["Tokyo 東京", "مدينة", "🦊 fox", "van houten"])
def test_titles_of_any_script_are_found(title: str) -> None:
    search, lookup = tools()
    assert "Could not find" not in text(search, title)
    assert text(lookup, " is ").startswith("(Result 1 / ")


@pytest.mark.parametrize("entity", ["", " ", "]", "[", "\x00", "\ud800", "a" * 100_000, "\n"])
def test_any_text_can_be_asked_for(entity: str) -> None:
    search, lookup = tools()
    assert text(search, entity).startswith("Could not find ")
    assert text(lookup, entity) == "No more results."


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("A line with \\n in it. Done", "A line with. in it. Done."),
        ("The number \\d stays as it is", "The number \\d stays as it is."),
        ("A formula {\\displaystyle \\nu } is here", "A formula {\\displaystyle. u } is here."),
        ("A broken \\x escape stays too", "A broken \\x escape stays too."),
        ("Letters as \\u00e9 cannot be read", "Letters as \\u00e9 cannot be read."),
        ("Both é and \\t are read", "Both é and \t are read."),
    ],
)
def test_strict_pages_have_their_backslash_escapes_decoded(page: str, shown: str) -> None:
    """As ReAct's `clean_str` does; where it would raise, the text stays as it is."""
    search, _ = tools(strict_react=True, source=PageStore([Page("P", page)]))
    assert text(search, "P") == shown
    search, _ = tools(source=PageStore([Page("P", page)]))
    assert "\\" in text(search, "P")


words = st.sampled_from(
    ["He", "it", "Dr.", "a.", "end.", "x", "\n", "\n\n", ". ", "..", "é", "J.", "Ten", " "]
)
blocks = st.lists(st.lists(words, max_size=9).map(" ".join), max_size=4)
steps = st.lists(
    st.tuples(
        st.sampled_from(["search", "lookup"]),
        st.sampled_from(["One", "Two", "List", "[List]", "None", "he", "HE", "t", "."]),
    ),
    max_size=12,
)


@given(one=blocks, two=blocks, actions=steps)
def test_strict_messages_are_reacts_to_the_character(
    one: list[str], two: list[str], actions: list[tuple[str, str]]
) -> None:
    def as_lines(page: list[str]) -> list[str]:
        return [line.strip() for line in "\n".join(page).split("\n")]

    pages = {"One": as_lines(one), "Two": as_lines(two), "List": ["List may refer to:"]}

    class Source:
        def page(self, title: str) -> Page | None:
            return Page(title, "\n".join(pages[title])) if title in pages else None

        def similar(self, title: str, k: int = 5) -> list[str]:
            return [f"like {title}", "One"]

        def close(self) -> None: ...

    results = {t: [f"like {t}", "One"] for t in ("None", "he", "HE", "t", ".", "[List]")}
    published = ReactWiki(pages, results)
    search, lookup = tools(strict_react=True, source=Source())
    for tool, argument in actions:
        ours = text(search if tool == "search" else lookup, argument)
        assert ours == getattr(published, tool)(argument)


class Broken:
    """A source whose network is down."""

    def page(self, title: str) -> Page | None:
        raise ToolFailure("no route to host", "network")

    def similar(self, title: str, k: int = 5) -> list[str]:
        raise AssertionError("never asked")

    def close(self) -> None: ...


def test_a_source_that_fails_is_a_typed_failure_and_no_result() -> None:
    search, lookup = tools(source=Broken())
    result = call_tool(search, {"entity": "Milhouse"})
    assert (result.ok, result.failure) == (False, "network")
    assert "Could not find" not in result.text
    assert "route" not in result.text
    assert text(lookup, "he") == "No more results."


def test_a_failure_keeps_the_page_that_is_open() -> None:
    class Failing(PageStore):
        down = False

        def page(self, title: str) -> Page | None:
            if self.down:
                raise ToolFailure("down", "network")
            return super().page(title)

    source = Failing(PAGES)
    search, lookup = tools(source=source)
    text(search, "Milhouse")
    source.down = True
    call_tool(search, {"entity": "Mercury (planet)"})
    assert text(lookup, "is ten") == "(Result 1 / 1) He is ten."


def test_think_is_a_tool_that_does_nothing() -> None:
    assert text(Think(), "I should search.") == "Nice thought."


def step(env: ReactEnv, tool: str, argument: str) -> Any:
    return env.step(f"Action: {tool}\nAction Input: {argument}\n")[4]["tool_result"]


def test_both_tools_read_one_page_and_two_environments_two() -> None:
    source = store()
    shared = page_tools(lambda task: source)
    one, two = (ReactEnv(TaskList([TASK]), shared) for _ in range(2))
    for env in (one, two):
        env.reset(seed=0)
    step(one, "search", "Milhouse")
    assert step(two, "lookup", "is ten") == "No more results."
    assert step(one, "lookup", "is ten") == "(Result 1 / 1) He is ten."
    one.reset(seed=0)
    assert step(one, "lookup", "is ten") == "No more results.", "a new episode has no page open"


def milhouse_source(task: Task) -> PageStore:
    return store()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_an_environment_that_is_copied_keeps_its_place(copied: Any) -> None:
    env = ReactEnv(TaskList([TASK]), page_tools(milhouse_source))
    env.reset(seed=0)
    step(env, "search", "Milhouse")
    step(env, "lookup", "he")
    other = copied(env)
    assert step(other, "lookup", "he").startswith("(Result 2 / ")
    assert step(env, "lookup", "he").startswith("(Result 2 / ")
    assert "Mercury is the first planet." in step(other, "search", "Mercury (planet)")


def test_whatever_else_a_source_does_is_its_failure_and_no_text() -> None:
    class Odd:
        def page(self, title: str) -> Any:
            raise IndexError("damaged")

        def similar(self, title: str, k: int = 5) -> list[str]:
            return []

        def close(self) -> None: ...

    source = Odd()
    env = ReactEnv(TaskList([TASK]), page_tools(lambda task: source))
    env.reset(seed=0)
    *_, info = env.step("Action: search\nAction Input: Milhouse\n")
    assert info["tool_failure"] == "source"
    assert "damaged" not in info["tool_result"]
