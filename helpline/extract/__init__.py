"""An extract of everything about one person (GDPR Art. 15), with others' data and reporters masked, behind a recorded
decision on secrecy (OSL 26:1, 26:5). It is made when it is given, and no file of it is kept."""
