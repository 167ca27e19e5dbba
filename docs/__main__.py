"""python -m docs: builds the site into out/docs; `python -m docs linkcheck` follows every link instead."""

import argparse
import sys
from pathlib import Path

from sphinx.cmd.build import main

parser = argparse.ArgumentParser(prog="python -m docs", description="Build the documentation; a warning is an error.")
parser.add_argument("builder", nargs="?", default="html", help="of Sphinx: html (the default), linkcheck")
parser.add_argument("--out", default="out/docs", help="the folder to write to")
options = parser.parse_args()
sys.exit(main(["-b", options.builder, "-W", "--keep-going", "-q", str(Path(__file__).parent), options.out]))
