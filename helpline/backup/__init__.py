"""Backup in two halves, and restore without what was forgotten meanwhile (docs/backup.md).

The way down: make and restore (what happens), keep (how long), contents (what a backup says of itself), forgotten (what must
stay forgotten), barred (who stays shut out), picture (what a database holds, to be compared), server (PostgreSQL's programs, and
how it is reached).
"""
