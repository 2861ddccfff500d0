"""Who works in the drill. Run as a program it makes them, in a database where there is nobody yet."""

import os
import sys

from helpline.drill import phones

WORKERS = {"vera": "north", "vidar": "north", "viola": "north", "victor": "south", "vilma": "south", "valter": "south"}
MANAGERS = {"mona": "north", "mats": "south"}
UNITS = {"north": ("Stödlinjen Norr", "1496"), "south": ("Stödlinjen Söder", "1494")}
# Two at one agency: they answer the same handover at the same time.
AGENCIES = {"pia": "Socialtjänst vuxen, Lidköping", "pelle": "Socialtjänst vuxen, Lidköping", "petra": "Avhopparstöd"}


def make(password: str) -> None:
    """Reference data, units, staff and people of agencies."""
    from allauth.mfa.totp.internal import auth as totp

    from helpline.people.actions import add_user
    from helpline.people.models import Municipality, Role, Unit, User
    from intake.reference import load_municipalities, load_questions
    from referrals.models import AgencyMember, PartnerAgency
    from referrals.reference import load_agencies

    assert not User.objects.exists(), "there are people in this database: no drill is made in it"
    load_municipalities()
    load_questions()
    load_agencies()
    units = {
        key: Unit.objects.create(name=name, municipality=Municipality.objects.get(pk=code), phone="0500-49 77 82")
        for key, (name, code) in UNITS.items()
    }
    roles = [(WORKERS, Role.CASEWORKER), (MANAGERS, Role.MANAGER), (dict.fromkeys(AGENCIES, ""), Role.PARTNER)]
    for people, role in roles:
        for name, unit in people.items():
            facts = {"first_name": name.title(), "last_name": "Övning", "email": f"{name}@example.com", "role": role}
            user = add_user(by=None, username=name, password=password, facts={**facts, "unit": units.get(unit)})
            totp.TOTP.activate(user, phones.secret_of(name, password))
            if name in AGENCIES:
                AgencyMember.objects.create(user=user, agency=PartnerAgency.objects.get(name=AGENCIES[name]))


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpline.settings")
    django.setup()
    make(sys.stdin.readline().strip())
