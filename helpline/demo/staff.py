"""The people of the demo: two units, their staff, the keeper, and somebody at each agency that gets a handover."""

from django.contrib.auth.hashers import make_password
from django.utils.text import slugify

from helpline.demo import texts
from helpline.demo.logins import LOGINS, PASSWORD
from helpline.people.actions import add_user
from helpline.people.models import Municipality, Role, Unit, User
from referrals.actions import agency_own
from referrals.models import AgencyMember, PartnerAgency

UNITS = {
    "skovde": ("Stödlinjen Skövde", "1496", "0500-49 77 82"),
    "lidkoping": ("Stödlinjen Lidköping", "1494", "0510-77 00 00"),
}
NAMES = {one.username: one.name for one in LOGINS} | {
    "amir": "Amir Haddad",
    "sofia": "Sofia Nyström",
    "johan": "Johan Berg",
    "hanna": "Hanna Björk",
    "manager2": "Eva Lundmark",
}
PLACES = {
    "skovde": ["caseworker", "amir", "sofia", "johan", "manager"],
    "lidkoping": ["caseworker2", "hanna", "manager2"],
}
ROLES = {"keeper": Role.KEEPER, "coordinator": Role.COORDINATOR, "reviewer": Role.REVIEWER}  # of no unit
UNQUALIFIED = {"johan", "hanna"}  # SoL 25:1: for children they turn to somebody who may decide
PHONES = {"manager": "070-174 06 12", "manager2": "070-174 06 13"}  # of the series that is kept free for tales
ROOM = 3  # how many more the partner's agency can take this week
DEPUTY = "Pernilla Ask"
MEMBERS = {"partner": "Socialtjänst vuxen, Lidköping", "partner2": "Avhopparstöd"}


class Staff:
    """Everybody by user name, and who answers at an agency."""

    def __init__(self) -> None:
        self.units = {
            key: Unit.objects.create(name=name, municipality=Municipality.objects.get(pk=code), phone=phone)
            for key, (name, code, phone) in UNITS.items()
        }
        self.users = {name: self._employ(name, key) for key, names in PLACES.items() for name in names}
        for name in ROLES:
            self.users[name] = _account(name, NAMES[name], ROLES[name])
        self.answering: dict[int, User] = {}
        self._names = iter(texts.read("cases")["answering"])
        for name, agency in MEMBERS.items():
            self.users[name] = self._seat(PartnerAgency.objects.get(name=agency), name, NAMES[name])
        AgencyMember.objects.filter(user=self.users["partner"]).update(is_manager=True)

    def settle(self) -> None:
        """What the partner's own manager has said by today: who stands in, and how many more they can take."""
        manager = self.users["partner"]
        agency = manager.membership.agency
        deputy = self._seat(agency, slugify(DEPUTY), DEPUTY).membership
        self.answering[agency.pk] = manager
        mailbox = f"ersattare-{agency.mailbox}"
        agency_own.keep_deputies(by=manager, agency=agency, mailbox=mailbox, deputies=[deputy])
        agency_own.say_room(by=manager, agency=agency, room=ROOM)

    def __getitem__(self, username: str) -> User:
        return self.users[username]

    def at(self, agency: PartnerAgency) -> User:
        """Who answers there; somebody starts there where nobody has yet."""
        if agency.pk not in self.answering:
            name = next(self._names)
            self._seat(agency, slugify(name), name)
        return self.answering[agency.pk]

    def _employ(self, username: str, unit: str) -> User:
        role = Role.MANAGER if username.startswith("manager") else Role.CASEWORKER
        user = _account(username, NAMES[username], role, self.units[unit])
        user.is_qualified = username not in UNQUALIFIED
        user.phone = PHONES.get(username, "")
        user.save(update_fields=["is_qualified", "phone"])
        return user

    def _seat(self, agency: PartnerAgency, username: str, name: str) -> User:
        user = _account(username, name, Role.PARTNER)
        AgencyMember.objects.create(user=user, agency=agency)
        self.answering[agency.pk] = user
        return user


def _account(username: str, name: str, role: Role, unit: Unit | None = None) -> User:
    first, _, last = name.partition(" ")
    facts = {"first_name": first, "last_name": last, "email": f"{username}@example.com", "role": role, "unit": unit}
    if any(one.username == username for one in LOGINS):
        user = add_user(by=None, username=username, password=PASSWORD, facts=facts)
        User.objects.filter(pk=user.pk).update(is_demo=True)
        return user
    return User.objects.create(username=username, is_demo=True, password=make_password(None), **facts)  # never logs in
