"""PgBouncer in transaction mode in front of the service and all commands: restarted, full, refusing."""

from tests.support.poolers import Pooler, pooled

__all__ = ["Pooler", "pooled"]
