"""scripts/start-pipeline as a module (scripts/start_pipeline.py is a link to it): `start_pipeline.Pipeline` is the five
programs on a real Redis."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import start_pipeline  # noqa: E402, F401
