// The WebAssembly comes in chunks, each with the first page that needs it; a chunk that is gone is no dead page.

import type { Page } from '@playwright/test';

import { AuditLogs } from '../support/audit-logs.ts';
import type { Noise } from '../support/noise.ts';
import { ACME } from '../support/people.ts';
import { expect, test, visit } from '../support/test.ts';

const MEMBERS = `/${ACME}/settings/members`;

/** What the page loads from now on: the files of WebAssembly, and whole documents. */
function loads(page: Page): { wasm: string[]; documents: string[] } {
  const seen = { wasm: [] as string[], documents: [] as string[] };
  page.on('response', (response) => {
    const { pathname } = new URL(response.url());
    if (pathname.endsWith('.wasm')) seen.wasm.push(pathname);
    if (response.request().isNavigationRequest()) seen.documents.push(pathname);
  });
  return seen;
}

/** As after an update of the server, which knows its own files alone. */
async function remove(chunk: string, page: Page, noise: Noise): Promise<void> {
  noise.expect(/404.*\.split_\w+\./);
  noise.expect(/^console error: .*(404|WebAssembly|split_)/);
  await page.route(`**/pkg/*.split_${chunk}.*`, (route) => route.fulfill({ status: 404 }));
}

function follow(page: Page, name: string): Promise<void> {
  return page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name }).click();
}

test('the HTML names every file that its page loads, and no other', async ({ browse }) => {
  const page = await browse('owner');
  const { wasm } = loads(page);
  await new AuditLogs(page).open();
  const named = await page.locator('link[rel=preload][type="application/wasm"]').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
  expect([...wasm].sort(), 'each once').toEqual(named.sort());
  expect(named.filter((name) => name?.includes('.split_'))).toEqual([expect.stringContaining('.split_audit.')]);
});

test('a chunk comes once, with the first of its pages', async ({ browse }) => {
  const page = await browse('owner');
  const { wasm, documents } = loads(page);
  await visit(page, MEMBERS);
  expect(wasm.filter((name) => name.includes('.split_audit.'))).toEqual([]);

  await follow(page, 'Audit logs');
  await expect(new AuditLogs(page).table).toBeVisible();
  expect(wasm.filter((name) => name.includes('.split_audit.'))).toHaveLength(1);
  const loaded = [...wasm];
  await follow(page, 'Teams');
  await expect(page.getByRole('heading', { name: 'Teams', level: 1 })).toBeVisible();
  await page.goBack();
  await expect(new AuditLogs(page).table).toBeVisible();
  await page.goBack();
  await expect(page.getByRole('heading', { name: 'Members', level: 1 })).toBeVisible();
  expect(wasm, 'nothing comes twice').toEqual(loaded);
  expect(new Set(wasm).size).toBe(wasm.length);
  expect(documents, 'one document for all of it').toEqual([MEMBERS]);
});

test('where the chunk of a link is gone, the browser loads the page whole', async ({ browse, noise }) => {
  const page = await browse('owner');
  const { documents } = loads(page);
  await visit(page, MEMBERS);
  await remove('audit', page, noise);
  const logs = new AuditLogs(page);
  await follow(page, 'Audit logs');
  await expect(page).toHaveURL(logs.path);
  await expect(logs.table).toBeVisible();
  await follow(page, 'Members');
  await expect(page).toHaveURL(MEMBERS);
  await expect(page.locator('html')).toHaveAttribute('data-hydrated', '');
  expect(documents).toEqual([MEMBERS, logs.path, MEMBERS]);
});

test('where the chunk of the page itself is gone, it works as without scripts', async ({ browse, noise }) => {
  const page = await browse('owner');
  await remove('audit', page, noise);
  const { documents } = loads(page);
  const failed = page.waitForEvent('console', (message) => message.type() === 'error' && /WebAssembly/.test(message.text()));
  const logs = new AuditLogs(page);
  await page.goto(logs.path);
  await failed;
  await page.getByRole('link', { name: 'Older' }).click();
  await expect.poll(() => documents.length).toBe(2);
  await expect(logs.table).toBeVisible();
  await expect(page.locator('html')).not.toHaveAttribute('data-hydrated', '');
});
