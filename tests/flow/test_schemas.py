"""The schemas are valid JSON Schema 2020-12, and judge the examples as their names say.

tests/unit/test_schema.c asks parley's own validator about the same files.
"""
import json
import pathlib
import re

import pytest
from jsonschema import Draft202012Validator, FormatChecker

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schemas"
FILES = sorted(SCHEMAS.glob("*.schema.json"))
EXAMPLES = sorted(SCHEMAS.glob("examples/*/*.json"))
FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time")
def is_time(text):
    """RFC 3339 as far as it goes here; jsonschema alone does not look at times."""
    if not isinstance(text, str):
        return True
    form = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)"
    return re.fullmatch(form, text) is not None


def name_of(path):
    return path.name.removesuffix(".schema.json")


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def validator(name):
    return Draft202012Validator(
        read(SCHEMAS / f"{name}.schema.json"), format_checker=FORMATS
    )


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_schema_is_valid_and_says_what_it_is(path):
    schema = read(path)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert re.search(r"/\d+\.\d+/" + re.escape(path.name) + "$", schema["$id"])
    assert schema["title"] and schema["description"]
    assert schema["type"] == "object"
    assert bool(schema["required"]) == (path.name != "config.schema.json")
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_schema_has_examples_of_both_kinds(path):
    names = [p.name for p in (SCHEMAS / "examples" / name_of(path)).glob("*.json")]
    assert any(n.startswith("valid-") for n in names)
    assert any(n.startswith("invalid-") for n in names)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_an_example_is_judged_as_its_name_says(path):
    assert path.name.startswith(("valid-", "invalid-"))
    errors = [e.message for e in validator(path.parent.name).iter_errors(read(path))]
    assert (errors == []) == path.name.startswith("valid-"), errors


@pytest.mark.parametrize("name", ["story", "personas"])
def test_what_a_model_is_given_keeps_to_the_common_subset(name):
    allowed = {"type", "required", "additionalProperties", "properties", "items"}
    allowed |= {"minItems", "maxItems", "description", "$ref"}

    def walk(schema):
        assert set(schema) <= allowed
        for inner in schema.get("properties", {}).values():
            walk(inner)
        if "items" in schema:
            walk(schema["items"])
        if schema.get("type") == "object":
            assert schema["additionalProperties"] is False
            assert schema["required"] == list(schema["properties"])

    schema = read(SCHEMAS / f"{name}.schema.json")
    for key in ("$schema", "$id", "title"):
        del schema[key]
    for inner in schema.pop("$defs").values():
        walk(inner)
    walk(schema)
