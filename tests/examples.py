"""How many random examples a test tries: few in everyday runs, thousands with CLIPPINGS_EXAMPLES=5000."""

import os

from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("CLIPPINGS_EXAMPLES", "300"))


def examples(part: float = 1) -> settings:
    """So many examples, or a part of them where each asks more than one question."""
    many = max(1, round(EXAMPLES * part))
    return settings(max_examples=many, deadline=None, suppress_health_check=list(HealthCheck))
