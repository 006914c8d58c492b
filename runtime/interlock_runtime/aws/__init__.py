"""Thin adapters to AWS, with clients made when first used."""
