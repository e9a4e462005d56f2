"""Questions to a collection: their words, their answers, and files as seeds.

A question itself is a SQL function in sql/functions/questions.
"""
