// The download: by a click in a browser to a file on disk, by programs, and refused.

import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';

import type { Download, Page } from '@playwright/test';

import { AuditLogs, dayAgo } from '../support/audit-logs.ts';
import { COLUMNS, couldBeFormula, parseCsv } from '../support/csv.ts';
import { ACME, DEMO } from '../support/people.ts';
import { curl, curlSignIn, python, wget } from '../support/programs.ts';
import { orgtrail } from '../support/server.ts';
import { expect, test, visit } from '../support/test.ts';

// Days of the demo that are over: nothing that tests do changes them.
const RANGE = { start: dayAgo(60), end: dayAgo(1) };
const EXPORT = '/api/export_audit_logs';
const FILE_NAME = `audit-logs_${ACME}_${RANGE.start}_${RANGE.end}`;

function address(more: Record<string, string> = {}): string {
  return `${EXPORT}?${new URLSearchParams({ organization: ACME, ...RANGE, ...more })}`;
}

/** A folder for this test's files; Playwright removes it. */
async function newFolder(): Promise<string> {
  const { outputDir } = test.info();
  await mkdir(outputDir, { recursive: true });
  return outputDir;
}

interface Saved {
  name: string;
  bytes: Buffer;
  headers: Record<string, string>;
}

/** Clicks a link that downloads, and waits for the file. */
async function save(page: Page, click: () => Promise<void>): Promise<Saved> {
  const isExport = (sent: { url(): string }) => sent.url().includes(EXPORT);
  const [download, response]: [Download, Awaited<ReturnType<Page['waitForResponse']>>, void] = await Promise.all([
    page.waitForEvent('download'),
    page.waitForResponse(isExport),
    click(),
  ]);
  expect(await download.failure()).toBeNull();
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()), headers: response.headers() };
}

function saveFormat(logs: AuditLogs, format: string): Promise<Saved> {
  return save(logs.page, async () => {
    const link = logs.page.getByRole('link', { name: new RegExp(`^${format}`) });
    if (!(await link.isVisible())) await logs.page.locator('summary[aria-label="More formats"]').click();
    await link.click();
  });
}

async function openAsOwner(page: Page, more: Record<string, string> = {}): Promise<AuditLogs> {
  const logs = new AuditLogs(page);
  await logs.open({ ...RANGE, ...more });
  return logs;
}

/** The value that a formula-safe field stands for. */
function decoded(field: string): string {
  return field.startsWith("'") ? field.slice(1) : field;
}

test('the button gives the nine columns of what the page shows', async ({ browse }) => {
  const logs = await openAsOwner(await browse('owner'));
  const count = await logs.count();
  const { name, bytes, headers } = await save(logs.page, () => logs.download.click());

  expect(name).toBe(`${FILE_NAME}.csv`);
  expect(headers).toMatchObject({
    'content-type': 'text/csv; charset=utf-8; header=present',
    'content-disposition': `attachment; filename="${FILE_NAME}.csv"`,
    'content-length': String(bytes.length),
    'audit-export-rows': String(count),
    'audit-csv-escaping': 'formula-safe-v1',
    'cache-control': 'no-store',
  });
  const text = bytes.toString('utf8');
  expect(Buffer.from(text), 'UTF-8 without a byte-order mark').toEqual(bytes);
  const [columns, ...records] = parseCsv(text);
  expect(columns).toEqual(COLUMNS);
  expect(records).toHaveLength(count);
  for (const record of records) {
    expect(record).toHaveLength(COLUMNS.length);
    expect(record[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(record.filter(couldBeFormula)).toEqual([]);
    for (const json of record.slice(7)) if (json) JSON.parse(decoded(json));
  }
  const times = records.map(([time]) => time);
  expect(times, 'newest first').toEqual([...times].sort().reverse());
  expect(times.slice(0, 50)).toEqual(await logs.times());
});

test('the trail then shows the download, with its rows and the hash of the file', async ({ browse }) => {
  const page = await browse('owner');
  const logs = await openAsOwner(page, { action: 'member.*' });
  const { bytes, headers } = await save(page, () => logs.download.click());
  const sha256 = createHash('sha256').update(bytes).digest('hex');

  const shown = async () => {
    await logs.open({ range: '24h', action: 'audit_log.export.downloaded', q: headers['audit-export-id'] });
    return logs.events.count();
  };
  await expect.poll(shown, 'recorded once, after the last byte').toBe(1);
  await logs.events.first().click();
  const facts = page.getByRole('table', { name: 'Changed fields' });
  await expect(facts.getByRole('row', { name: /^sha256/ })).toContainText(sha256);
  await expect(facts.getByRole('row', { name: /^rows/ })).toContainText(headers['audit-export-rows']);
  await expect(facts.getByRole('row', { name: /^bytes_sent/ })).toContainText(String(bytes.length));
  await logs.open({ range: '24h', kind: 'operation', action: 'audit_log.export.requested', q: headers['audit-export-id'] });
  await expect(logs.events, 'and that it was asked for').toHaveCount(1);
});

test('an empty range gives the header line alone', async ({ browse }) => {
  const logs = await openAsOwner(await browse('owner'), { q: 'zebracrossing' });
  expect(await logs.count()).toBe(0);
  const { bytes, headers } = await save(logs.page, () => logs.download.click());
  expect(bytes.toString()).toBe(`${COLUMNS.map((column) => `"${column}"`).join(',')}\r\n`);
  expect(headers['audit-export-rows']).toBe('0');
});

test('the other formats hold the same events', async ({ browse }) => {
  test.slow();
  const logs = await openAsOwner(await browse('owner'), { kind: 'all' });
  const safe = await save(logs.page, () => logs.download.click());
  const records = parseCsv(safe.bytes.toString());

  const raw = await saveFormat(logs, 'CSV, raw');
  expect(raw.name).toBe(`${FILE_NAME}-raw.csv`);
  expect(raw.headers['audit-csv-escaping']).toBe('raw');
  expect(parseCsv(raw.bytes.toString())).toEqual(records.map((record) => record.map(decoded)));

  const excel = await saveFormat(logs, 'CSV for Excel');
  expect(excel.bytes).toEqual(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), safe.bytes]));

  const full = parseCsv((await saveFormat(logs, 'CSV, all columns')).bytes.toString());
  expect(full[0].slice(9)).toContain('request_id');
  expect(full.map((record) => record.slice(0, 9))).toEqual(records);

  const ndjson = await saveFormat(logs, 'NDJSON');
  expect(ndjson.name).toBe(`${FILE_NAME}.ndjson`);
  const events = ndjson.bytes.toString().trimEnd().split('\n').map((line) => JSON.parse(line));
  expect(events.map((event) => event.id)).toEqual(full.slice(1).map((record) => record[full[0].indexOf('id')]));
  for (const saved of [raw, excel, ndjson]) expect(saved.headers['content-length']).toBe(String(saved.bytes.length));
});

