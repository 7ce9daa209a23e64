"""What is wrong with a file, or with one row of it."""

from __future__ import annotations


class FileError(ValueError):
    """The file cannot be read on from here; the message names the line and the fix."""


class ColumnError(FileError):
    """The columns of the file, or what they are said to be, do not fit."""


class MissingLibraryError(FileError):
    """The format needs a package that is not installed."""


class TakenError(FileError):
    """Another process imports the same file at this moment."""
