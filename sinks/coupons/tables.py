"""The tables of codes, in the file of the ledger: a code and its delivery change in one transaction."""

from __future__ import annotations

# number: of the delivery that has it; null while it is free, and of a customer who was erased.
# claimed: when (null: free), expires: the last minute at which it is good, as said at the claim.
# sent: of an erased customer's, whether it had gone out. redeemed: when, as first told of.
# What nobody can have seen goes back: no attempt was made, so no provider ever had the message.
COUPON_TABLES = """
CREATE TABLE IF NOT EXISTS coupon (
    place INTEGER PRIMARY KEY, pool TEXT NOT NULL, code TEXT NOT NULL, loaded REAL NOT NULL,
    number INTEGER UNIQUE, claimed REAL, expires INTEGER, sent INTEGER, redeemed REAL, UNIQUE (pool, code)
);
CREATE INDEX IF NOT EXISTS coupon_free ON coupon (pool, place) WHERE claimed IS NULL AND redeemed IS NULL;
CREATE TABLE IF NOT EXISTS redemption (
    place INTEGER NOT NULL, mark TEXT NOT NULL, at REAL NOT NULL, customer TEXT, odd TEXT NOT NULL,
    PRIMARY KEY (place, mark)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS redemption_customer ON redemption (customer) WHERE customer IS NOT NULL;
CREATE TRIGGER IF NOT EXISTS coupon_goes_back AFTER UPDATE OF state ON delivery
WHEN NEW.state IN ('held back', 'expired') AND NEW.attempts = 0
BEGIN
    UPDATE coupon SET number = NULL, claimed = NULL, expires = NULL
    WHERE number = NEW.number AND redeemed IS NULL;
END;
"""
