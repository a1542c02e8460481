"""The polls site with one URL moved: all others are Django's, as they were."""

from django.contrib.staticfiles.handlers import StaticFilesHandler
from mysite.wsgi import application
from polls.models import Choice, Question

from kingpost import App, NotFound

app = App()
app.mount("/", StaticFilesHandler(application))


@app.get("/polls/{question:int}/results/")
def results(question: int) -> dict[str, int]:
    if not Question.objects.filter(pk=question).exists():
        raise NotFound(f"there is no question {question}")
    return dict(Choice.objects.filter(question=question).values_list("choice_text", "votes"))
