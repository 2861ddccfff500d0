"""The directory as Open Referral's HSDS 3.x: one table says which field is which (table.py); it is written and read by it."""
