"""What a trail costs as it grows: the same questions to the same server with more and more stored. Blocks are those of 8 KiB that the database looked
at, in memory or not: they do not depend on the machine, nor on what else it does.
"""
import shlex
import shutil
import statistics
import subprocess
import time
from datetime import datetime, timedelta, timezone

import ingest
import logs

PAGES = {
    "page, no filter": "range=90d",
    "page, rare action": "range=90d&action=organization.updated",
    "page, type of object": "range=90d&object=invoice",
    "page, rare type of object": "range=90d&object=team",
    "page, a frequent word": "range=90d&q=invoice",
    "page, a rare word": "range=90d&q=lovelace",
    "page, last 7 days": "range=7d",
}
EXPORTS = [("export of one day", 45, 45), ("export of 90 days", 89, 0)]
SENT = [("ingest, one event, 32 connections", 32, 1), ("ingest, 100 events, 8 connections", 8, 100)]
SIZES = [1_000_000, 10_000_000, 50_000_000]
SECONDS = 5
RUNS = 3
# Of the disk, for an event with its share of indexes and of Postgres' log; and for everything else.
BYTES_OF_EVENT = 2_200
BYTES_BESIDES = 3_000_000_000


def with_room(sizes, folder):
    """Those of the sizes for which the disk has room; says which it has not, and why."""
    free = shutil.disk_usage(folder).free
    needs = {size: size * BYTES_OF_EVENT + BYTES_BESIDES for size in sizes}
    for size in (size for size in sizes if needs[size] > free):
        print(f"{size:,} events are left out: they take some {needs[size] / 1e9:,.0f} GB, and {folder} has {free / 1e9:,.0f} GB.\n")
    return [size for size in sizes if needs[size] <= free]


def blocks(server):
    """Blocks looked at so far. A connection writes its statistics down when it has been idle for ten seconds, and what it did meanwhile is not there
    before."""
    time.sleep(11)
    return int(server.sql("select blks_hit + blks_read from pg_stat_database where datname = 'orgtrail'"))


def milliseconds(server, query, runs):
    """Of the first HTML of a page, the median."""
    path = f"/acme/settings/audit-logs?{query}"
    times = []
    for _ in range(runs):
        started = time.monotonic()
        status, _body = server.get(path)
        times.append((time.monotonic() - started) * 1000)
        assert status == 200, (path, status)
    return statistics.median(times)


def blocks_of_page(server, query, runs):
    """Blocks of one page. The first ones of a connection make plans, and are not counted."""
    milliseconds(server, query, runs)
    before = blocks(server)
    milliseconds(server, query, runs)
    return (blocks(server) - before) / runs


def export(server, first, last):
    """Events exported of the days so many before today, and how many of them a second."""
    today = datetime.now(timezone.utc).date()
    path = f"/api/export_audit_logs?organization=acme&start={today - timedelta(days=first)}&end={today - timedelta(days=last)}&kind=change"
    command = ["curl", "-sSf", "-H", f"Cookie: {server.cookie}", f"http://127.0.0.1:{server.port}{path}"]
    started = time.monotonic()
    counted = subprocess.run(f"{shlex.join(command)} | wc -l", shell=True, check=True, capture_output=True, text=True)
    events = int(counted.stdout) - 1
    return events, events / (time.monotonic() - started)


def log(server, secret):
    """Pages of 100 changes over GraphQL, each connection walking on from the newest: how many a second, and the 99th percentile of one."""
    query = f"query($cursor: String) {{ account {{ auditLogs(first: {logs.PAGE}, after: $cursor) {{ pageInfo {{ endCursor }} edges {{ node {{ id index action occurredAt }} }} }} }} }}"
    newest = logs.Log(server.port, {"Authorization": f"Bearer {secret}"}, lambda cursor: {"query": query, "variables": {"cursor": cursor}})
    return newest.walk(server.load(), [None], SECONDS)


def read(server, reading, runs):
    """Everything that is read, once: how it is told, and its numbers."""
    once = {name: ("{:,.0f} ms", [milliseconds(server, query, runs)]) for name, query in PAGES.items()}
    once |= {name: ("{:,.0f} events, {:,.0f}/s", export(server, first, last)) for name, first, last in EXPORTS}
    return once | {"log over GraphQL, 8 connections": ("{:,.0f} pages/s, p99 {:,.0f} ms", log(server, reading))}


def sent(server, sending):
    """Everything that is sent, once, likewise."""
    return {name: ("{:,.0f} events/s", [ingest.sent(server, sending, connections, SECONDS, events)]) for name, connections, events in SENT}


def medians(rounds):
    """What is told of several rounds."""
    numbers = lambda name: map(statistics.median, zip(*(once[name][1] for once in rounds)))
    return {name: told.format(*numbers(name)) for name, (told, _numbers) in rounds[0].items()}


def measure(server, reading, sending, runs):
    """What everything costs now, by what it is, with the secrets of a token that reads and of one that sends: medians of several rounds."""
    server.sql("vacuum analyze orgtrail.events")
    count = server.sql("select reltuples::bigint from (select sum(reltuples) as reltuples from pg_class where relname like 'events\\_20%' and relkind = 'r') as c")
    rare = int(server.sql("select count(*) from orgtrail.events where words @@ 'lovelace:*' or object_type = 'team'"))
    assert 50 < rare < int(count) / 100, f"{rare} events are not rare"
    stored = {"events stored": f"{int(count):,}", "size of the database": server.sql("select pg_size_pretty(pg_database_size('orgtrail'))")}
    looked_at = {name: f", {blocks_of_page(server, query, runs):,.0f} blocks" for name, query in PAGES.items()}
    answered = medians([read(server, reading, runs) for _ in range(RUNS)])
    # Last, so that what is sent is among nothing that is read.
    taken = medians([sent(server, sending) for _ in range(RUNS)])
    return stored | {name: told + looked_at.get(name, "") for name, told in answered.items()} | taken
