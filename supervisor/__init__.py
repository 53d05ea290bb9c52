"""Keeping the processes alive: what supervisord runs, the watcher that tells the owner, the status page.

`supervisord` itself is the package `supervisor` of PyPI, which has the same name: start it as
`.venv/bin/supervisord`, never as `python -m supervisor.supervisord` from the project's folder, where Python
would find this package instead.
"""
