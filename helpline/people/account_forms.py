"""What every new account needs, whoever makes it: a name for log-in; and the password that its owner chooses."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpline.people.models import User
from helpline.people.wall import beyond_the_wall
from helpline.people.words import WordsField


class ChoosePasswordForm(forms.Form):
    """A password of one's own; the validators of the settings speak when it is set."""

    password = WordsField(
        label=gettext_lazy("New password"),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("At least 15 characters; four words make a good one."),
    )
    again = WordsField(
        label=gettext_lazy("The same once more"),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_again(self) -> str:
        """Twice the same, so that a slip of the hand locks nobody out."""
        again = str(self.cleaned_data["again"])
        if self.cleaned_data.get("password") not in (None, again):
            raise forms.ValidationError(_("It is not the same as above."))
        return again


class NewAccountForm(forms.Form):
    """A new account: the name for log-in."""

    username = WordsField(
        label=gettext_lazy("User name"),
        max_length=150,
        validators=[User.username_validator],
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
        help_text=gettext_lazy("For logging in. It is not changed later."),
    )

    def clean_username(self) -> str:
        """Whoever is called Anna is not told apart from anna."""
        name = self.cleaned_data["username"]
        with beyond_the_wall():  # an agency adds its own people: a name is taken whoever has it
            taken = User.objects.filter(username__iexact=name).exists()
        if taken:
            raise forms.ValidationError(_("There is already an account with this name."))
        return str(name)
