"""What may stand in a text field, and what is said at the field where it may not."""

import pytest
from django import forms

from helpline.people.words import EmailField, WordsField, fault

FINE = [
    "Ring mig i morgon, åäö ÅÄÖ é ß – “citat” … 5 000 kr",
    "rad ett\nrad två\tmed tabb",
    "مرحبا، اسمي ليلى",
    "שלום, שמי לאה",
    "می‌خواهم کمک بگیرم",  # with a zero-width non-joiner, as Persian is written
    "Bra 👍🏽 👩‍👧",  # with a zero-width joiner
    "አማርኛ ትግርኛ 日本語",
    "<script>alert(1)</script> & 'x' \"y\" {{ z }} {% if %} %s \\",
    "",
]
CONTROLS = [chr(code) for code in [*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0)]]
BROKEN = ["\ud800", "\udbff", "\udc00", "\udfff", "\ufffd"]
TURNING = [chr(code) for code in [0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]]


@pytest.mark.parametrize("text", FINE)
def test_ordinary_words_of_any_language_are_kept_as_they_are(text):
    assert WordsField(required=False).clean(text) == text.strip()


@pytest.mark.parametrize("mark", [*CONTROLS, *BROKEN, *TURNING], ids=lambda mark: f"U+{ord(mark):04X}")
def test_each_mark_is_refused_with_the_place(mark):
    for text in (f"Ring{mark}mig", mark, f"  {mark}  ", f"slut{mark}"):
        with pytest.raises(forms.ValidationError) as refused:
            WordsField(required=False).clean(text)
        assert refused.value.code == "hostile"
        (said,) = refused.value.messages
        assert mark not in said
    assert "after “Ring”" in fault(f"Ring{mark}mig") and "at the beginning" in fault(mark)


def test_each_kind_is_called_what_it_is():
    assert fault("a\0").startswith("There is a control character")
    assert fault("a\ufffd").startswith("A character could not be read")
    assert fault("a\u202e").startswith("There is an invisible mark")


def test_line_ends_of_every_kind_become_one():
    assert WordsField().clean("a\r\nb\rc\nd") == "a\nb\nc\nd"


def test_too_long_says_by_how_much_and_the_browser_cuts_nothing():
    field = WordsField(max_length=5)
    assert field.clean("  12345  ") == "12345"
    with pytest.raises(forms.ValidationError, match="2 characters too long: at most 5 fit"):
        field.clean("1234567")
    with pytest.raises(forms.ValidationError, match="one character too long"):
        field.clean("123456")
    assert "maxlength" not in field.widget.attrs


def test_a_line_end_counts_once():
    """A browser sends two characters for each, and counts one."""
    assert WordsField(max_length=3).clean("a\r\nb") == "a\nb"


def test_an_address_is_checked_too():
    assert EmailField().clean("anna@example.com") == "anna@example.com"
    for wrong in ("an\0na@example.com", "\u202eanna@example.com"):
        with pytest.raises(forms.ValidationError) as refused:
            EmailField().clean(wrong)
        assert refused.value.code == "hostile"
