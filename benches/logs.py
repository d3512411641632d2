"""The logs of GraphQL: pages of 100 at 8 connections, deep in the trail, beside PostGraphile 5 over the same table in the same run.

Each connection walks a stretch of pages from a place of its own. The peer is asked for the same columns in the same order, as a superuser to whom
no row-level security applies; it neither asks who may read nor signs its cursors.
"""
import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import time

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "postgraphile")
CONNECTIONS = 8
PAGE = 100
STRETCH = 20  # pages that a connection walks on from where it begins
EACH = 100_000  # events of each log, spread over those that were generated

# The seed's questions, the same of the peer, and what makes a generated change an event of the log.
LOGS = {
    "unauthenticatedAuditLogs": (
        "id user { email } ip success mutationName loggedAt",
        "rowId loginEmail ip outcome loginMethod occurredAt", {"kind": "login", "action": "login.attempted"},
        {"login_method": "'login'", "login_email": "coalesce(actor_user_email, 'nobody@acme.example')"}),
    "authenticatedAuditLogs": (
        "id user { email } operationName operationText variables loggedAt",
        "rowId actorUserEmail operationName operationText operationVariables occurredAt", {"kind": "operation", "action": "mutation.sent"},
        {"operation_name": "'create_team'", "operation_text": "'POST /api/create_team'", "operation_root_fields": "'{create_team}'::text[]",
         "operation_variables": "json_build_object('organization', 'acme', 'name', object_name)"}),
    "exporterAuditLogs": (
        "id user { email } model { name } loggedAt",
        "rowId actorUserEmail exportModel occurredAt", {"kind": "export"},
        {"action": "'model.exported'", "export_model": "'orders'", "export_rows": "7"}),
}


def fill(server):
    """Events of the three logs, at moments of generated changes. Without their positions: no log reads them."""
    columns = server.sql("select string_agg(attname, ',' order by attnum) from pg_attribute where attrelid = 'orgtrail.events'::regclass and attnum > 0").split(",")
    for _ours, _theirs, condition, values in LOGS.values():
        values = {"index": "(select max(index) from orgtrail.events) + row_number() over ()", "id": "gen_random_uuid()", "previous": "null::json", "next": "null::json",
                  **{name: f"'{value}'" for name, value in condition.items()}, **values}
        chosen = ", ".join(f"{values.get(column, column)} as {column}" for column in columns)
        server.sql("select set_config('app.organization_id', id::text, false) from orgtrail.organizations where slug = 'acme'; "
                   f"insert into orgtrail.events ({','.join(columns)}) select {chosen} "
                   f"from (select * from orgtrail.events where kind = 'change' order by random() limit {EACH}) e")
    server.sql("vacuum analyze orgtrail.events")


