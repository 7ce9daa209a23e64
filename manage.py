#!/usr/bin/env python
import os
import sys
from pathlib import Path

if __name__ == "__main__":
    deployed = Path(__file__).with_name(".env").exists()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"shop_reco.settings.{'production' if deployed else 'demo'}")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
