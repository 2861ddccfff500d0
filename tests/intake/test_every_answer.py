"""Every answer of every question set leads to a next step: nobody's words end in a page without a way on."""

import pytest
from django.db import connection

from intake import actions
from intake.triage import Question, guide_today

GUIDE = guide_today()
ASKERS = [caller for caller in GUIDE.callers.values() if caller.always_a_case]
OTHERS = [caller for caller in GUIDE.callers.values() if not caller.always_a_case]


def answers_of(question: Question) -> list[object]:
    """Each answer that the question has; of several at once each alone and all together; of free text some words."""
    codes = list(question.options)
    if question.type == "text":
        return ["Some words of the caller"]
    return [*([code] for code in codes), codes] if question.type == "multi" else codes


EVERY = [
    (name, question.key, value)
    for name, entries in GUIDE.sets.items()
    for question in entries
    for value in answers_of(question)
]


def completed(cast, make_call, caller: str, key: str, value: object):
    """A call with this one answer, completed with the least urgency that it calls for."""
    call = make_call(caller_type=caller, answers={key: value})
    call = actions.save_call(by=cast.caseworker, call=call, facts={"urgency": call.urgency_at_least})
    call = actions.complete_call(by=cast.caseworker, call=call)
    connection.check_constraints()
    return call


def test_no_answer_is_left_out():
    assert len(EVERY) > 150 and {name for name, _key, _value in EVERY} == set(GUIDE.sets)


@pytest.mark.parametrize("name", GUIDE.sets)
def test_each_answer_has_an_owner_and_a_next_step(cast, make_call, name):
    for _set, key, value in [one for one in EVERY if one[0] == name]:
        for caller in ASKERS:
            if name not in {"opening", "acute", "closing", caller.questions}:
                continue
            case = completed(cast, make_call, caller.code, key, value).case
            assert case is not None and case.is_open, (caller.code, key, value)
            assert case.owner == cast.caseworker and case.open_steps and case.next_due_at, (caller.code, key, value)


def test_also_where_the_caller_is_no_one_that_we_know(cast, make_call):
    """A wrong number or an abusive call makes no case; an answer that is a danger or a need always does."""
    for _set, key, value in EVERY:
        for caller in OTHERS:
            call = completed(cast, make_call, caller.code, key, value)
            found = call.assessment
            assert (call.case is not None) == bool(found.needs or found.urgency != "NORMAL"), (caller.code, key, value)
            if call.case is not None:
                assert call.case.owner and call.case.open_steps
