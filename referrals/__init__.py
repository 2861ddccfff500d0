"""The second floor: partner agencies, legal grounds, referrals and their states, the partner portal."""
