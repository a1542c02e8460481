"""What the polls promise."""

import datetime

from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from .models import Question


def ask(text, days):
    """A question that is published so many days from now; fewer than none are in the past."""
    time = timezone.now() + datetime.timedelta(days=days)
    return Question.objects.create(question_text=text, pub_date=time)


class QuestionModelTests(TestCase):
    def test_a_future_question_was_not_published_recently(self):
        time = timezone.now() + datetime.timedelta(days=30)
        self.assertIs(Question(pub_date=time).was_published_recently(), False)

    def test_an_old_question_was_not_published_recently(self):
        time = timezone.now() - datetime.timedelta(days=1, seconds=1)
        self.assertIs(Question(pub_date=time).was_published_recently(), False)

    def test_a_question_of_today_was_published_recently(self):
        time = timezone.now() - datetime.timedelta(hours=23, minutes=59)
        self.assertIs(Question(pub_date=time).was_published_recently(), True)


class QuestionIndexViewTests(TestCase):
    def test_without_questions_it_says_so(self):
        response = self.client.get(reverse("polls:index"))
        self.assertContains(response, "There are no polls.")
        self.assertQuerySetEqual(response.context["latest_question_list"], [])

    def test_a_past_question_is_shown(self):
        question = ask("Past?", days=-30)
        response = self.client.get(reverse("polls:index"))
        self.assertQuerySetEqual(response.context["latest_question_list"], [question])

    def test_a_future_question_is_not_shown(self):
        ask("Future?", days=30)
        response = self.client.get(reverse("polls:index"))
        self.assertContains(response, "There are no polls.")

    def test_of_two_questions_the_newer_comes_first(self):
        older, newer = ask("Older?", days=-30), ask("Newer?", days=-5)
        response = self.client.get(reverse("polls:index"))
        self.assertQuerySetEqual(response.context["latest_question_list"], [newer, older])


class QuestionDetailViewTests(TestCase):
    def test_a_future_question_is_not_found(self):
        question = ask("Future?", days=5)
        response = self.client.get(reverse("polls:detail", args=(question.id,)))
        self.assertEqual(response.status_code, 404)

    def test_a_past_question_is_shown(self):
        question = ask("Past?", days=-5)
        response = self.client.get(reverse("polls:detail", args=(question.id,)))
        self.assertContains(response, question.question_text)


class VoteTests(TestCase):
    def test_without_a_choice_the_form_comes_again(self):
        question = ask("Which?", days=-1)
        response = self.client.post(reverse("polls:vote", args=(question.id,)))
        self.assertContains(response, "Choose one of the answers.")

    def test_a_vote_is_counted_and_leads_to_the_results(self):
        question = ask("Which?", days=-1)
        choice = question.choice_set.create(choice_text="This")
        url = reverse("polls:vote", args=(question.id,))
        response = self.client.post(url, {"choice": choice.id})
        results = reverse("polls:results", args=(question.id,))
        self.assertRedirects(response, results, fetch_redirect_response=False)
        choice.refresh_from_db()
        self.assertEqual(choice.votes, 1)
