"""How Sphinx builds the book: Markdown, a quiet theme, every warning an error."""

from __future__ import annotations

project = "Interlock"
author = "the Interlock authors"
project_copyright = "the Interlock authors, Apache License 2.0"

extensions = ["myst_parser", "sphinx.ext.doctest"]
exclude_patterns = ["_build"]
root_doc = "index"
nitpicky = True

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 4

html_theme = "furo"
html_title = "Interlock"
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_show_sourcelink = False
html_copy_source = False
pygments_style = "friendly"
