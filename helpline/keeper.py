"""The keeper's pages: users and legal grounds. No case is seen here."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from helpline.keeper_access import invited, ways_of, ways_of_all
from helpline.keeper_forms import GroundForm, NewUserForm, UserForm, confirm_word
from helpline.people import actions
from helpline.people.access import needs
from helpline.people.errors import Refused
from helpline.people.models import Municipality, Role, User
from helpline.watch import watch_of
from intake.gate import person
from intake.views.cases import posted
from referrals.actions.directory import set_membership
from referrals.actions.settings import switch_ground
from referrals.grounds import grounds as law
from referrals.models import GroundSetting
from referrals.partners import receiver_names

SWEDISH_ORDER = str.maketrans("åäöéü", "{|}eu")


def in_order(things: Iterable[Any]) -> list[Any]:
    """By name, as Swedish sorts: å, ä and ö last."""
    return sorted(things, key=lambda thing: str(thing).casefold().translate(SWEDISH_ORDER))


@require_GET
@needs("keep_users")
def user_list(request: HttpRequest) -> HttpResponse:
    """Who can log in, as what, and where they work."""
    words, role = request.GET.get("q", "").replace("\0", "").strip(), request.GET.get("role", "")
    found = User.objects.select_related("unit", "membership__agency")
    for word in words.split():
        found = found.filter(Q(first_name__icontains=word) | Q(last_name__icontains=word) | Q(username__icontains=word))
    if role in Role.values:
        found = found.filter(role=role)
    context = {
        "people": ways_of_all(in_order(found)),
        "words": words,
        "role": role,
        "roles": Role.choices,
        "watch": watch_of(person(request)),
    }
    return render(request, "keeper/users.html", context)


@require_http_methods(["GET", "POST"])
@needs("keep_users")
def user_add(request: HttpRequest) -> HttpResponse:
    """A new account."""
    form = NewUserForm(posted(request))
    if request.method == "POST" and form.is_valid() and _add(request, form):
        return invited(request, User.objects.get(username=form.cleaned_data["username"]))
    return render(request, "keeper/user_add.html", {"form": form}, status=422 if form.errors else 200)


def _add(request: HttpRequest, form: NewUserForm) -> bool:
    cleaned = form.cleaned_data
    try:
        with transaction.atomic():
            user = actions.add_user(by=person(request), username=cleaned["username"], facts=form.facts)
            set_membership(by=person(request), user=user, agency=cleaned["agency"], is_manager=cleaned["leads_agency"])
    except Refused as refused:
        form.add_error(None, str(refused))
        return False
    return True


@require_http_methods(["GET", "POST"])
@needs("keep_users")
def user_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """One account: its facts, switching it off and on; how it logs in (keeper_access). Which is said by the button."""
    user = get_object_or_404(User.objects.select_related("unit"), pk=pk)
    part = request.POST.get("part", "")
    form = UserForm(request.POST if part == "facts" else None, instance=user)
    done = {
        "facts": lambda: _change(request, user, form),
        "active": lambda: _switch(request, user),
    }
    if part in done and done[part]():
        return redirect("keeper:user-list")
    context = {"person": user, "form": form, "ways": ways_of(user)}
    return render(request, "keeper/user.html", context, status=422 if form.errors else 200)


def _change(request: HttpRequest, user: User, form: UserForm) -> bool:
    if not form.is_valid():
        return False
    try:
        with transaction.atomic():
            changed = actions.change_user(by=person(request), user=user, facts=form.facts)
            set_membership(
                by=person(request),
                user=changed,
                agency=form.cleaned_data["agency"],
                is_manager=form.cleaned_data["leads_agency"],
            )
    except Refused as refused:
        form.add_error(None, str(refused))
        return False
    messages.success(request, _("Saved."))
    return True


def _switch(request: HttpRequest, user: User) -> bool:
    try:
        if request.POST.get("active") == "yes":
            actions.switch_on_user(by=person(request), user=user)
            messages.success(request, _("%(name)s can log in again.") % {"name": user})
        else:
            actions.switch_off_user(by=person(request), user=user)
            messages.success(request, _("%(name)s can no longer log in.") % {"name": user})
    except Refused as refused:
        messages.error(request, str(refused))
        return False
    return True


@require_http_methods(["GET", "POST"])
@needs("keep_grounds")
def grounds(request: HttpRequest) -> HttpResponse:
    """The whole law table, and what each municipality that has a unit has switched on."""
    form = GroundForm(posted(request))
    if request.method == "POST" and form.is_valid() and _switch_ground(request, form):
        return redirect(f"{request.path}?municipality={form.cleaned_data['municipality'].pk}")
    ours = in_order(Municipality.objects.filter(unit__isnull=False).distinct())
    asked = request.POST.get("municipality") or request.GET.get("municipality")
    where = next((one for one in ours if one.pk == asked), ours[0] if ours else None)
    rows = _rows(where, form) if where else []
    context = {"municipalities": ours, "municipality": where, "rows": rows, "form": form}
    context["on"] = sum(row["on"] for row in rows)
    return render(request, "keeper/grounds.html", context, status=422 if form.errors else 200)


def _switch_ground(request: HttpRequest, form: GroundForm) -> bool:
    cleaned = form.cleaned_data
    try:
        switch_ground(by=person(request), municipality=cleaned["municipality"], code=cleaned["code"], on=cleaned["on"])
    except Refused as refused:
        form.add_error(None, str(refused))
        return False
    words = {"name": law()[cleaned["code"]].name, "municipality": cleaned["municipality"]}
    done = (
        _("“%(name)s” is switched on in %(municipality)s.")
        if cleaned["on"]
        else _("“%(name)s” is switched off in %(municipality)s.")
    )
    messages.success(request, done % words)
    return True


def _rows(municipality: Municipality, form: GroundForm) -> list[dict[str, Any]]:
    """Each ground with whether it is on there, who decided that, and to whom it opens."""
    on = GroundSetting.switched_on(municipality.pk)
    decided = {
        row.code: row for row in GroundSetting.objects.filter(municipality=municipality).select_related("decided_by")
    }
    names = receiver_names()
    return [
        {
            "ground": ground,
            "on": ground.code in on,
            "decided": decided.get(ground.code),
            "receivers": [] if ground.receivers == "any" else [names[code] for code in ground.receivers],
            "word": confirm_word(ground.code not in on),
            "refused": form["word"].errors if form.data.get("code") == ground.code else [],
        }
        for ground in law().values()
    ]
