"""Keeping the processes alive: the configuration of supervisord is here.

The listener that tells the owner of a crash, the set-up of a server and the status page come here too; until
then this package has no code. `supervisord` itself is the package `supervisor` of PyPI, which has the same
name: start it as `.venv/bin/supervisord`, never as `python -m supervisor.supervisord` from the project's
folder, where Python would find this package instead.
"""
