"""Everything that responses share. A sealed room: it knows no resource, and most changes do not open it."""
