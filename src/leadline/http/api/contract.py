"""The contract of the API, in OpenAPI 3.1: of the routes by hand, and of every line of the table.

Enumerations in answers are open: a later version may say more than is listed, and a reader that does
not know a word shows it as it is.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from leadline.app.once import KEY
from leadline.client.shape import Adapter, Shape, item, shapes
from leadline.client.uses import PREFIX, SAFE
from leadline.http.api.naming import Named, require_plain

TITLE, VERSION = "Leadline", "1"
SUMMARY = "Early access and assessment of frontier AI models: the API."
Schema = dict[str, Any]
PROBLEM = "#/components/responses/Problem"
REFUSALS = ("400", "401", "403", "404", "405", "409", "412", "413", "415", "422", "428", "429")
FAULTS = (*REFUSALS, "500", "503")
OPEN = "The list is open: later versions may say more."


def keyed() -> Schema:
    """What a route made by hand says of itself, where it needs a key."""
    return {"parameters": [_key()]}


def raw(told: str, kind: str = "application/octet-stream", *, signed_in: bool = True) -> Schema:
    """What a route says of itself whose body is bytes; without *signed_in* nobody need be."""
    content = {kind: {"schema": {"type": "string", "contentMediaType": kind}}}
    body = {"description": told, "required": True, "content": content}
    return {"requestBody": body, **({} if signed_in else {"security": []})}


def describe(app: FastAPI) -> None:
    """Have *app* answer with the whole contract."""

    def whole() -> Schema:
        if app.openapi_schema is None:
            app.openapi_schema = contract(app)
        return app.openapi_schema

    app.openapi = whole  # type: ignore[method-assign]


def contract(app: FastAPI) -> Schema:
    """The document."""
    made = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    for one in (one for methods in made["paths"].values() for one in methods.values()):
        one["responses"] = {k: v for k, v in one["responses"].items() if k != "422"} | _faults()
    schemas: Schema = made["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    coming, going, parts = _schemas()
    require_plain(parts, schemas)
    schemas.update(parts, Problem=_problem())
    made["components"]["responses"] = {
        "Problem": {
            "description": "What is wrong (RFC 9457).",
            "content": {"application/problem+json": {"schema": _ref("Problem")}},
        }
    }
    for at, one in enumerate(shapes()):
        path = made["paths"].setdefault(PREFIX + one.use.path, {})
        path[one.use.method.lower()] = _operation(one, at, coming, going)
    made["paths"] = dict(sorted(made["paths"].items()))
    made["components"]["schemas"] = dict(sorted(schemas.items()))
    return made


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _faults() -> Schema:
    return {code: {"$ref": PROBLEM} for code in FAULTS}


def _problem() -> Schema:
    text = {"type": "string"}
    return {
        "type": "object",
        "description": "`type` is a path here that says what `code` means.",
        "required": ["type", "title", "status", "code", "detail", "request_id"],
        "properties": {
            **dict.fromkeys(("type", "title", "code", "detail", "request_id", "field"), text),
            "status": {"type": "integer"},
            "rules": {"type": "array", "items": text},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["pointer", "detail"],
                    "properties": {"pointer": text, "detail": text},
                },
            },
        },
    }


def _schemas() -> tuple[Schema, Schema, Schema]:
    """Of what comes in and of what goes out, by number of the line; and the parts of both."""
    fields = [
        (f"{at}/{field.name}", field.reading)
        for at, one in enumerate(shapes())
        for field in one.fields
    ]
    answers = [(str(at), _going(one)) for at, one in enumerate(shapes()) if not one.binary]
    coming, first = _made(fields, "validation", "In")
    going, second = _made(answers, "serialization", "")
    for one in second.values():
        _opened(one)
    for one in first.values():
        _bare(one)
    return coming, going, {**first, **second}


def _going(one: Shape) -> Adapter:
    return Adapter(item(one.answer.hint)) if one.paged else one.answer


def _made(adapters: Sequence[tuple[str, Adapter]], mode: Any, suffix: str) -> tuple[Schema, Schema]:  # noqa: ANN401 -- a literal of pydantic's
    found, more = TypeAdapter.json_schemas(
        [(name, mode, one.pydantic) for name, one in adapters],
        ref_template="#/components/schemas/{model}" + suffix,
        schema_generator=Named,
    )
    schemas = {name: schema["items"] for (name, _), schema in found.items()}
    parts = {name + suffix: schema for name, schema in more.get("$defs", {}).items()}
    return schemas, parts


def _unsaid(schema: Schema) -> None:
    """Leave out what is said of types to whoever works on the program."""
    for name in ("title", "description"):
        if isinstance(schema.get(name), str):
            del schema[name]


def _bare(schema: Any) -> None:  # noqa: ANN401 -- any part of a schema
    """Leave defaults out that are addresses: a contract points nowhere."""
    if isinstance(schema, list):
        for one in schema:
            _bare(one)
    if isinstance(schema, dict):
        _unsaid(schema)
        if "://" in str(schema.get("default", "")):
            del schema["default"]
        for one in list(schema.values()):
            _bare(one)


def _opened(schema: Any) -> None:  # noqa: ANN401 -- any part of a schema
    """Say of every enumeration in an answer that it is open."""
    if isinstance(schema, list):
        for one in schema:
            _opened(one)
    if not isinstance(schema, dict):
        return
    _unsaid(schema)
    schema.pop("default", None)
    words = schema.get("enum")
    if isinstance(words, list) and schema.get("type") == "string":
        del schema["enum"]
        schema["examples"] = words
        schema["description"] = " ".join(filter(None, (schema.get("description"), OPEN)))
    for one in list(schema.values()):
        _opened(one)


def _operation(one: Shape, at: int, coming: Schema, going: Schema) -> Schema:
    use = one.use
    told = (use.case.__doc__ or "").strip().partition("\n\n")
    made: Schema = {
        "tags": [use.tag],
        "summary": " ".join(told[0].split()).partition(" Raises:")[0],
        "operationId": use.name,
        "parameters": [*_placed(one), *_headers(one)],
        "responses": {**_answers(one, at, going), **_faults()},
    }
    if use.open:
        made["security"] = []
    query = [_query(field, coming[f"{at}/{field.name}"]) for field in one.fields]
    if use.method == SAFE:
        made["parameters"] += [*query, *(PAGING if one.paged else ())]
    elif one.fields:
        body = {
            "type": "object",
            "additionalProperties": False,
            "properties": {f.name: coming[f"{at}/{f.name}"] for f in one.fields},
            "required": [f.name for f in one.fields if f.required],
        }
        made["requestBody"] = {
            "required": any(f.required for f in one.fields),
            "content": {"application/json": {"schema": body}},
        }
    return made


PAGING: Sequence[Mapping[str, object]] = (
    {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 100},
    },
    {
        "name": "cursor",
        "in": "query",
        "description": "`next` of the page before; it says nothing to anybody else.",
        "schema": {"type": "string"},
    },
)


def _placed(one: Shape) -> list[Schema]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"\{(\w+)\}", one.use.path)
    ]


def _headers(one: Shape) -> list[Schema]:
    found = []
    if one.use.acting:
        found.append(_key())
        told = "The ETag of the thing above that the change is meant for; due where it is replaced."
        found.append(
            {"name": "If-Match", "in": "header", "description": told, "schema": {"type": "string"}}
        )
    elif one.use.method == SAFE and not one.paged:
        found.append({"name": "If-None-Match", "in": "header", "schema": {"type": "string"}})
    return found


def _key() -> Schema:
    told = "New for each request; the same one again gets the same answer, for seven days."
    text = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"}
    return {"name": KEY, "in": "header", "required": True, "description": told, "schema": text}


def _query(field: Any, schema: Schema) -> Schema:  # noqa: ANN401 -- a field of a shape
    told: Schema = {"name": field.name, "in": "query", "required": field.required}
    if is_dataclass(field.hint):
        return {**told, "content": {"application/json": {"schema": schema}}}
    return {**told, "schema": schema}


def _answers(one: Shape, at: int, going: Schema) -> Schema:
    if one.answer.hint is type(None) or one.answer.hint is None:
        return {"204": {"description": "Done."}}
    if one.binary:
        content: Schema = {"application/octet-stream": {"schema": {"type": "string"}}}
    elif one.paged:
        page = {
            "type": "object",
            "required": ["items", "next"],
            "properties": {
                "items": {"type": "array", "items": going[str(at)]},
                "next": {"type": ["string", "null"]},
            },
        }
        content = {"application/json": {"schema": page}}
    else:
        content = {"application/json": {"schema": going[str(at)]}}
    found: Schema = {"200": {"description": "Done.", "content": content}}
    if one.use.method == SAFE and not one.paged:
        found["304"] = {"description": "It is as it was."}
    return found
