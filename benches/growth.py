"""What a trail costs as it grows: the same questions to the same server with more and more stored. Blocks are those of 8 KiB that the database looked
at, in memory or not: they do not depend on the machine, nor on what else it does.
"""
import shlex
import statistics
import subprocess
import time
from datetime import datetime, timedelta, timezone

import ingest
import logs

PAGES = {
    "page, no filter": "range=90d",
    "page, rare action": "range=90d&action=organization.updated",
    "page, object type": "range=90d&object=invoice",
    "page, a frequent word": "range=90d&q=invoice",
    "page, a rare word": "range=90d&q=lovelace",
    "page, last 7 days": "range=7d",
}
SECONDS = 5


def blocks(server):
    """Blocks looked at so far. Statistics are written when a connection has been idle for a second, or a transaction later."""
    time.sleep(1.5)
    return int(server.sql("select blks_hit + blks_read from pg_stat_database where datname = 'orgtrail'"))


def page(server, query, runs):
    """Milliseconds of the first HTML (median), and blocks of one."""
    path = f"/acme/settings/audit-logs?{query}"
    server.get(path)
    before, times = blocks(server), []
    for _ in range(runs):
        started = time.monotonic()
        status, _body = server.get(path)
        times.append((time.monotonic() - started) * 1000)
        assert status == 200, (path, status)
    return f"{statistics.median(times):.0f} ms, {(blocks(server) - before) / runs:,.0f} blocks"


def export(server, first, last):
    """Events exported of the days so many before today, and how many of them a second (median of three)."""
    today = datetime.now(timezone.utc).date()
    path = f"/api/export_audit_logs?organization=acme&start={today - timedelta(days=first)}&end={today - timedelta(days=last)}&kind=change"
    command = ["curl", "-sSf", "-H", f"Cookie: {server.cookie}", f"http://127.0.0.1:{server.port}{path}"]
    times = []
    for _ in range(3):
        started = time.monotonic()
        counted = subprocess.run(f"{shlex.join(command)} | wc -l", shell=True, check=True, capture_output=True, text=True)
        times.append(time.monotonic() - started)
    events = int(counted.stdout) - 1
    return f"{events:,} events, {events / statistics.median(times):,.0f}/s"


def log(server, secret):
    """Pages of 100 changes over GraphQL, each connection walking on from the newest: how many a second."""
    query = f"query($cursor: String) {{ account {{ auditLogs(first: {logs.PAGE}, after: $cursor) {{ pageInfo {{ endCursor }} edges {{ node {{ id index action occurredAt }} }} }} }} }}"
    newest = logs.Log(server.port, {"Authorization": f"Bearer {secret}"}, lambda cursor: {"query": query, "variables": {"cursor": cursor}})
    pages, p99 = newest.walk(server.load(), [None], SECONDS)
    return f"{pages:,.0f} pages/s, p99 {p99:.0f} ms"


def measure(server, reading, sending, runs):
    """What everything costs now, by what it is; with the secrets of a token that reads and of one that sends."""
    server.sql("vacuum analyze orgtrail.events")
    count = server.sql("select reltuples::bigint from (select sum(reltuples) as reltuples from pg_class where relname like 'events\\_20%' and relkind = 'r') as c")
    measured = {"events stored": f"{int(count):,}", "size of the database": server.sql("select pg_size_pretty(pg_database_size('orgtrail'))")}
    measured |= {name: page(server, query, runs) for name, query in PAGES.items()}
    measured |= {"export, one day": export(server, 45, 45), "export, 90 days": export(server, 89, 0)}
    measured["log over GraphQL, 8 connections"] = log(server, reading)
    measured["ingest, one event, 32 connections"] = f"{ingest.sent(server, sending, 32, SECONDS, 1):,.0f} events/s"
    measured["ingest, 100 events, 8 connections"] = f"{ingest.sent(server, sending, 8, SECONDS, 100):,.0f} events/s"
    return measured
