// The audit logs where no script runs: links and forms do all of it.

import { readFile } from 'node:fs/promises';

import { AuditLogs, dayAgo } from '../support/audit-logs.ts';
import { parseCsv } from '../support/csv.ts';
import { expect, test } from '../support/test.ts';

const LAST_MONTH = { start: dayAgo(30), end: dayAgo(1) };

test('filters, range, pages and the detail', async ({ browse }) => {
  const page = await browse('owner');
  const logs = new AuditLogs(page);
  await logs.open(LAST_MONTH);
  await expect(logs.events).toHaveCount(50);
  const newest = await logs.ids();

  await page.getByRole('link', { name: 'Older' }).click();
  await expect(logs.events.first()).toBeVisible();
  expect(await logs.ids()).not.toEqual(newest);
  await page.getByRole('link', { name: 'Newer' }).click();
  await expect.poll(() => logs.ids()).toEqual(newest);

  const panel = await logs.pick('Action');
  await expect(panel.getByRole('searchbox'), 'nothing that only scripts can do').toBeHidden();
  await panel.getByRole('link', { name: /^member\.updated/ }).click();
  await expect(logs.chips).toHaveText(['action: member.updated']);

  const dialog = await logs.openRange();
  await dialog.getByLabel('First day').fill(dayAgo(20));
  await dialog.getByLabel('Last day').fill(dayAgo(10));
  await dialog.getByRole('button', { name: 'Show' }).click();
  await expect(logs.chips).toHaveText(['action: member.updated']);
  expect(logs.query()).toMatchObject({ start: dayAgo(20), end: dayAgo(10), action: 'member.updated' });
  for (const time of await logs.times()) expect(time.slice(0, 10) >= dayAgo(20) && time.slice(0, 10) <= dayAgo(10)).toBe(true);

  await logs.events.first().click();
  await expect(page.getByRole('table', { name: 'Changed fields' })).toBeVisible();
  await expect(logs.events.first()).toHaveAttribute('aria-expanded', 'true');
});

test('words are searched for', async ({ browse }) => {
  const logs = new AuditLogs(await browse('admin'));
  await logs.open(LAST_MONTH);
  await logs.page.getByRole('searchbox', { name: 'Search the audit logs' }).fill('zebracrossing');
  await logs.page.getByRole('button', { name: 'Search', exact: true }).click();
  await expect(logs.page.getByRole('heading', { name: 'Nothing matches' })).toBeVisible();
  await logs.page.getByRole('link', { name: 'Drop words: zebracrossing' }).click();
  await expect(logs.events).toHaveCount(50);
});

test('the download', async ({ browse }) => {
  const logs = new AuditLogs(await browse('admin'));
  await logs.open({ ...LAST_MONTH, action: 'member.updated' });
  const [download] = await Promise.all([logs.page.waitForEvent('download'), logs.download.click()]);
  const records = parseCsv(await readFile(await download.path(), 'utf8'));
  expect(records.length).toBeGreaterThan(1);
  for (const record of records.slice(1)) expect(record[6]).toBe('member.updated');
});
