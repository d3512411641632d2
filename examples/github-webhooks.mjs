#!/usr/bin/env node
// Sends what happens on GitHub into the audit log: deliveries of webhooks as events, in batches, each recorded once however often it is sent.
//
//   ORGTRAIL_URL=https://audit.example ORGTRAIL_TOKEN=ot_… node github-webhooks.mjs <deliveries.ndjson
//
// A line is one delivery, as a receiver of webhooks can note it: {"event": X-GitHub-Event, "delivery": X-GitHub-Delivery, "payload": body}, and
// maybe "delivered_at". The token needs the scope `events:write`. Needs Node 18 or newer, and no package.

import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

// What one request may hold (docs/events.md), with some room for what is around the events.
const MOST_EVENTS = 500;
const MOST_BYTES = 1024 * 1024 - 1024;

/** The event of a delivery. */
export function toEvent({ event, delivery, payload, delivered_at }) {
  return {
    // GitHub gives each delivery an id, and keeps it when it delivers again: so does the audit log.
    id: `github:${delivery}`,
    action: ["github", event, payload.action].filter(Boolean).map(word).join("."),
    ...(delivered_at && { occurred_at: delivered_at }),
    actor: actor(payload),
    object: object(payload),
    request_id: delivery,
    next: payload,
  };
}

/** A word of an action: small letters, digits and underscores. */
function word(text) {
  return text.toLowerCase().replace(/[^a-z0-9_]/g, "_");
}

/** Who did it; GitHub itself where no user did. */
function actor({ sender }) {
  return sender
    ? { user: { id: String(sender.id), name: sender.login } }
    : { access_token: { id: "github", name: "GitHub" } };
}

/** What it is about: the repository, or else the organization, or GitHub. */
function object({ repository, organization }) {
  if (repository) return { type: "repository", id: String(repository.id), name: repository.full_name };
  if (organization) return { type: "organization", id: String(organization.id), name: organization.login };
  return { type: "github" };
}

/** Groups lines of JSON into bodies that one request may have. */
async function* batches(lines) {
  let batch = [];
  let bytes = 0;
  for await (const line of lines) {
    const length = Buffer.byteLength(line) + 1;
    if (batch.length === MOST_EVENTS || (batch.length > 0 && bytes + length > MOST_BYTES)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(line);
    bytes += length;
  }
  if (batch.length > 0) yield batch;
}

/** Sends a batch, again if it is not known whether it arrived: nothing is recorded twice. */
async function send(batch, attempts = 5) {
  for (let attempt = 1; ; attempt++) {
    const answer = await fetch(`${process.env.ORGTRAIL_URL}/api/v1/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${process.env.ORGTRAIL_TOKEN}`, "content-type": "application/x-ndjson" },
      body: batch.join("\n"),
    }).catch((error) => error);
    if (answer.ok) return (await answer.json()).events;
    const passing = answer instanceof Error || [409, 429, 503].includes(answer.status);
    if (!passing || attempt === attempts) {
      throw answer instanceof Error ? answer : new Error(`${answer.status}: ${await answer.text()}`);
    }
    const seconds = answer instanceof Error ? attempt : Number(answer.headers.get("retry-after") ?? attempt);
    await sleep(seconds * 1000);
  }
}

async function* events(input) {
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    if (line.trim()) yield JSON.stringify(toEvent(JSON.parse(line)));
  }
}

let [sent, known] = [0, 0];
for await (const batch of batches(events(process.stdin))) {
  const placed = await send(batch);
  sent += placed.length;
  known += placed.filter((event) => event.known).length;
}
console.log(`${sent} events sent, ${known} of them were recorded before`);
