"""What every answer shares. A sealed room: it knows no resource, and most changes do not open it."""
