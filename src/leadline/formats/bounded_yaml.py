"""Someone else's YAML into plain values, within limits.

Only the safe schema is read: no tags that name code. Anchors are taken, since compose files use them,
but what they stand for is counted at every use, so that a few lines cannot grow into gigabytes. A key
that stands twice is refused, because two readers may differ on it.

Source: YAML 1.1 as PyYAML's safe loader reads it.
"""

from collections.abc import Iterable

import yaml  # type: ignore[import-untyped]

from leadline.core.errors import Invalid
from leadline.formats.document import repeated

BYTES_MAX = 1 << 20
DEPTH_MAX = 32
TEXTS_MAX = 200_000
VALUES_MAX = 50_000  # with every alias written out
TEXT_LENGTH = 128  # a longer text counts as several values
NUMBER_LENGTH_MAX = 100
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


def load(data: bytes, name: str) -> object:
    """The value of the one YAML document in *data*; *name* stands in the error.

    Raises: Invalid, if it is too large, too deep or grows too large by its aliases, is no UTF-8 or
    no YAML, repeats a key, or has a number of more than `NUMBER_LENGTH_MAX` characters.
    """
    if len(data) > BYTES_MAX:
        raise Invalid(name, f"longer than {BYTES_MAX} bytes")
    try:
        text = data.decode("utf-8-sig")
        _bound(text, name)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is not None:
            _check(root, set())
        return yaml.safe_load(text)
    except UnicodeDecodeError as error:
        raise Invalid(name, f"no UTF-8: {error}") from None
    except (LookupError, AttributeError, ArithmeticError):
        # What the library makes of an empty !!int, !!bool x, !!timestamp x, an escape beyond Unicode.
        raise Invalid(name, "no YAML: a text is not what its tag or its escape says") from None
    except (yaml.YAMLError, ValueError) as error:
        raise Invalid(name, f"no YAML: {' '.join(str(error).split())[:200]}") from None


def _bound(text: str, name: str) -> None:
    """Walk the events, which takes no more memory than the text, before anything is built."""
    sizes: dict[str, int] = {}  # values below each anchor, aliases written out
    open_: list[tuple[str | None, int]] = []  # anchor and number of values before, per collection
    total = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        anchor = getattr(event, "anchor", None)
        if isinstance(event, yaml.AliasEvent):
            if anchor not in sizes:
                raise Invalid(name, f"the alias {anchor} stands inside what it stands for")
            total += sizes[anchor]
        elif isinstance(event, yaml.ScalarEvent):
            size = 1 + len(event.value) // TEXT_LENGTH
            total += size
            _remember(sizes, anchor, size)
        elif isinstance(event, yaml.CollectionStartEvent):
            total += 1
            open_.append((anchor, total))
        elif isinstance(event, yaml.CollectionEndEvent):
            begun, before = open_.pop()
            _remember(sizes, begun, total - before + 1)
        if len(open_) > DEPTH_MAX:
            raise Invalid(name, f"nested too deeply; {DEPTH_MAX} levels are taken")
        if total > VALUES_MAX:
            raise Invalid(name, f"more than {VALUES_MAX} values, aliases written out; divide it")


def _remember(sizes: dict[str, int], anchor: str | None, size: int) -> None:
    if anchor is not None:
        sizes[anchor] = size


def _check(node: yaml.Node, seen: set[int]) -> None:
    """Refuse a key that stands twice and a number too long; each node is looked at once."""
    scalar = isinstance(node, yaml.ScalarNode)
    if node.tag in _NUMBERS and not (scalar and len(node.value) <= NUMBER_LENGTH_MAX):
        # A longer one takes long to compute and cannot be written out again; a mapping may hide one.
        raise yaml.YAMLError(f"a number is one text of at most {NUMBER_LENGTH_MAX} characters")
    if id(node) in seen or scalar:
        return
    seen.add(id(node))
    mapping = isinstance(node, yaml.MappingNode)
    keys = [(key.tag, key.value) for key, _ in node.value] if mapping else []
    texts = [key for key in keys if isinstance(key[1], str) and key[1] != "<<"]
    if len(set(texts)) != len(texts):
        raise yaml.YAMLError(f"the key {repeated(word for _, word in texts)!r} stands twice")
    for below in node.value:
        for one in below if mapping else (below,):
            _check(one, seen)


def load_texts(data: bytes, name: str) -> object:
    """The value of the one YAML document in *data*, every scalar as the text it is written with.

    So a version ``1.10`` stays what it is and a date stays a text. Anchors, aliases and tags are refused.

    Raises: Invalid, as `load`.
    """
    if len(data) > BYTES_MAX:
        raise Invalid(name, f"longer than {BYTES_MAX} bytes")
    try:
        loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
        return _Texts(name).value(yaml.parse(data.decode("utf-8-sig"), Loader=loader))
    except UnicodeDecodeError as error:
        raise Invalid(name, f"no UTF-8: {error}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise Invalid(name, f"no YAML: {' '.join(str(error).split())[:200]}") from None


class _Texts:
    """Builds plain values from events, one collection above another; nothing calls itself."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._open: list[list[object]] = [[]]
        self._kinds: list[bool] = []  # whether each open collection is a mapping
        self._count = 0

    def value(self, events: Iterable[yaml.Event]) -> object:
        """The one value that the events make."""
        for event in events:
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise Invalid(self._name, "anchors and aliases are not read; write the value out")
            if isinstance(event, yaml.ScalarEvent):
                self._take(event.value)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._open.append([])
                self._kinds.append(isinstance(event, yaml.MappingStartEvent))
                if len(self._kinds) > DEPTH_MAX:
                    raise Invalid(self._name, f"nested too deeply; {DEPTH_MAX} levels are taken")
            elif isinstance(event, yaml.CollectionEndEvent):
                held = self._open.pop()
                self._take(self._mapping(held) if self._kinds.pop() else held)
            elif isinstance(event, yaml.DocumentEndEvent) and len(self._open[0]) != 1:
                raise Invalid(self._name, "one YAML document is expected")
        return self._open[0][0] if self._open[0] else None

    def _take(self, value: object) -> None:
        self._count += 1
        if self._count > TEXTS_MAX:
            raise Invalid(self._name, f"more than {TEXTS_MAX} values; divide it")
        self._open[-1].append(value)

    def _mapping(self, held: list[object]) -> dict[str, object]:
        keys = [key for key in held[::2] if isinstance(key, str)]
        if len(keys) < len(held) // 2:
            raise Invalid(self._name, "a key is no text")
        found = dict(zip(keys, held[1::2], strict=True))
        if len(found) < len(keys):
            raise Invalid(self._name, f"the key {repeated(keys)!r} stands twice in one mapping")
        return found
