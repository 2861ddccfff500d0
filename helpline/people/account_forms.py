"""What every new account needs, whoever makes it: a name for log-in and a first password."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpline.people.models import User
from helpline.people.words import WordsField


class NewPasswordForm(forms.Form):
    """A password that the keeper gives; the validators of the settings speak when it is set."""

    password = WordsField(
        label=gettext_lazy("New password"),
        strip=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("At least 15 characters; four words make a good one. Give it in person or by phone."),
    )


class NewAccountForm(NewPasswordForm):
    """A new account: the name for log-in and the first password."""

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
        if User.objects.filter(username__iexact=name).exists():
            raise forms.ValidationError(_("There is already an account with this name."))
        return str(name)
