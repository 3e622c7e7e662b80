"""SMS over SMPP 3.4: settings, packets, links, sessions, receipts."""
