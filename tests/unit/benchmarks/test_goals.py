import pytest
from harness.goals import Goal, goals, judge
from harness.result import Result
from harness.rows import BY_NAME


def measured(**values: float) -> dict[tuple[str, str], Result]:
    return {
        ("plain", subject): Result("plain", subject, subject, values={"cpu_us": value})
        for subject, value in values.items()
    }


@pytest.mark.parametrize(("ours", "is_met"), [(7.4, True), (7.54, True), (7.6, False)])
def test_a_ratio_is_held_against_its_bound_as_it_is_printed(ours: float, is_met: bool) -> None:
    goal = Goal("", "plain", "kingpost", 0.75, "japronto")

    assert judge(goal, measured(kingpost=ours, japronto=10.0)).is_met is is_met


def test_a_difference_is_taken_from_the_anchor() -> None:
    goal = Goal("", "plain", "kingpost", 3.0, "rust", kind="over")

    assert judge(goal, measured(kingpost=9.0, rust=5.0)).value == 4.0


def test_more_is_better_where_the_goal_says_so() -> None:
    goal = Goal("", "plain", "kingpost", 1.0, "rust", at_least=True)

    assert judge(goal, measured(kingpost=9.0, rust=5.0)).is_met
    assert not judge(goal, measured(kingpost=4.0, rust=5.0)).is_met


def test_a_goal_without_its_anchor_is_not_met_and_says_why() -> None:
    verdict = judge(Goal("", "plain", "kingpost", 1.0, "japronto"), measured(kingpost=9.0))

    assert (verdict.value, verdict.is_met) == (None, False)
    assert "japronto" in verdict.why


@pytest.mark.parametrize("goal", goals((3, 11)), ids=lambda goal: goal.text)
def test_every_goal_names_subjects_that_its_row_measures(goal: Goal) -> None:
    row = BY_NAME[goal.row]
    subjects = {entry.name for entry in row.entries} | {"floor"}

    assert goal.subject in subjects
    assert goal.anchor in subjects | {""}


def test_a_suspension_is_asked_to_cost_less_from_python_3_14_on() -> None:
    def bound(python: tuple[int, int]) -> float:
        return next(goal.bound for goal in goals(python) if goal.row == "suspend")

    assert (bound((3, 13)), bound((3, 14))) == (0.45, 0.35)
