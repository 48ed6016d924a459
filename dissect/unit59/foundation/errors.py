"""The one error family that a person is meant to read."""


class Unit59Error(Exception):
    """Bad input of any kind: the message names the file, the place and the way out.

    The command line prints the message and exits with status 2; nothing else of the
    program shows. Subclasses say where it came from.
    """
