// Models, the same with JavaScript and without: records in by file or pasted, records out as a file.

import { readFile } from 'node:fs/promises';

import type { Page } from '@playwright/test';

import { dayAgo } from '../support/audit-logs.ts';
import { parseCsv } from '../support/csv.ts';
import { type Organization, join } from '../support/people.ts';
import { expect, hydrated, test, visit } from '../support/test.ts';

/** Three records, the last without a time. */
const RECORDS = [
  `{"time":"${dayAgo(2)}T09:00:00Z","card":"4f1c", "score": 0.970}`,
  `{"time":"${dayAgo(1)}T23:30:00+02:00","card":"=1+1"}`,
  '{"note":"two words, \\"quoted\\""}',
];

function models(organization: Organization): string {
  return `/${organization.slug}/models`;
}

async function create(page: Page, organization: Organization): Promise<void> {
  await visit(page, models(organization));
  await page.getByLabel('Name').fill('fraud');
  await page.getByRole('button', { name: 'Create model' }).click();
  await expect(page.getByRole('status')).toHaveText('The model was created.');
  await hydrated(page);
}

async function upload(page: Page, text: string): Promise<void> {
  await page.getByLabel('File').setInputFiles({ name: 'records.ndjson', mimeType: 'application/x-ndjson', buffer: Buffer.from(text) });
  await page.getByRole('button', { name: 'Add records' }).click();
  await hydrated(page);
}

test('a model is made, filled from a file, taken out, and deleted', async ({ browse, organization }) => {
  const page = await browse(organization.owner);
  await visit(page, `/${organization.slug}`);
  await page.getByRole('navigation').getByRole('link', { name: 'Models' }).click();
  await expect(page.getByText('No models yet.')).toBeVisible();
  await create(page, organization);
  await expect(page.getByText('No records yet.')).toBeVisible();
  await upload(page, `${RECORDS.join('\n')}\n`);
  await expect(page.getByRole('status')).toHaveText('3 records added to fraud.');
  await expect(page.getByText('Record 2', { exact: true })).toBeVisible();
  await expect(page.locator('code', { hasText: '0.970' })).toHaveText(RECORDS[0]);

  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download CSV' }).click()]);
  const [header, ...records] = parseCsv(await readFile(await download.path(), 'utf8'));
  expect(header).toEqual(['time', 'number', 'record']);
  expect(records.map((record) => record[2])).toEqual([...RECORDS].reverse());
  expect(records[1][0]).toBe(`${dayAgo(1)}T21:30:00.000000Z`);

  await visit(page, `${models(organization)}/fraud?start=${dayAgo(2)}&end=${dayAgo(2)}`);
  await expect(page.locator('code', { hasText: 'card' })).toHaveCount(1);
  await page.locator('summary', { hasText: 'Delete' }).click();
  await page.getByRole('button', { name: 'Delete fraud' }).click();
  await expect(page.getByRole('status')).toHaveText('The model was deleted.');
  await expect(page.getByText('No models yet.')).toBeVisible();
});

test('what is wrong in a file is told line by line, and nothing is added', async ({ browse, organization }) => {
  const page = await browse(organization.owner);
  await create(page, organization);
  await upload(page, '{"a":1}\n[2]\n{"time":"yesterday"}\n');
  const wrong = page.getByRole('group', { name: 'What is wrong' });
  await expect(wrong).toContainText('line 2');
  await expect(wrong).toContainText('line 3');
  await expect(page.getByText('No records yet.')).toBeVisible();
});

test('a member adds and takes out, and makes and deletes nothing; nobody else sees it', async ({ browse, organization }) => {
  const helen = await join(organization, 'member', 'Helen Ling');
  await create(await browse(organization.owner), organization);
  const page = await browse(helen);
  await visit(page, models(organization));
  await expect(page.getByRole('button', { name: 'Create model' })).toBeHidden();
  await page.getByRole('link', { name: 'fraud' }).click();
  await page.getByLabel('Or paste records').fill(RECORDS.join('\n'));
  await page.getByRole('button', { name: 'Add records' }).click();
  await expect(page.getByRole('status')).toHaveText('3 records added to fraud.');
  await expect(page.getByRole('link', { name: 'Download NDJSON' })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Delete this model' })).toBeHidden();
  await visit(await browse('owner'), `${models(organization)}/fraud`, 404);
});
