"""Recommendation slots: trained from history in the background, served from the store."""
