"""Ask a running `pgsim serve` for a radio around one song, by the standard library alone."""

import json
import os
import sys
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

SERVER = os.environ.get("PGSIM_SERVER", "http://127.0.0.1:8080")
KEY = os.environ.get("PGSIM_KEY")  # for a server that was started with --require-key


def ask(path: str, **words: Any) -> Any:
    """Return the answer; a list of values is sent as one parameter for each."""
    given = {name: value for name, value in words.items() if value is not None}
    address = f"{SERVER}/api/v1/{path}?{urlencode(given, doseq=True)}"
    headers = {"Authorization": f"Bearer {KEY}"} if KEY else {}
    try:
        with urlopen(Request(address, headers=headers)) as response:
            return json.load(response)
    except HTTPError as error:
        problem = json.load(error)
        raise SystemExit(f"{problem['detail']}; {problem.get('hint', '')}") from None


(seed, *_) = ask("recordings", q=" ".join(sys.argv[1:]) or "mars", k=1)
print(f"from {seed['artist']}: {seed['title']}")

for row in ask("radio", seed=seed["mbid"], k=5, album_gap=1, drift=0.5):
    print(f"{row['similarity']:.2f}  {row['artist'] or 'unknown artist'}: {row['title']}")

for share in ask(f"recordings/{quote(seed['mbid'])}/explain/{quote(row['mbid'])}")[:2]:
    print(f"{share['share']:.0%} of the last distance is {share['feature_set']}")
