"""What a vector is made of: metrics, forms, profiles, fusion. No files, no database."""
