"""Codes that messages carry: pools, each code claimed by one decision, and what was redeemed."""
