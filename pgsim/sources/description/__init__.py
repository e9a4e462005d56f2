"""What a table is about: what each column may be, proposed as a profile for a person to edit."""
