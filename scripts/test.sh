#!/usr/bin/env bash
# What `make test` runs: the checks, then all tests on SQLite; before them, where PostgreSQL answers, all that
# touch a database on PostgreSQL. The last lines say what did not run, and the runner's own summary.
set -euo pipefail
bash scripts/lint.sh
if ! command -v chromium >/dev/null && ! command -v google-chrome >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    (apt-get update -q && apt-get install -y -q chromium) >/dev/null 2>&1 || true
  fi
  command -v chromium >/dev/null || .venv/bin/playwright install chromium >/dev/null 2>&1 || true
fi
services=$(.venv/bin/python scripts/services.py)
eval "$services"
if [ -n "${TEST_DATABASE_URL:-}" ]; then
  echo "on PostgreSQL:"
  export TESTED_ON_POSTGRESQL=1
  .venv/bin/pytest -q tests/shop_reco
fi
export FAULTS_SERVER_URL="${TEST_DATABASE_URL:-}"
unset TEST_DATABASE_URL
echo "on SQLite:"
exec .venv/bin/pytest "$@"
