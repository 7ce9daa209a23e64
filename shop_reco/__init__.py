"""A plugin that gives a shop personal recommendations it can explain."""
