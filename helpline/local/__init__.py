"""Local services: a private PostgreSQL and Valkey beside the checkout, so that Python and make are all that is needed.

    python -m helpline.local run                  the whole system, until Ctrl-C
    python -m helpline.local with -- CMD ARGS     one command with services of its own, which are removed after it

The way down: __main__, stack (what runs), postgres and valkey (how each starts), children (no process outlives us),
state (folders and secrets), accounts (as whom), console (what is said, and how a stop is heard). No file of this
package needs Django's settings.
"""
