"""Django in one module: pages, and its admin on SQLite."""

import os
from collections.abc import Iterator
from typing import Any

import django
from django.conf import settings
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)

settings.configure(
    SECRET_KEY="not-a-secret-of-anybody",
    DEBUG=False,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ.get("GRID_DATABASE", ":memory:"),
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    STATIC_URL="/static/",
    USE_TZ=True,
)
django.setup()

from django.contrib import admin  # noqa: E402 - not before Django is set up
from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402
from django.views.decorators.http import require_GET, require_POST  # noqa: E402


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<h1>Hello, world.</h1>")


def fail(request: HttpRequest) -> HttpResponse:
    raise LookupError("the page fails")


def leave(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect("/")


def cookie(request: HttpRequest) -> HttpResponse:
    answer = HttpResponse("set", content_type="text/plain")
    answer.set_cookie("one", "1", httponly=True)
    answer.set_cookie("two", "a b")
    return answer


def seen(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"cookies": request.COOKIES, "tags": request.headers.get("X-Tag")})


@csrf_exempt
@require_POST
def form(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"name": request.POST["name"], "all": request.POST.getlist("n")})


@csrf_exempt
def upload(request: HttpRequest) -> HttpResponse:
    file: Any = request.FILES["file"]
    return JsonResponse({"name": file.name, "size": len(file.read())})


@csrf_exempt
def json(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.body, content_type="application/json")


@csrf_exempt
def size(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(len(request.read())))


def stream(request: HttpRequest) -> StreamingHttpResponse:
    def pieces() -> Iterator[str]:
        for number in range(5):
            yield f"{number}\n" * 1000

    return StreamingHttpResponse(pieces(), content_type="text/plain")


def query(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"x": request.GET.getlist("x"), "y": request.GET.get("y")})


def item(request: HttpRequest, number: int) -> HttpResponse:
    return JsonResponse({"number": number})


def text(request: HttpRequest, text: str) -> HttpResponse:
    return JsonResponse({"text": text, "path": request.path})


def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204)


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(open(os.environ["GRID_FILE"], "rb"), content_type="text/plain")  # noqa: PTH123 - as its documentation has it


urlpatterns = [
    path("", home),
    path("fail", fail),
    path("redirect", leave),
    path("cookie", cookie),
    path("seen", seen),
    path("form", form),
    path("upload", upload),
    path("json", json),
    path("size", size),
    path("stream", stream),
    path("query", query),
    path("item/<int:number>", item),
    path("text/<str:text>", text),
    path("empty", empty),
    path("file", file),
    path("slash/", home),
    path("admin/", admin.site.urls),
]

asgi = get_asgi_application()
wsgi = get_wsgi_application()


def prepare() -> None:
    """The tables, and somebody who may log in."""
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    User.objects.create_superuser("ann", "ann@example.org", "secret")


if __name__ == "__main__":
    prepare()
