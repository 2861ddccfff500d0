"""The drill: the whole system under load, while one part after another is killed; then what was promised is counted.

    python -m helpline.drill        (make drill; docs/drill.md)

The way down: __main__, order (what is asked for), stage (what runs), crowd (who works: staff, agency, browser, forms, diary),
killer and hurry (what happens to them), store and count (what is there, against what was confirmed), report. sabotage takes
one guard out, so that the drill can show that it sees it.
"""
