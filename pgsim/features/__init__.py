"""What a vector is made of: metrics, forms, profiles, fusion. No sources, no database.

A feature set is an entry of a profile, in `profiles/*.toml`.
"""
