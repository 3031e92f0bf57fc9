"""ReAct's Wikipedia tool written down a second time, from its description, to compare with."""

from __future__ import annotations


class ReactWiki:
    """Messages of `search[...]` and `lookup[...]` over pages given as lists of blocks.

    `pages` maps a query to the text blocks of the page it leads to; `results` maps any other
    query to the titles of its search results.
    """

    def __init__(self, pages: dict[str, list[str]], results: dict[str, list[str]]) -> None:
        self.pages, self.results = pages, results
        self.page: str | None = None
        self.keyword: str | None = None
        self.found: list[str] = []
        self.count = 0

    def search(self, entity: str) -> str:
        if entity not in self.pages:
            return f"Could not find {entity}. Similar: {self.results.get(entity, [])[:5]}."
        blocks = self.pages[entity]
        if any("may refer to:" in block for block in blocks):
            return self.search("[" + entity + "]")
        kept = [block for block in blocks if len(block.split(" ")) > 2]
        self.page = "".join(block + "\n" for block in kept)
        self.keyword = None
        return " ".join(self._sentences()[:5])

    def lookup(self, keyword: str) -> str:
        if keyword != self.keyword:
            self.keyword, self.count = keyword, 0
            self.found = [s for s in self._sentences() if keyword.lower() in s.lower()]
        if self.count >= len(self.found):
            return "No more results.\n"
        self.count += 1
        return f"(Result {self.count} / {len(self.found)}) {self.found[self.count - 1]}"

    def _sentences(self) -> list[str]:
        if self.page is None:
            return []
        sentences = []
        for paragraph in self.page.split("\n"):
            if paragraph.strip():
                sentences += paragraph.strip().split(". ")
        return [sentence.strip() + "." for sentence in sentences if sentence.strip()]
