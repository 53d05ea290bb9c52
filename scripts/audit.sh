#!/usr/bin/env bash
# Known weaknesses in what Balas is installed with: pip-audit over the pinned requirements. --strict, because without
# it a package that cannot be looked up passes. Ends with 75 where the database of weaknesses cannot be reached.
set -euo pipefail
cd "$(dirname "$0")/.."

tool=.venv/audit
if [[ ! -x $tool/bin/pip-audit ]]; then
    # Apart from the product's packages, which it must not change.
    .venv/bin/python -m venv $tool
    $tool/bin/python -m pip install --no-input --disable-pip-version-check -q pip-audit==2.9.0
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The file is pinned whole, so nothing has to be resolved.
if $tool/bin/pip-audit --strict --no-deps --disable-pip --progress-spinner off -r requirements.txt >"$log" 2>&1; then
    cat "$log"
    exit 0
fi
if unknown=$(grep -oE '[^ ]+ \([^)]+\)$' <(grep 'could not be audited' "$log")); then
    echo "audit: NOT COMPLETE: the database does not know $unknown, so nobody can vouch for it" >&2
    exit 1
fi
if grep -qE 'ConnectionError|Max retries|ServiceError|Failed to connect|Name or service|Timeout|HTTPError' "$log"; then
    echo "audit: NOT DONE: the database of weaknesses cannot be reached from here" >&2
    exit 75
fi
cat "$log"
exit 1