class Peer:
    """PostGraphile, on a port of its own."""

    def __init__(self, server):
        subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=FOLDER, check=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        folder = server.psql()[server.psql().index("-h") + 1]
        environment = os.environ | {"DATABASE_URL": f"postgres://postgres@/orgtrail?host={folder}&port=5432", "PORT": str(self.port), "NODE_ENV": "production"}
        self.process = subprocess.Popen(["node_modules/node/bin/node", "node_modules/.bin/postgraphile"], cwd=FOLDER, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.2)
        raise SystemExit("PostGraphile did not start")

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Log:
    """One log at one server: where to ask, how, and places in it to begin at."""

    def __init__(self, port, headers, body):
        self.port, self.headers, self.body = port, {"Content-Type": "application/json", **headers}, body

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port)

    def ask(self, connection, cursor):
        """Milliseconds, and the cursor of the next page."""
        body = json.dumps(self.body(cursor))
        started = time.perf_counter()
        connection.request("POST", "/graphql", body, self.headers)
        answer = connection.getresponse().read()
        elapsed = (time.perf_counter() - started) * 1000
        found = re.search(rb'"endCursor":"([^"]+)"', answer)
        assert found and b'"errors"' not in answer, answer[:500]
        return elapsed, found[1].decode()

    def places(self, pages):
        """A cursor before each of `pages` stretches, all over the log: found by walking through it once."""
        connection, cursor, places = self.connect(), None, [None]
        for page in range(EACH // PAGE - STRETCH - 2):
            _, cursor = self.ask(connection, cursor)
            if page % (EACH // PAGE // pages) == 0:
                places.append(cursor)
        return places

    def walk(self, load, places, seconds):
        """Pages a second of `CONNECTIONS` at once, and below how many milliseconds 99 of 100 of them were."""
        body = json.dumps(self.body("@@")).replace('"@@"', "@@")
        headers = "\n".join(f"{name}: {value}" for name, value in self.headers.items())
        questions = "\n".join([headers, "", body, *(json.dumps(place) for place in places)])
        command = [load, "walk", f"127.0.0.1:{self.port}", str(CONNECTIONS), str(seconds), str(STRETCH)]
        pages, took, p99 = subprocess.run(command, input=questions, check=True, capture_output=True, text=True).stdout.split()
        return int(pages) / float(took), float(p99)

    def one(self, cursor, runs=40):
        connection = self.connect()
        return statistics.median(self.ask(connection, cursor)[0] for _ in range(runs))


def ours(server, secret, log, fields):
    query = f"query($cursor: String) {{ account {{ {log}(first: {PAGE}, startTime: $start, after: $cursor) {{ pageInfo {{ hasNextPage endCursor }} edges {{ node {{ {fields} }} }} }} }} }}"
    query = query.replace("$cursor: String)", "$cursor: String, $start: DateTime)", 1)
    start = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() - 89 * 86_400))
    return Log(server.port, {"Authorization": f"Bearer {secret}"}, lambda cursor: {"query": query, "variables": {"cursor": cursor, "start": start}})


def theirs(server, peer, fields, condition):
    organization = server.sql("select id from orgtrail.organizations where slug = 'acme'")
    chosen = ", ".join(f'{name}: "{value}"' for name, value in {"organizationId": organization, **condition}.items())
    query = (f"query($cursor: Cursor) {{ allEvents(first: {PAGE}, after: $cursor, condition: {{ {chosen} }}, orderBy: [OCCURRED_AT_DESC, INDEX_DESC]) "
             f"{{ pageInfo {{ hasNextPage endCursor }} edges {{ node {{ {fields} }} }} }} }}")
    return Log(peer.port, {}, lambda cursor: {"query": query, "variables": {"cursor": cursor}})


def rows(server, runs, seconds=8):
    """A line of the table for each log."""
    fill(server)
    secret, peer, lines = server.token("audit:read"), Peer(server), []
    try:
        for log, (asked, of_them, condition, _) in LOGS.items():
            here, there = ours(server, secret, log, asked), theirs(server, peer, of_them, condition)
            places, other_places = here.places(20), there.places(20)
            idle = server.memory("VmRSS")
            server.forget_peak()
            pairs = [(here.walk(server.load(), places, seconds), there.walk(server.load(), other_places, seconds)) for _ in range(runs)]
            ratios = [mine[0] / other[0] for mine, other in pairs]
            p99, p99_other = (statistics.median(pair[side][1] for pair in pairs) for side in (0, 1))
            lines.append([log, f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})",
                          f"{statistics.median(pair[0][0] for pair in pairs):,.0f}", f"{p99:.0f} ms", f"{p99_other:.0f} ms",
                          f"{here.one(None):.1f} / {here.one(places[-1]):.1f} ms", f"+{server.memory('VmHWM') - idle:.0f} MiB"])
    finally:
        peer.stop()
    return lines


HEAD = ["log", "× requests of PostGraphile (range)", "requests/s", "p99", "p99 of PostGraphile", "first / last page alone", "peak above"]