test('curl, wget and Python get the same bytes', async ({ browse }) => {
  const folder = await newFolder();
  const logs = await openAsOwner(await browse('owner'));
  const { bytes } = await save(logs.page, () => logs.download.click());
  const target = address({ kind: 'change' });
  const create = ['token', 'create', '--organization', ACME, '--name', 'end-to-end', '--scope', 'audit:export'];
  const token = await orgtrail(create);

  const jar = await curlSignIn(DEMO.owner, folder);
  const withCookie = await curl(target, folder, ['--cookie', jar]);
  expect(withCookie).toMatchObject({ status: 200, contentType: 'text/csv; charset=utf-8; header=present' });
  expect(withCookie.body.equals(bytes), 'curl with a cookie').toBe(true);
  const withToken = await curl(target, folder, ['--header', `Authorization: Bearer ${token}`]);
  expect(withToken.body.equals(bytes), 'curl with a token').toBe(true);
  expect((await wget(target, folder, token)).equals(bytes), 'wget').toBe(true);
  expect(await python(target, token), "Python's csv module").toEqual(parseCsv(bytes.toString()));
});

test('a refusal is a page for a browser', async ({ browse }) => {
  const tooLong = address({ start: dayAgo(120) });
  const owner = await browse('owner');
  await visit(owner, tooLong, 422);
  await expect(owner.getByRole('main')).toContainText(`Choose days from ${dayAgo(89)} to ${dayAgo(0)} (UTC), at most 90 of them.`);
  await owner.getByRole('link', { name: 'Back to the audit logs' }).click();
  await expect(owner).toHaveURL(`/${ACME}/settings/audit-logs`);

  const member = await browse('member');
  await visit(member, address(), 403);
  await expect(member.getByRole('heading', { level: 1 })).toHaveText('You cannot download this');
  await expect(member.getByRole('main')).toContainText('Owners and admins');

  const nobody = await browse();
  await visit(nobody, address());
  expect(new URL(nobody.url()).pathname).toBe('/login');
  expect(new URL(nobody.url()).searchParams.get('next')).toBe(address());
});

test('a refusal is problem JSON for a program', async ({ organization }) => {
  const folder = await newFolder();
  const member = ['--cookie', await curlSignIn(DEMO.member, folder)];
  const refused = async (target: string, credential: string[] = []) => {
    const { status, contentType, body } = await curl(target, folder, credential);
    expect(contentType).toBe('application/problem+json');
    const problem = JSON.parse(body.toString());
    expect(problem).toMatchObject({ status, request_id: expect.stringMatching(/^req_/) });
    return problem;
  };
  expect(await refused(address())).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
  expect(await refused(address(), ['--header', 'Authorization: Bearer ot_wrong'])).toMatchObject({ status: 401 });
  expect(await refused(address(), member)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  expect(await refused(address({ organization: organization.slug }), member)).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  for (const [target, field] of [
    [address({ start: dayAgo(120) }), 'start'],
    [address({ end: dayAgo(-3) }), 'end'],
    [address({ start: '2026-02-30' }), 'start'],
    [`${address()}&kind=change&kind=login`, 'kind'],
    [`${address()}&q=%ff`, 'q'],
    [address({ format: 'xlsx' }), 'format'],
  ]) {
    expect(await refused(target, member), target).toMatchObject({ status: 422, code: 'BAD_USER_INPUT', field });
  }
});
