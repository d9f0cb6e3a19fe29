"""How much is measured: in full, for a quick look, and at the size of a test."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Counts of rows and repetitions; seconds where the name says so."""

    public_articles: int
    load_rounds: int
    load_seconds: float
    followers: int
    mailed_followers: int
    due_at_once: int
    due_setups: int
    due_rounds: int
    due_singly: int
    singly_within_seconds: float
    idle_seconds: float
    jobs_one_by_one: int
    asked_in_turn: int
    compared_words: int
    versions: int
    long_versions: int
    searched_items: int
    searches: int
    foreseen_items: int
    planned_actions: int
    forecasts: int
    bulk_items: int


FULL = Sizes(
    public_articles=1_500,
    load_rounds=7,
    load_seconds=3.0,
    followers=1_000_000,
    mailed_followers=100_000,
    due_at_once=10_000,
    due_setups=3,
    due_rounds=2,
    due_singly=200,
    singly_within_seconds=60.0,
    idle_seconds=60.0,
    jobs_one_by_one=500,
    asked_in_turn=200,
    compared_words=20_000,
    versions=3_200,
    long_versions=128,
    searched_items=100_000,
    searches=100,
    foreseen_items=100_000,
    planned_actions=10_000,
    forecasts=300,
    bulk_items=500,
)
QUICK = Sizes(
    public_articles=1_000,
    load_rounds=3,
    load_seconds=1.5,
    followers=100_000,
    mailed_followers=20_000,
    due_at_once=2_000,
    due_setups=3,
    due_rounds=1,
    due_singly=60,
    singly_within_seconds=15.0,
    idle_seconds=15.0,
    jobs_one_by_one=100,
    asked_in_turn=200,
    compared_words=4_000,
    versions=640,
    long_versions=4,
    searched_items=20_000,
    searches=100,
    foreseen_items=20_000,
    planned_actions=2_000,
    forecasts=200,
    bulk_items=200,
)
TINY = Sizes(
    public_articles=30,
    load_rounds=1,
    load_seconds=0.2,
    followers=500,
    mailed_followers=200,
    due_at_once=60,
    due_setups=1,
    due_rounds=1,
    due_singly=5,
    singly_within_seconds=0.5,
    idle_seconds=3.0,
    jobs_one_by_one=5,
    asked_in_turn=5,
    compared_words=400,
    versions=130,
    long_versions=2,
    searched_items=100,
    searches=5,
    foreseen_items=100,
    planned_actions=30,
    forecasts=5,
    bulk_items=60,
)
