"""The learner finds what is so in made-up cases, and the table that the reader uses is a learner's own."""

from __future__ import annotations

from bench.judging import Case, judge_unknown_shops, learn
from sandbox.openai import judging
from sandbox.openai.conversation import Conversation, Source
from sandbox.openai.question import understand
from sandbox.openai.reader import choose


def _case(shop: str, *, answerable: bool, covered: float, whole: bool = True) -> Case:
    found = {"share covered": covered, "noise": float(len(shop) % 2)}
    return Case(shop=shop, answerable=answerable, whole=whole, right=answerable, found=found)


def _cases(shop: str) -> list[Case]:
    return [
        *(_case(shop, answerable=True, covered=share / 10) for share in range(5, 11)),
        *(_case(shop, answerable=False, covered=share / 10) for share in range(6)),
    ] * 10


def test_evidence_that_goes_with_answers_gets_a_weight_and_other_evidence_none() -> None:
    always, weights = learn([*_cases("roti"), *_cases("sepeda")])
    assert weights["share covered"] > 1
    assert abs(weights["noise"]) < 0.01
    assert always < 0


def test_a_case_without_evidence_teaches_nothing_and_is_never_answered() -> None:
    silent = Case(shop="roti", answerable=True, whole=True, right=False, found=None)
    cases = [*_cases("roti"), *_cases("sepeda")]
    assert learn([*cases, silent]) == learn(cases)
    odds = [odds for case, odds in judge_unknown_shops([*cases, silent]) if case is silent]
    assert odds == [float("-inf")]


def test_a_shop_is_judged_by_the_other_shops_alone() -> None:
    upside_down = [
        Case(shop="aneh", answerable=not c.answerable, whole=True, right=not c.answerable, found=c.found)
        for c in _cases("roti")
    ]
    judged = judge_unknown_shops([*upside_down, *_cases("sepeda")])
    strange = [(case.answerable, odds > 0) for case, odds in judged if case.shop == "aneh"]
    assert sum(answerable != guessed for answerable, guessed in strange) > 0.8 * len(strange)


def test_a_question_without_its_passage_is_taught_from_but_not_counted() -> None:
    cases = [*_cases("roti"), *_cases("sepeda"), _case("roti", answerable=False, covered=0.9, whole=False)]
    assert learn(cases) != learn(cases[:-1])
    assert len(judge_unknown_shops(cases)) == len(cases) - 1


def test_the_reader_has_a_weight_for_each_kind_of_evidence_and_no_other() -> None:
    source = Source(id="faq:bolu", title="Bolu", text="T: Bolu berapa?\nJ: Bolu Rp28.000, Kak.")
    conversation = Conversation(question="bolu pandan berapa kak", sources=(source,))
    choice = choose(conversation, understand(conversation.question), conversation.sources)
    assert choice.evidence.keys() == judging.WEIGHTS.keys()
