"""What a reader and a browser take from a page: its text, its elements, its outline."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from typing_extensions import override

VOID = {"meta", "img", "br", "link", "input"}


@dataclass
class Page:
    """The elements in order with their attributes, and the text outside `style`."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)

    def tags(self) -> list[str]:
        """Element names in order."""
        return [tag for tag, _ in self.elements]

    def having(self, tag: str) -> list[dict[str, str]]:
        """Attributes of each element of one name."""
        return [attributes for name, attributes in self.elements if name == tag]

    def words(self) -> str:
        """All text, white space folded."""
        return " ".join(" ".join(self.text).split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.open: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.page.unbalanced.append(tag)

    @override
    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.page.text.append(data)


def read(html: str) -> Page:
    """The page as a reader takes it."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.page.unbalanced.extend(reader.open)
    return reader.page
