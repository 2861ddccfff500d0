"""The bench: a database of its own with up to a million cases, and how fast pages are beside the least that they could cost.

    BENCH_CASES=1000000 python -m helpline.bench

The way down: __main__, order (what is asked for), stage (what runs), people (who works there), fill (rows by COPY; story is
one case, rows and sealing how it is written, chain its log, whole whether all of it is right), pages (what is measured;
floor and bare the least that the same could cost), measure (the clients), explain, report. Nothing of this is in the way of
a request in production: settings, urls and wsgi of this package are the bench's own.
"""
