"""Django on Granian (WSGI): one module, no middleware, debug off."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    DEBUG=False,
    MIDDLEWARE=[],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only for this benchmark",  # noqa: S106 - signs nothing
)


def home(request):
    return HttpResponse("Hello, world!", content_type="text/plain; charset=utf-8")


def message(request):
    return JsonResponse({"message": "Hello, world!"}, json_dumps_params={"separators": (",", ":")})


urlpatterns = [path("", home), path("json", message)]
app = get_wsgi_application()
