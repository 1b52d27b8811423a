"""The documents as a site: `make docs`."""

from headgate import __version__

project = "Headgate"
author = "the Headgate maintainers"
copyright = f"2026, {author}. Apache-2.0"
release = version = __version__
extensions = ["myst_parser"]
exclude_patterns = ["_site"]
html_theme = "furo"
html_title = f"Headgate {version}"
myst_heading_anchors = 3
# Links to files of the repository that are no pages; tests/quality checks them.
suppress_warnings = ["myst.xref_missing"]
