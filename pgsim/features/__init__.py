"""What a vector is made of: metrics, forms, profiles, fusion. No sources, no database."""
