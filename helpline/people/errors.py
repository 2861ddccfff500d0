"""What an action answers when it cannot be done: the text can be shown to a person."""


class Refused(Exception):
    """The action is refused, and nothing is changed. `str(error)` is a whole sentence in the language of the page."""


class TooLate(Refused):
    """Somebody else was first: the row is no longer in the state that the person saw."""
