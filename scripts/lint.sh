#!/usr/bin/env bash
# Everything that is checked without running the product.
set -euo pipefail
export DJANGO_SETTINGS_MODULE=shop_reco.settings.test
bin=.venv/bin
"$bin/ruff" check .
"$bin/ruff" format --check .
"$bin/mypy"
"$bin/lint-imports"
"$bin/python" manage.py makemigrations --check --dry-run
"$bin/python" manage.py export_graphql_schema --check
"$bin/python" scripts/settings_table.py --check
