"""The likely meaning of each column of a table, proposed as a profile for a person to edit."""
