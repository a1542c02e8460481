"""Starts nginx in the foreground, one process, as its documentation sets it up for files: nginx_site.py PROGRAM PORT."""

import os
import sys
from pathlib import Path

CONFIGURATION = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    open_file_cache max=1000 inactive=60s;
    types {{ application/octet-stream bin; }}
    client_body_temp_path {folder};
    proxy_temp_path {folder};
    fastcgi_temp_path {folder};
    uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = / {{ return 200 "ready"; }}
        location /static/ {{ alias {static}/; }}
    }}
}}
"""

program, port = sys.argv[1:]
static = Path(os.environ["BENCH_STATIC"])
# Beside the files: nobody is left to remove a folder of its own.
folder = static.with_name("nginx")
folder.mkdir(exist_ok=True)
configuration = folder / "nginx.conf"
configuration.write_text(CONFIGURATION.format(folder=folder, port=port, static=static))
os.execv(program, [program, "-c", str(configuration)])  # noqa: S606 - it takes our place
