"""Pages for people: read the request, ask the catalog what the API would ask, give the values to `pages`.

Nothing here is part of the API's contract: `include_in_schema` is false, and a page shows the request of the
API that answers the same.
"""
