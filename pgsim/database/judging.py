"""What the answers of a database are worth: measured, and as people rate them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

from pgsim.database.asking import Asking, PathLike
from pgsim.errors import UsageError
from pgsim.postgres.session import without_timeouts
from pgsim.progress import Say, silent
from pgsim.questions import question as questions
from pgsim.questions.answers import Answer, Rating
from pgsim.questions.words import Mbid

if TYPE_CHECKING:
    from pgsim.evaluation.agreement import Agreement
    from pgsim.evaluation.by_labels import LabelEvaluation
    from pgsim.evaluation.by_ratings import RatingEvaluation
    from pgsim.evaluation.evaluate import Evaluation
    from pgsim.evaluation.suspects import Suspects


class Judging(Asking):
    """A connection to one database, whose answers can be judged."""

    @overload
    def evaluate(
        self,
        *,
        labels: None = None,
        ratings: Literal[False] = False,
        sample: int = 1000,
        seed: int = 0,
        threads: int | None = None,
        say: Say = silent,
    ) -> Evaluation: ...

    @overload
    def evaluate(
        self,
        *,
        ratings: Literal[True],
        seed: int = 0,
        threads: int | None = None,
        say: Say = silent,
    ) -> RatingEvaluation: ...

    @overload
    def evaluate(
        self,
        *,
        labels: PathLike,
        sample: int = 1000,
        seed: int = 0,
        threads: int | None = None,
        say: Say = silent,
    ) -> LabelEvaluation: ...

    def evaluate(
        self,
        *,
        labels: PathLike | None = None,
        ratings: bool = False,
        sample: int = 1000,
        seed: int = 0,
        threads: int | None = None,
        say: Say = silent,
    ) -> Evaluation | LabelEvaluation | RatingEvaluation:
        """Measure the quality of the answers: recall of a sample, hubs, and labels shared.

        `seed` chooses the random sample. With `labels` (artist, genre, mbid, or a CSV file with the
        columns mbid and label) the sample is of queries, and the profile is compared with other
        vectors by how many neighbours share a label. With `ratings` it is compared by the verdicts
        of `rate`: how often what a person likes is nearer to the seed than what they dislike.
        """
        from pgsim.evaluation.by_labels import evaluate_labels
        from pgsim.evaluation.by_ratings import evaluate_ratings
        from pgsim.evaluation.evaluate import evaluate

        if ratings and labels is not None:
            raise UsageError("`labels` or `ratings`, not both: each says what is right")
        with self._use() as conn, without_timeouts(conn):
            if ratings:
                return evaluate_ratings(conn, seed=seed, threads=threads, say=say)
            if labels is None:
                return evaluate(conn, sample=sample, seed=seed, threads=threads, say=say)
            return evaluate_labels(
                conn, labels, queries=sample, seed=seed, threads=threads, say=say
            )

    def agreement(self, table: str, k: int = 10) -> Agreement:
        """Compare the k nearest with the k best of a table of mbid0, mbid1 and score.

        So ListenBrainz keeps what people listen to together, in its table similarity.recording.
        """
        from pgsim.evaluation.agreement import evaluate_against

        with self._use() as conn, without_timeouts(conn):
            return evaluate_against(conn, table, k)

    def suspects(self, *, threads: int | None = None, say: Say = silent) -> Suspects:
        """Look for what is suspicious in the data, each with the row to look at.

        That are submissions that disagree with their MBID, labels that the neighbours contradict,
        near duplicates, and recordings in nobody's lists or in everybody's.
        """
        from pgsim.evaluation.suspects import find_suspects

        with self._use() as conn, without_timeouts(conn):
            return find_suspects(conn, threads=threads, say=say)

    def rate(self, seed: Mbid, answer: Mbid, verdict: int, by_whom: str) -> None:
        """Store whether an answer sounds like its seed (1), or does not (-1), for one person.

        0 takes an earlier verdict back. `tune` and `evaluate` read the verdicts.
        """
        with self._use() as conn:
            questions.rate(conn, seed, answer, verdict, by_whom)

    def ratings(self, person: str | None = None) -> Answer[Rating]:
        """Return the verdicts of a person, or everybody's, the oldest first."""
        return self._ask(questions.RATINGS, {"person": person})
