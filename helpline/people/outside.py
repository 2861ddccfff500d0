"""What every answer says to the browser and to whoever stands between; and that nobody sends files."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.multipartparser import MultiPartParser
from django.utils.datastructures import MultiValueDict

GetResponse = Callable[[HttpRequest], HttpResponse]
# What a page may ask a browser for: nothing, but a passkey at the log-in.
FEATURES_OFF = [
    *(
        "accelerometer",
        "ambient-light-sensor",
        "attribution-reporting",
        "autoplay",
        "bluetooth",
        "browsing-topics",
        "camera",
    ),
    *(
        "compute-pressure",
        "display-capture",
        "encrypted-media",
        "fullscreen",
        "gamepad",
        "geolocation",
        "gyroscope",
        "hid",
    ),
    *(
        "identity-credentials-get",
        "idle-detection",
        "join-ad-interest-group",
        "keyboard-map",
        "local-fonts",
        "magnetometer",
    ),
    *("microphone", "midi", "otp-credentials", "payment", "picture-in-picture", "private-state-token-issuance"),
    *(
        "private-state-token-redemption",
        "run-ad-auction",
        "screen-wake-lock",
        "serial",
        "shared-storage",
        "storage-access",
    ),
    *("usb", "web-share", "window-management", "xr-spatial-tracking"),
]
FEATURES_OWN = ("publickey-credentials-create", "publickey-credentials-get")
PERMISSIONS = ", ".join([*(f"{name}=()" for name in FEATURES_OFF), *(f"{name}=(self)" for name in FEATURES_OWN)])
HEADERS = {
    "Permissions-Policy": PERMISSIONS,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": settings.X_FRAME_OPTIONS,
    "X-Robots-Tag": "noindex, nofollow",
}


class FileSent(SuspiciousOperation):
    """There is a file in the request. Nothing takes files here (400)."""


class OutsideMiddleware:
    """The outermost: headers of every answer, whoever made it. What is not a static file is kept by no cache, so that the
    Back button shows nothing after log-out."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if not _is_static(request, response):
            if "no-store" not in response.headers.get("Cache-Control", ""):
                response.headers["Cache-Control"] = "no-store"
            for name in ("ETag", "Last-Modified", "Expires"):
                response.headers.pop(name, None)
        return response


def _is_static(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether a file of ours was answered, the same for everybody."""
    return request.path_info.startswith(settings.STATIC_URL) and response.status_code in (200, 206, 304)


class NoFilesMiddleware:
    """Refuses a form with a file before anything else looks at it, on every address: nothing of it is kept anywhere."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.content_type == "multipart/form-data":
            request.parse_file_upload = lambda *sent: _without_files(request, *sent)  # type: ignore[method-assign]
            _ = request.POST
        return self.get_response(request)


def _without_files(request: HttpRequest, meta: dict[str, Any], sent: BytesIO) -> tuple[QueryDict, MultiValueDict]:
    return _StrictParser(meta, sent, request.upload_handlers, request.encoding).parse()


class _StrictParser(MultiPartParser):
    """Django's own passes over a file whose name is odd; here a name is enough."""

    def sanitize_file_name(self, file_name: str) -> str:
        raise FileSent("a file was sent")


class RefuseFiles(FileUploadHandler):
    """The only handler of files: takes none, neither into memory nor onto a disk."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise FileSent("a file was sent")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        raise FileSent("a file was sent")

    def file_complete(self, file_size: int) -> None:
        raise FileSent("a file was sent")
