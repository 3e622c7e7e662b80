"""What one file of a shop says about another: names that must exist, and values that must fit together."""

from __future__ import annotations

from app.checks.channels import check_channels
from app.checks.coupons import check_coupons
from app.checks.guards import check_guards
from app.checks.recommendations import check_recommendations
from app.checks.rfm import check_rfm
from app.checks.settings import check_settings
from app.checks.sources import check_sources
from app.checks.tags import check_tags
from app.checks.timelines import check_timelines
from app.checks.triggers import check_triggers
from app.folder import Folder
from app.problems import Problems


def check_references(folder: Folder, problems: Problems) -> None:
    """Check everything that needs no rule to be read."""
    for check in (
        check_settings,
        check_guards,
        check_sources,
        check_rfm,
        check_tags,
        check_triggers,
        check_channels,
        check_coupons,
        check_recommendations,
        check_timelines,
    ):
        check(folder, problems)
