"""The errors users meet, each with the exit code of the BIDS execution specification.

FmridecodeError            1   the root; never raised itself
├── InvalidBIDSError      16   the data set breaks BIDS
├── UnknownLevelError     17   neither train, participant nor group
├── NothingMatchedError   18   the filters left no map
├── UsageError            64   options that contradict each other or have bad values
├── BadDataError          65   a file was read and its content cannot be used
├── NoInputError          66   a file or folder is missing or unreadable
├── CannotCreateError     73   an output cannot be created
├── ReadWriteError        74   reading or writing failed half-way
└── TryAgainError         75   a passing condition; the same command may succeed later
"""


class FmridecodeError(Exception):
    """Root of all errors raised on purpose.

    The message is one line: what was found, where, what was expected and what to do next.
    """

    exit_code = 1


class InvalidBIDSError(FmridecodeError):
    """The data set breaks a rule of BIDS that the run depends on."""

    exit_code = 16


class UnknownLevelError(FmridecodeError):
    """The analysis level is neither ``train``, ``participant`` nor ``group``."""

    exit_code = 17


class NothingMatchedError(FmridecodeError):
    """The data set holds maps, but none passes the filters."""

    exit_code = 18


class UsageError(FmridecodeError):
    """An option has a bad value, or two options contradict each other."""

    exit_code = 64


class BadDataError(FmridecodeError):
    """A file was read, but its content cannot be used."""

    exit_code = 65


class NoInputError(FmridecodeError):
    """A file or folder is missing or cannot be opened."""

    exit_code = 66


class CannotCreateError(FmridecodeError):
    """An output file or folder cannot be created."""

    exit_code = 73


class ReadWriteError(FmridecodeError):
    """Reading or writing failed half-way."""

    exit_code = 74


class TryAgainError(FmridecodeError):
    """A passing condition stopped the run; the same command may succeed later."""

    exit_code = 75
