"""Pure: documents, rules, dates, events and names. No AWS, no clock, no environment, no logging."""
