"""What MusicBrainz publishes: the tables of its dump, and MetaBrainz's canonical data.

A table of the dump (`mbdump.tar.bz2`) is a file without an ending, as PostgreSQL's COPY writes it:
https://musicbrainz.org/doc/MusicBrainz_Database/Download. Its archive has the tables in the order
of their names. The canonical data are CSV files with headers in a `.tar.zst`:
https://metabrainz.org/datasets/derived-dumps#canonical
"""

RECORDING = "recording"
REDIRECT = "recording_gid_redirect"
CANONICAL_REDIRECT = "canonical_recording_redirect.csv"
# What a folder or an archive needs to have for `pgsim redirects`: either of these.
REDIRECTS = ((RECORDING, REDIRECT), (CANONICAL_REDIRECT,))
