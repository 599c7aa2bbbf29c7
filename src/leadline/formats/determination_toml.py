"""A determination as an official writes it down, in TOML, before signing it."""

from leadline.core.engagement.determination import (
    Answer,
    Determination,
    Outcome,
    Scope,
    Variant,
)
from leadline.core.measure.interval import check_alpha
from leadline.formats.toml_table import Table, open_table


def load_determination(content: bytes, file: str) -> Determination:
    """The determination that *content* states; *file* is the name that errors give.

    Raises: Invalid, naming file and key, or the field that cannot be right.
    """
    root = open_table(content, file)
    scope, errors = root.table("scope"), root.table("errors")
    made = Determination(
        scope=Scope(
            scope.text("model"),
            scope.text("weights_version"),
            scope.text("subject"),
            scope.choice("variant", Variant) if "variant" in scope else Variant.NOT_STATED,
        ),
        answer=root.choice("answer", Answer),
        outcome=root.choice("outcome", Outcome),
        basis=root.text("basis"),
        criteria=root.text("criteria"),
        alpha_above=_alpha(errors, "above", file),
        alpha_below=_alpha(errors, "below", file),
        official=root.text("official"),
        expires=root.moment("expires"),
        trigger=root.text("trigger"),
        caveats=root.texts("caveats"),
        demonstration=root.optional("demonstration", bool) or False,
        certificate=_text(root, "certificate"),
        statement=_text(root, "statement"),
        pack=_text(root, "pack"),
    )
    for table in (scope, errors, root):
        table.done()
    return made


def _alpha(table: Table, name: str, file: str) -> float:
    found = table.value(name, float)
    check_alpha(found, f"{file}: errors.{name}")
    return found


def _text(root: Table, name: str) -> str:
    return root.text(name) if name in root else ""
