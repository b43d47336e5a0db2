"""The differences between SQLite and PostgreSQL: engines, snapshots, statements, rows. Knows no table."""
