"""What an action answers when it cannot be done: the text can be shown to a person."""


class Refused(Exception):
    """The action is refused, and nothing is changed. `str(error)` is a whole sentence in the language of the page; `at`
    names the field that it is about, where there is one."""

    def __init__(self, text: str, *, at: str = "") -> None:
        super().__init__(text)
        self.at = at


class TooLate(Refused):
    """Somebody else was first: the row is no longer in the state that the person saw."""
