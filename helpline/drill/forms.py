"""A page as a browser without script sees it: its forms, and what each would send if it were sent as it stands."""

import random
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

TICKED = {"radio", "checkbox"}
PRESSED = {"submit", "image", "button", "reset"}


@dataclass
class Control:
    """One control of a form."""

    name: str
    kind: str  # the input's type; textarea or select
    value: str = ""
    on: bool = True  # whether it is sent: of what is ticked, whether it is
    attrs: dict[str, str] = field(default_factory=dict)
    options: list[tuple[str, str]] = field(default_factory=list)  # of a select: value, text

    @property
    def is_words(self) -> bool:
        """Whether a person writes words in it."""
        return self.kind in {"textarea", "text"}


@dataclass
class Form:
    """One form, to be changed and sent."""

    page: str
    id: str
    action: str
    method: str
    controls: list[Control] = field(default_factory=list)
    buttons: list[Control] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Where it is sent to."""
        return urlsplit(urljoin(self.page, self.action or self.page)).path

    def named(self, name: str) -> list[Control]:
        """The controls of a name."""
        return [control for control in self.controls if control.name == name]

    def value(self, name: str) -> str:
        """What the first control of a name would send; empty where there is none."""
        return next((control.value for control in self.named(name) if control.on), "")

    def choices(self, name: str) -> list[str]:
        """What can be chosen under a name, without the empty choice."""
        found = [value for control in self.named(name) for value, _text in control.options]
        found += [control.value for control in self.named(name) if control.kind in TICKED]
        return [value for value in found if value]

    def put(self, name: str, value: str) -> bool:
        """Write, choose or tick. False where the form has no such control or choice."""
        if not self.named(name):
            return False
        for control in self.named(name):
            if control.kind in TICKED:
                control.on = control.value == value or (control.on and control.kind == "checkbox")
            else:
                control.value, control.on = value, True
        return self.named(name)[0].kind not in TICKED or value in [c.value for c in self.named(name)]

    def choose(self, dice: random.Random) -> None:
        """Of what must be chosen and is not, anything."""
        for name in dict.fromkeys(control.name for control in self.controls):
            if not self.value(name) and self.choices(name):
                self.put(name, dice.choice(self.choices(name)))

    def button(self, ending: str) -> Control | None:
        """The button that sends the form to an address with this ending."""
        return next((one for one in self.buttons if one.attrs.get("formaction", "").endswith(ending)), None)

    def body(self, button: Control | None = None) -> str:
        """What is sent: every control that is on, and the button that was pressed."""
        pairs = [(one.name, one.value.replace("\r\n", "\n").replace("\n", "\r\n")) for one in self.controls if one.on]
        if button is not None and button.name:
            pairs.append((button.name, button.value))
        return urlencode(pairs)

    def target(self, button: Control | None = None) -> str:
        """The address to which this button sends it."""
        action = button.attrs.get("formaction", "") if button else ""
        return urlsplit(urljoin(self.page, action)).path if action else self.path


@dataclass
class Page:
    """One answer that was a page."""

    url: str
    status: int
    html: str
    forms: list[Form]
    links: list[str]
    faults: list[str]  # the classes of messages that tell of a fault

    def form(self, ending: str) -> Form | None:
        """The first form that is sent to an address with this ending."""
        return next((form for form in self.forms if form.path.endswith(ending)), None)


def read(url: str, status: int, html: str) -> Page:
    """Read a page."""
    reader = _Reader(url)
    reader.feed(html)
    reader.close()
    return Page(url, status, html, reader.settled(), reader.links, reader.faults)


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.url = url
        self.forms: list[Form] = []
        self.loose: list[tuple[Control, Form | None]] = []
        self.links: list[str] = []
        self.faults: list[str] = []
        self.form: Form | None = None
        self.open: Control | None = None  # a textarea or a select
        self.option: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            method = given.get("method", "get")
            self.form = Form(self.url, given.get("id", ""), given.get("action", ""), method)
            self.forms.append(self.form)
        elif tag == "a" and "href" in given:
            self.links.append(urlsplit(urljoin(self.url, given["href"])).path)
        elif tag == "p" and "notice" in given.get("class", "").split() and given.get("role") == "alert":
            self.faults.append(given["class"])
        elif tag in {"input", "button", "textarea", "select"}:
            self._control(tag, given)
        elif tag == "option" and self.open is not None:
            self.option = [given.get("value", ""), ""]
            if "selected" in given or not self.open.options:
                self.open.value = given.get("value", "")

    def _control(self, tag: str, given: dict[str, str]) -> None:
        if "disabled" in given:
            return
        kind = given.get("type", "submit" if tag == "button" else "text") if tag in {"input", "button"} else tag
        on = "checked" in given if kind in TICKED else True
        control = Control(given.get("name", ""), kind, given.get("value", "on" if kind in TICKED else ""), on, given)
        self.loose.append((control, self.form))
        if tag in {"textarea", "select"}:
            self.open = control

    def handle_data(self, data: str) -> None:
        if self.option is not None:
            self.option[1] += data
        elif self.open is not None and self.open.kind == "textarea":
            self.open.value += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None
        elif tag == "option" and self.option is not None and self.open is not None:
            self.open.options.append((self.option[0], " ".join(self.option[1].split())))
            self.option = None
        elif tag in {"textarea", "select"} and self.open is not None:
            self.open.value = self.open.value.removeprefix("\n") if tag == "textarea" else self.open.value
            self.open = None

    def settled(self) -> list[Form]:
        """Each control with the form that it belongs to: that which it names, or that which it stands in."""
        by_id = {form.id: form for form in self.forms if form.id}
        for control, around in self.loose:
            owner = by_id.get(control.attrs["form"]) if "form" in control.attrs else around
            if owner is None:
                continue
            if control.kind in PRESSED:
                owner.buttons.append(control)
            elif control.name:
                owner.controls.append(control)
        return self.forms
