"""Backups of the SQL state in one file, and the restore that undoes no deletion."""
