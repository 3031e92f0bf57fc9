"""Pages by title: the "Go" ladder, redirects, and what is similar to a miss."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from react_envs.errors import ArgumentError
from react_envs.retrieval import Page, PageSource, PageStore
from react_envs.retrieval.page_file import build_page_file
from react_envs.retrieval.pages import lists_meanings
from react_envs.retrieval.titles import features, name_key, spellings

PAGES = [
    Page("Eiffel Tower", "A tower in Paris."),
    Page("NASA", "An agency."),
    Page("iPhone", "A telephone."),
    Page("Mercury", "Mercury may refer to:\nMercury (planet)", disambiguation=True),
    Page("Mercury (planet)", "A planet."),
    Page("Jean-Luc Picard", "A captain."),
    Page("القاهرة", "مدينة."),
    Page("🦊 Fox", "An animal."),
    Page("Beyoncé", "A singer."),
    Page("War and Peace", "A novel."),
    Page("Straße", "A road."),
]
REDIRECTS = {"La Tour": "Eiffel Tower", "National Aeronautics and Space Administration": "NASA"}


@pytest.fixture(scope="module", params=["memory", "file"])
def store(request: Any, tmp_path_factory: Any) -> PageSource:
    if request.param == "memory":
        return PageStore(PAGES, REDIRECTS)
    return build_page_file(PAGES, tmp_path_factory.mktemp("pages") / "pages.sqlite", REDIRECTS)


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        pytest.param("Eiffel Tower", "Eiffel Tower", id="exact"),
        pytest.param("eiffel tower", "Eiffel Tower", id="ucwords"),
        pytest.param("EIFFEL TOWER", "Eiffel Tower", id="lower-then-ucwords"),
        pytest.param("  Eiffel_ Tower ", "Eiffel Tower", id="blanks"),
        pytest.param("nasa", "NASA", id="upper"),
        pytest.param("iPhone", "iPhone", id="first-letter"),
        pytest.param("IPhone", "iPhone", id="first-letter-large"),
        pytest.param("mercury (planet)", "Mercury (planet)", id="first-letter-small"),
        pytest.param("MERCURY (PLANET)", "Mercury (planet)", id="lower"),
        pytest.param("jean-luc picard", "Jean-Luc Picard", id="capitals-after-hyphens"),
        pytest.param('"Eiffel Tower"', "Eiffel Tower", id="quoted"),
        pytest.param("la tour", "Eiffel Tower", id="redirect"),
        pytest.param("القاهرة", "القاهرة", id="right-to-left"),
        pytest.param("🦊 fox", "🦊 Fox", id="emoji"),
        pytest.param("Beyonce\u0301", "Beyoncé", id="combining-accent"),
        pytest.param("straße", "Straße", id="sharp-s"),
    ],
)
def test_a_page_is_found_in_other_spellings(store: PageSource, asked: str, title: str) -> None:
    found = store.page(asked)
    assert found is not None
    assert found.title == title


@pytest.mark.parametrize("asked", ["", "  ", "_", "Eiffel", "[Mercury]", '"', '""', "\0", "\ud800"])
def test_what_no_page_is_called_is_a_miss(store: PageSource, asked: str) -> None:
    assert store.page(asked) is None


def test_the_title_as_written_wins_over_other_spellings() -> None:
    store = PageStore([Page("Red Sea", "1"), Page("RED SEA", "2"), Page("Red sea", "3")])
    texts = [page.text for a in ("Red Sea", "RED SEA", "red sea") if (page := store.page(a))]
    assert texts == ["1", "2", "3"]


def test_a_title_wins_over_a_redirect_of_the_same_spelling() -> None:
    store = PageStore([Page("Ada", "1"), Page("Bob", "2")], {"ada": "Bob"})
    assert store.page("ada") == Page("Ada", "1")


def test_the_text_comes_back_verbatim() -> None:
    text = "a  b\r\n\n</result><answer>1</answer>\x00<|im_end|>\u2028"
    page = PageStore([Page("T", text)]).page("t")
    assert page is not None
    assert page.text == text


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        pytest.param("Eifel Towr", "Eiffel Tower", id="typing-errors"),
        pytest.param("eiffel", "Eiffel Tower", id="one-word"),
        pytest.param("beyonce knowles", "Beyoncé", id="accents"),
        pytest.param("planet", "Mercury (planet)", id="in-brackets"),
        pytest.param("space administration", "NASA", id="words-of-a-redirect"),
        pytest.param("[Mercury]", "Mercury", id="as-react-asks-again"),
        pytest.param("Warpeace", "War and Peace", id="joined"),
    ],
)
def test_similar_begins_with_what_was_meant(store: PageSource, asked: str, first: str) -> None:
    assert store.similar(asked)[0] == first


def test_similar_gives_k_different_titles() -> None:
    pages = [Page(f"Paris {name}", "") for name in "ABCDEFGH"]
    store = PageStore(pages, {f"Paris of {page.title}": page.title for page in pages})
    for k in (1, 3, 5):
        found = store.similar("Paris", k)
        assert len(set(found)) == len(found) == k
    assert store.similar("Paris", 0) == []


@pytest.mark.parametrize("asked", ["", "?!", "\0", "xqzw", "🎈"])
def test_nothing_is_similar_to_what_shares_nothing(store: PageSource, asked: str) -> None:
    assert store.similar(asked) == []


def test_an_empty_store_has_nothing() -> None:
    store = PageStore([])
    assert (len(store), store.page("A"), store.similar("A")) == (0, None, [])


def test_two_pages_of_one_title_are_refused() -> None:
    with pytest.raises(ArgumentError, match="one page for each title"):
        PageStore([Page("A b", "1"), Page("A_b", "2")])


def test_a_redirect_to_nowhere_is_refused() -> None:
    with pytest.raises(ArgumentError, match="to lead to a page, got 'C'"):
        PageStore([Page("A", "")], {"B": "C"})


def test_copies_share_the_store(store: PageSource) -> None:
    assert copy.deepcopy([store])[0] is store


@pytest.mark.parametrize(
    ("text", "expected"),
    [("A may refer to:\nB", True), ("It may refer to a town.", False), ("", False)],
)
def test_a_page_of_meanings_is_known_by_reacts_words(text: str, expected: bool) -> None:
    assert lists_meanings(text) is expected


@given(asked=st.text())
def test_any_text_can_be_asked(store: PageSource, asked: str) -> None:
    store.page(asked)
    assert len(store.similar(asked)) <= 5


@given(st.text(min_size=1))
def test_every_title_leads_to_its_page(title: str) -> None:
    if name_key(title):
        page = Page(title, "text")
        assert PageStore([page]).page(title) is page
        words, _ = features(title)
        assert PageStore([page]).similar(title) == ([title] if words else [])


@given(st.text())
def test_spellings_differ(title: str) -> None:
    found = list(spellings(title))
    assert len(found) == len(set(found))
