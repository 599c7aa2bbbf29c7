"""Dialects: every file reads its examples; a file that says nothing sure is refused."""

import tomllib
from pathlib import Path

import pytest

import leadline
from leadline.core.errors import Invalid
from leadline.formats.dialect_toml import Told, Usage, load_dialect

DATA = Path(leadline.__file__).parent / "data" / "relay"
FILES = sorted(one for one in DATA.glob("*.toml") if not one.name.endswith(".examples.toml"))
LEAST = 'id = "a"\ntitle = "A"\nsource = "https://a.example"\n[[credential]]\nheader = "x-key"\n'


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_examples(file: Path) -> None:
    """What each file's examples say, by hand."""
    dialect = load_dialect(file.read_bytes(), file.name)
    assert dialect.id == file.stem
    told = tomllib.loads((DATA / f"{file.stem}.examples.toml").read_text())
    assert told["example"]
    for one in told["example"]:
        seen = Told(dialect)
        assert all(seen.take(answer.encode()) for answer in one["answers"]), one["name"]
        assert seen.models == one["models"], one["name"]
        assert seen.usage == Usage(one.get("input"), one.get("output")), one["name"]
    for one in told["request"]:
        endpoint = dialect.endpoint(one["method"], one["path"])
        assert endpoint is not None
        named = endpoint.model(one["path"]) or dialect.requested(one["body"].encode())
        assert named == one["model"]


def test_what_is_not_json_says_nothing() -> None:
    """Nor does JSON of another shape; names are bounded."""
    dialect = load_dialect((DATA / "openai-chat.toml").read_bytes(), "f")
    seen = Told(dialect)
    assert not seen.take(b"[DONE]")
    assert not seen.take(b"\xff")
    assert not seen.take(b"[" * 100_000)
    for text in ('{"model":[]}', '"a"', "[1]", '{"usage":{"prompt_tokens":true}}', '{"model":""}'):
        assert seen.take(text.encode())
    assert seen.take(b'{"usage":{"prompt_tokens":-1}}')
    assert seen.take(b'{"usage":{"prompt_tokens":%d}}' % (1 << 60))
    assert (seen.models, seen.usage) == ([], Usage())
    for number in range(100):
        seen.take(b'{"model":"%d%s"}' % (number, b"x" * 300))
    assert len(seen.models) == 64
    assert len(seen.models[0]) == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"model":1}',
        b'{"model":""}',
        b'{"a":{"b":1,"b":2},"model":"m"}',
        b'{"model":"m","Model":"n"}',
        b'{"model":"m","mod\\u0065l":"n"}',
    ],
)
def test_a_request_names_its_model_once(body: bytes) -> None:
    """Another reader sees the same one, or there is none."""
    dialect = load_dialect((DATA / "openai-chat.toml").read_bytes(), "f")
    with pytest.raises(Invalid, match="body"):
        dialect.requested(body)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('id = "A"\n', "id"),
        ('id = "a"\ntitle = "A"\nsource = "s"\n', "credential"),
        (LEAST + 'query = "key"\n', "header"),
        (LEAST.replace("x-key", "X-Key"), "header"),
        (LEAST + 'scheme = "Bearer"\nother = 1\n', "other"),
        ("other = 1\n" + LEAST, "other"),
        ('reported = ["a..b"]\n' + LEAST, "reported"),
        ('input = ["a | b-c"]\n' + LEAST, "input"),
        (LEAST + '[[endpoint]]\nmethod = "GET"\npath = "a"\n', "path"),
        (LEAST + '[[endpoint]]\nmethod = "GET"\npath = "/a"\nnamed = "path"\n', "path"),
        (LEAST + '[[endpoint]]\nmethod = "GET"\npath = "/{model}"\n', "path"),
        (LEAST + '[[endpoint]]\nmethod = "GET"\npath = "/a"\nnamed = "x"\n', "named"),
        (LEAST + '[[endpoint]]\nmethod = "GET"\npath = "/a"\nnamed = "body"\n', "request_model"),
    ],
)
def test_other_files_are_refused(text: str, key: str) -> None:
    """The message names file and key."""
    with pytest.raises(Invalid) as refused:
        load_dialect(text.encode(), "f.toml")
    assert key in refused.value.field


def test_paths_that_servers_take_for_one_with_a_model() -> None:
    """Letters' case, a last slash, parameters; no path that names no model."""
    dialect = load_dialect((DATA / "gemini.toml").read_bytes(), "f")
    for path in ("/V1beta/models/a:generatecontent", "/v1beta;x/models/a:generateContent;y/"):
        assert dialect.endpoint("POST", path) is None
        assert dialect.nearly(path)
    assert not dialect.nearly("/v1beta/files/a")
    chat = load_dialect((DATA / "openai-chat.toml").read_bytes(), "f")
    assert not chat.nearly("/v1/models/")


def test_the_least_file_reads_nothing() -> None:
    """It carries a credential and no more."""
    dialect = load_dialect(LEAST.encode(), "f")
    assert not dialect.reads
    assert dialect.endpoint("GET", "/a") is None
