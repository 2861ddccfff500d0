"""Demo data: an invented year of a support line, lived through the same actions that the pages call."""
