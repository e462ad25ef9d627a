"""What the shop knows: records, files and their checking, facts, conditions, templates. Imports no other room."""
