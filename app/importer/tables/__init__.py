"""The tables that an import writes: a module for each group, and apply.py for their order."""
