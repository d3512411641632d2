"""Events of other products over HTTP beside `pgbench` with the same rows: each request acknowledged after its commit, each peer in turn.

The peer inserts the same columns into a copy of the table of events with the same indexes, by the unix socket, as a superuser: without the
positions, sums and guards that make the trail what it is, without row-level security, and without HTTP.
"""
import glob
import json
import os
import statistics
import subprocess
import tempfile

# What a product might send; `@@` is a number that no other copy has. Nothing else is about deliveries or by this person, so that what is rare stays rare; the
# word that is frequent elsewhere is frequent here too.
EVENT = json.dumps({
    "action": "delivery.paid",
    "actor": {"user": {"id": "u-17", "name": "Mary Kenneth Keller", "email": "mary@example.com"}},
    "object": {"type": "delivery", "id": "@@", "name": "Delivery @@ of an invoice"},
    "previous": {"state": "open", "total": 1042, "lines": [{"article": "Robot arm", "price": 1000}, {"article": "Oil", "price": 42}]},
    "next": {"state": "paid", "total": 1042, "lines": [{"article": "Robot arm", "price": 1000}, {"article": "Oil", "price": 42}]},
    "ip": "203.0.113.17",
})
# What the peer makes anew for each row.
LIVE = {"index": "{index}", "id": "gen_random_uuid()", "occurred_at": "clock_timestamp()", "recorded_at": "clock_timestamp()"}


def sent(server, token, connections, seconds, events):
    """Events acknowledged in a second."""
    command = [server.load(), "send", f"127.0.0.1:{server.port}", token, str(connections), str(seconds), str(events)]
    done = subprocess.run(command, input=EVENT, check=True, capture_output=True, text=True).stdout.split()
    return int(done[0]) / float(done[1])


def row(server):
    """The columns of an event as it was stored, as literals by name; the number of the copy as `{number}`."""
    columns = server.sql("select string_agg(quote_ident(column_name), ',' order by ordinal_position) from information_schema.columns "
                         "where table_schema = 'orgtrail' and table_name = 'events'").split(",")
    text = lambda column: "array_to_string(tsvector_to_array(words), ' ')" if column == "words" else f"{column}::text"
    literals = ", ".join(f"quote_nullable({text(column)})" for column in columns)
    number = server.sql("select object_id from orgtrail.events where source_access_token_id is not null order by index desc limit 1")
    stored = server.sql(f"select json_build_array({literals}) from orgtrail.events where source_access_token_id is not null order by index desc limit 1")
    values = {column: value.replace(number, "{number}") for column, value in zip(columns, json.loads(stored))}
    return values | LIVE


def statement(values, events):
    """An insert of so many rows; `:n` counts the transactions of a client."""
    rows = []
    for copy in range(events):
        index = f"(:n * 100 + {copy}) * 100 + :client_id"
        # `:n` inside of a literal is not replaced: the number is put together by the database.
        cells = [value.replace("{index}", index) if "{number}" not in value else numbered(column, value, copy)
                 for column, value in values.items()]
        rows.append(f"({', '.join(cells)})")
    return f"insert into bench.events ({', '.join(values)}) values\n" + ",\n".join(rows) + ";\n"


def numbered(column, value, copy):
    """A literal with a number of its own. `:client_id` and `:n` are replaced as text, and so must not stand inside of quotes."""
    text = value.replace("{number}", f"' || :client_id || '0' || :n || '{copy:02}")
    # As the server does it: to parse a tsvector would cost several times as much as the rest of the row.
    return f"array_to_tsvector(string_to_array({text}, ' '))" if column == "words" else f"({text})"


def inserted(server, script, connections, seconds, events, mode):
    """Rows that pgbench inserts in a second."""
    pgbench = sorted(glob.glob("/usr/lib/postgresql/*/bin/pgbench"))[-1]
    psql = server.psql()
    where = psql[psql.index("-h"):psql.index("-d")] + [psql[-1]]
    command = [pgbench, "-n", "-f", script, "-M", mode, "-c", str(connections), "-j", "2", "-T", str(seconds), "-D", "n=0", *where]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    tps = next(line for line in said.splitlines() if line.startswith("tps"))
    return float(tps.split()[2]) * events


def measure(server, runs, seconds):
    """The rows of the table."""
    token = server.token("events:write")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        sent(server, token, 1, 1, 1)
        server.sql("create schema bench; create table bench.events (like orgtrail.events including all)")
        return [compared(server, token, folder, runs, seconds, *shape)
                for shape in ((32, 1, "prepared"), (8, 100, "simple"))]


def compared(server, token, folder, runs, seconds, connections, events, mode):
    """Both in turn, with so many connections and events in a request."""
    script = os.path.join(folder, f"{events}.sql")
    with open(script, "w") as file:
        file.write("\\set n :n + 1\n" + statement(row(server), events))
    sent(server, token, connections, 1, events), inserted(server, script, connections, 1, events, mode)
    idle = server.memory("VmRSS")
    server.forget_peak()
    pairs = [(sent(server, token, connections, seconds, events), inserted(server, script, connections, seconds, events, mode))
             for _ in range(runs)]
    ratios = [ours / theirs for ours, theirs in pairs]
    return [str(connections), str(events), f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})",
            f"{statistics.median(ours for ours, _ in pairs):,.0f}", f"{statistics.median(theirs for _, theirs in pairs):,.0f}",
            f"{idle:.0f} MiB", f"+{server.memory('VmHWM') - idle:.0f} MiB"]
