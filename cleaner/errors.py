"""Every error that cleaner raises on purpose; each message ends with what to do about it."""


class CleanerError(Exception):
    """Base of all errors raised by this package: catch it to catch them all."""


class UsageError(CleanerError):
    """An argument, an option or a path cannot be used as given."""


class DataError(CleanerError):
    """A document or a labelled file cannot be read; names the file and, where known, the line."""


class ModelError(CleanerError):
    """A model folder is missing, damaged, or of another format."""
