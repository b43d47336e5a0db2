"""What SQLite and PostgreSQL do differently: engines, snapshots, statements, rows. Knows no table."""
