"""The six Lambda entry points: unpack the AWS event, call control, shape the answer."""
