"""Read the request, ask the catalog, shape the answer. What every answer shares is in the shell."""
