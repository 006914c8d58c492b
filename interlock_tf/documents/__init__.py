"""From the text of a YAML file to a validated document, every problem with its place."""
