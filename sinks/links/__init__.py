"""Short links of messages: signed, of one delivery each, leading only where its template says."""
