"""List visits under a column name from a user. Input: the name.

The database also holds a table `staff` with one secret word. The flaw is reached when the answer shows
that word.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib
import secrets

settings = importlib.import_module("django.conf").settings
settings.configure(
    INSTALLED_APPS=[],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    USE_TZ=False,
)
importlib.import_module("django").setup()
models = importlib.import_module("django.db.models")
functions = importlib.import_module("django.db.models.functions")
database = importlib.import_module("django.db")
errors = importlib.import_module("django.core.exceptions")

REFUSALS: tuple[type[Exception], ...] = (database.Error, errors.FieldError)
SECRET = secrets.token_hex(16)


class Visit(models.Model):  # type: ignore[misc, name-defined] # the release brings no types
    """A visit, public."""

    at = models.DateTimeField()
    note = models.CharField(max_length=40)

    class Meta:
        """Stands alone."""

        app_label = "visits"


with database.connection.cursor() as _cursor:
    _cursor.execute("CREATE TABLE visits_visit (id INTEGER PRIMARY KEY, at TEXT, note TEXT)")
    _cursor.execute("INSERT INTO visits_visit VALUES (1, '2022-05-01 10:00:00', 'first')")
    _cursor.execute("INSERT INTO visits_visit VALUES (2, '2023-06-02 11:00:00', 'second')")
    _cursor.execute("CREATE TABLE staff (word TEXT)")
    _cursor.execute("INSERT INTO staff VALUES (%s)", [SECRET])


def one_input(data: bytes) -> bool:
    """List the visits; True if the list shows the secret word."""
    name = data.decode("utf-8")
    rows = Visit.objects.annotate(**{name: models.Value(1)}).values_list()
    return SECRET in str(list(rows))
