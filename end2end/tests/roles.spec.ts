// Who sees which page: statuses as the browser's navigation gets them, before any script runs.

import type { Page } from '@playwright/test';

import { ACME } from '../support/people.ts';
import { expect, test, visit, whereabouts } from '../support/test.ts';

const OVERVIEW = `/${ACME}`;
const GENERAL = `/${ACME}/settings`;
const MEMBERS = `/${ACME}/settings/members`;
const AUDIT_LOGS = `/${ACME}/settings/audit-logs`;
const PAGES_OF_ACME = [OVERVIEW, GENERAL, MEMBERS, AUDIT_LOGS];

/** Status of the first answer, and where the browser is in the end. */
async function arrival(page: Page, path: string): Promise<{ status?: number; at: string }> {
  let request = (await page.goto(path))?.request();
  while (request?.redirectedFrom()) request = request.redirectedFrom() ?? undefined;
  return { status: (await request?.response())?.status(), at: whereabouts(page) };
}

async function navigation(page: Page): Promise<string[]> {
  return page.locator('nav a').allInnerTexts();
}

test('nobody: sign-in and sign-up are open, all else leads to sign-in and back', async ({ browse }) => {
  const page = await browse();
  for (const path of ['/login', '/signup']) expect(await arrival(page, path)).toEqual({ status: 200, at: path });
  expect(await arrival(page, '/')).toEqual({ status: 303, at: '/login' });
  for (const path of ['/account', '/organizations/new', ...PAGES_OF_ACME, '/nobodys-organization']) {
    const next = new URLSearchParams({ next: path });
    expect(await arrival(page, path), path).toEqual({ status: 303, at: `/login?${next}` });
  }
});

for (const role of ['owner', 'admin'] as const) {
  test(`${role}: every page`, async ({ browse }) => {
    const page = await browse(role);
    for (const path of ['/account', '/organizations/new', ...PAGES_OF_ACME]) {
      expect(await arrival(page, path), path).toEqual({ status: 200, at: path });
    }
    expect(await arrival(page, '/')).toEqual({ status: 303, at: OVERVIEW });
    expect(await arrival(page, '/login')).toEqual({ status: 303, at: OVERVIEW });
    await visit(page, OVERVIEW);
    expect(await navigation(page)).toEqual(['Overview', 'Graphs', 'Models', 'General', 'Members', 'Teams', 'Invites', 'Access tokens', 'Audit logs']);
  });
}

test('member: every page but the audit logs, which are not offered', async ({ browse }) => {
  const page = await browse('member');
  for (const path of ['/account', '/organizations/new', OVERVIEW, GENERAL, MEMBERS]) {
    expect(await arrival(page, path), path).toEqual({ status: 200, at: path });
    if (path.startsWith(OVERVIEW)) expect(await navigation(page)).toEqual(['Overview', 'Graphs', 'Models', 'General', 'Members', 'Teams']);
    await expect(page.getByRole('link', { name: /audit logs/i }), path).toHaveCount(0);
  }
  expect(await arrival(page, AUDIT_LOGS)).toEqual({ status: 403, at: AUDIT_LOGS });
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('You cannot see this');
  await expect(page.getByRole('main'), 'it says who can help').toContainText(/owner or admin/);
  expect(await navigation(page)).toEqual(['Overview', 'Graphs', 'Models', 'General', 'Members', 'Teams']);
});

test('somebody of another organization: it does not exist', async ({ browse, organization }) => {
  const page = await browse(organization.owner);
  const nobodys = '/nobodys-organization';
  for (const path of [...PAGES_OF_ACME, `${AUDIT_LOGS}?range=7d`, nobodys, `${nobodys}/settings/audit-logs`]) {
    expect(await arrival(page, path), path).toEqual({ status: 404, at: path });
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Nothing here');
    await expect(page.getByRole('main')).not.toContainText('Acme');
  }
  expect(await arrival(page, `/${organization.slug}/settings/audit-logs`)).toMatchObject({ status: 200 });
});

test('addresses that lead nowhere are 404', async ({ browse }) => {
  const page = await browse('owner');
  for (const path of [`/${ACME}/nothing`, `/${ACME}/settings/nothing`, '/a/b/c/d']) {
    expect(await arrival(page, path), path).toEqual({ status: 404, at: path });
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Nothing here');
  }
});

test('a refused page leads on to where one may be', async ({ browse }) => {
  const page = await browse('member');
  await visit(page, AUDIT_LOGS, 403);
  await page.getByRole('link', { name: 'Go to your organization' }).click();
  await expect(page).toHaveURL(OVERVIEW);
});
