"""Stories about the product, told to real databases through its front doors.

documents database importer catalog web commands    a folder for each station; feeds and files are in web
support                                             worlds, services, databases: what stories begin with
oracles                                             plain Python that says what an answer should have been
proofs                                              what takes long; test_proofs has their short forms

The product's rules stand as tables in documents/test_keys, catalog/test_filters, catalog/test_sorts and
commands/test_exit_statuses.
"""

import tests.support.patience  # noqa: F401  it says why
