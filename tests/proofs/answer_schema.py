"""Hooks of schemathesis: every answer is of the schema that the OpenAPI document names.

With `fields` an item has the keys that are named and no others, which no schema can say of a parameter. The
document says what an item has without it, so that typed clients read every key. So an item of such an answer
need not have more than was named, and all else of the schema holds.

A revision that seeds/, imported once, has not reached is no fault of a request and answers 503, so none is
asked for. What is no number of a revision stays, and is refused.
"""

from copy import deepcopy
from typing import Any

import schemathesis
from jsonschema import Draft202012Validator, ValidationError

from app.catalog.state import MAX_REVISION

ITEM = "ListedArticle"
MINIMUM_REVISION = "Minimum-Revision"


def answer_is_of_its_schema(_context: Any, response: Any, case: Any) -> None:
    fields = (case.query or {}).get("fields")
    document: dict[str, Any] = deepcopy(case.operation.schema.raw_schema)
    content = document["paths"][case.operation.path]["get"]["responses"]["200"]["content"]
    # Files have fields too, and no schema.
    if response.status_code != 200 or not isinstance(fields, str) or "application/json" not in content:
        case.operation.validate_response(response)
        return
    document["components"]["schemas"][ITEM]["required"] = fields.split(",")
    schema = content["application/json"]["schema"]
    try:
        Draft202012Validator({**schema, "components": document["components"]}).validate(response.json())
    except ValidationError as error:
        raise AssertionError(f"fields={fields}: {error.message}") from error


def before_call(_context: Any, case: Any, _options: Any) -> None:
    """Schemathesis knows the hook by its name."""
    text = str((case.headers or {}).get(MINIMUM_REVISION, ""))
    if text.isascii() and text.isdecimal() and int(text) <= MAX_REVISION:
        case.headers[MINIMUM_REVISION] = "1"


# A decorator would have no types here: schemathesis comes with the extra `prove` alone.
schemathesis.check(answer_is_of_its_schema)
schemathesis.hook(before_call)
