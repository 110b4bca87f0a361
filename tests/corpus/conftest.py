"""The strategies of the corpus are evidence and no modules of the project: no doctest is looked for in them."""

from __future__ import annotations

collect_ignore_glob = ["*/*"]
