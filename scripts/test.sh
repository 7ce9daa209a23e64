#!/usr/bin/env bash
# What `make test` runs: the checks, then all tests; the last line is the runner's own summary.
set -euo pipefail
bash scripts/lint.sh
if ! command -v chromium >/dev/null && ! command -v google-chrome >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    (apt-get update -q && apt-get install -y -q chromium) >/dev/null 2>&1 || true
  fi
  command -v chromium >/dev/null || .venv/bin/playwright install chromium >/dev/null 2>&1 || true
fi
exec .venv/bin/pytest "$@"
