"""The ground floor: units, users, roles, the access gate, the log, notices, keys, working days."""
