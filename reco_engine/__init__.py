"""Recommendations that say why: arrays in, rankings with reasons out. Knows no database and no web."""
