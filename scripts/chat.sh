#!/usr/bin/env bash
# Chat in the terminal with your own settings and the real model: read the knowledge folder, then start the bot.
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ ! -e .env && -z ${OPENAI_API_KEY:-} ]]; then
    echo "chat: there is no .env yet: cp .env.example .env && chmod 600 .env, then fill in OPENAI_API_KEY" >&2
    echo "chat: without a key, try: make demo" >&2
    exit 1
fi
# stdin and stdout belong to the chat: the questions may be piped in, and the answers out.
.venv/bin/python -m rag.ingest </dev/null >&2
exec .venv/bin/python run_bot.py --channel terminal "$@"
