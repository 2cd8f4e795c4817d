"""``python -m sabir`` is the command ``sabir``."""

import sys

from sabir._cli import main

sys.exit(main())
