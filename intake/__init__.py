"""The first floor: calls, triage, cases, notes, follow-ups, reminders, child clocks."""
