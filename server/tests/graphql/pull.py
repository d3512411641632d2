"""Pulls a log with the client `gql`: ADDRESS, TOKEN and the document's path are arguments; the loop is the seed's, word for word."""

import json
import sys

from gql import Client, gql
from gql.transport.requests import RequestsHTTPTransport

address, token, document = sys.argv[1:]
transport = RequestsHTTPTransport(url=address, headers={"Authorization": f"Bearer {token}"})
# The client asks for the schema first, and checks the document against it.
client = Client(transport=transport, fetch_schema_from_transport=True)
with open(document, encoding="utf-8") as file:
    authenticated_audit_logs_query = gql(file.read())

# Initialize variables
authenticated_logs = []
params = {
    "num": 100,
    "startTime": "2025-01-01T00:00:00Z"
}

# Loop through all pages
while True:
    paged_response = client.execute(authenticated_audit_logs_query, params)
    # Append the logs to your list
    authenticated_logs.extend(paged_response["account"]["authenticatedAuditLogs"]["edges"])
    # If there is another page of information, point the cursor to the next page and fetch more
    end_cursor = paged_response["account"]["authenticatedAuditLogs"]["pageInfo"]["endCursor"]
    print("pageInfo end_cursor %s" % (end_cursor))
    if end_cursor:
        print("There is another page of logs. Loading more.")
        params["cursor"] = end_cursor
    else:
        # No more logs to pull. The list is complete!
        break

print(json.dumps([edge["node"] for edge in authenticated_logs]), file=sys.stderr)
