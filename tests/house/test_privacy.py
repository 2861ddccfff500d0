"""Every field of every model says whether it is personal; what is personal is sealed, and nothing else is."""

import pytest
from django.apps import apps

from helpline.people.sealed import SealedTextField
from intake.models import QuestionSet
from referrals.models import PartnerAgency

OURS = {"people", "intake", "referrals", "helpline"}
MODELS = [model for model in apps.get_models() if model._meta.app_label in OURS]

# The questions that we ask; what an agency does.
ABOUT_NOBODY = {QuestionSet: ["content"], PartnerAgency: ["description"]}


def fields(model) -> set[str]:
    """Its columns, and its ways to rows of ours."""
    many = {field.name for field in model._meta.local_many_to_many if field.related_model in MODELS}
    return {field.name for field in model._meta.concrete_fields} | many


def test_there_are_models():
    assert len(MODELS) > 20


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_is_in_exactly_one(model):
    assert "Privacy" in vars(model), f"{model.__name__} has no Privacy of its own"
    personal, plain = (set(getattr(model.Privacy, part, ())) for part in ("personal", "plain"))
    assert personal & plain == set()
    assert personal | plain == fields(model)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_personal_is_sealed_and_sealed_is_personal(model):
    sealed = {field.name for field in model._meta.concrete_fields if isinstance(field, SealedTextField)}
    assert sealed == set(getattr(model.Privacy, "personal", ()))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_free_text_is_not_plain(model):
    """An unlimited text that is not sealed would be a place to write about somebody."""
    texts = [field.name for field in model._meta.concrete_fields if field.get_internal_type() == "TextField"]
    assert texts == ABOUT_NOBODY.get(model, [])
