// Settings → Access tokens, the same with JavaScript and without.

import type { Page } from '@playwright/test';

import { type Organization, join } from '../support/people.ts';
import { runsScripts } from '../support/scripts.ts';
import { url } from '../support/server.ts';
import { expect, test, visit } from '../support/test.ts';

function tokens(organization: Organization): string {
  return `/${organization.slug}/settings/access-tokens`;
}

function row(page: Page, name: string) {
  return page.getByRole('listitem').filter({ has: page.locator('.member-name', { hasText: name }) });
}

/** Makes a token on its page; gives back the secret that is shown then. */
async function make(page: Page, name: string, scopes: string[]): Promise<string> {
  await page.getByLabel('Name').fill(name);
  for (const scope of scopes) await page.getByRole('checkbox', { name: scope }).check();
  await page.getByRole('button', { name: 'Make access token' }).click();
  return shown(page);
}

async function shown(page: Page): Promise<string> {
  const secret = await page.getByLabel('Secret').inputValue();
  expect(secret).toMatch(/^ot_[0-9A-Za-z]{49}$/);
  return secret;
}

/** The status with which a program that has this secret may look at the organization. */
async function status(organization: Organization, secret: string): Promise<number> {
  const response = await fetch(`${url()}/api/organization_view`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ organization: organization.slug }),
  });
  return response.status;
}

test('a token is made, and its secret is seen once', async ({ browse, organization }) => {
  const page = await browse(organization.owner);
  await visit(page, tokens(organization));
  await expect(page.getByText('No program has access yet.')).toBeVisible();
  const secret = await make(page, 'SIEM', ['audit:read', 'audit:export']);
  expect(page.url(), 'a secret is in no address').not.toContain('ot_');
  expect(await status(organization, secret)).toBe(200);
  if (runsScripts()) {
    await page.context().grantPermissions(['clipboard-write']);
    await page.getByRole('button', { name: 'Copy' }).click();
    await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
  } else {
    await expect(page.getByRole('button', { name: 'Copy' })).toBeHidden();
  }
  await page.getByRole('link', { name: 'Back to the access tokens' }).click();
  await expect(row(page, 'SIEM')).toContainText('audit:read, audit:export');
  expect(await page.content()).not.toContain(secret);
});

test('a token is changed, rotated and revoked, and the trail has it', async ({ browse, organization }) => {
  const page = await browse(organization.owner);
  await visit(page, tokens(organization));
  const first = await make(page, 'SIEM', ['audit:read']);
  await page.getByRole('link', { name: 'Back to the access tokens' }).click();

  await page.getByLabel('Name').fill('Reports');
  await page.getByLabel('Last day').fill('2999-12-31');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByRole('status')).toHaveText('Saved.');
  await expect(row(page, 'Reports')).toContainText('last day 31 Dec 2999');

  await row(page, 'Reports').locator('summary', { hasText: 'Rotate' }).click();
  await expect(row(page, 'Reports')).toContainText('Programs with the present one are refused at once.');
  await page.getByRole('button', { name: 'Rotate Reports' }).click();
  const second = await shown(page);
  expect([await status(organization, first), await status(organization, second)]).toEqual([401, 200]);

  await page.getByRole('link', { name: 'Back to the access tokens' }).click();
  await row(page, 'Reports').locator('summary', { hasText: 'Revoke' }).click();
  await page.getByRole('button', { name: 'Revoke Reports' }).click();
  await expect(page.getByRole('status')).toHaveText('The access token was revoked.');
  expect(await status(organization, second)).toBe(401);

  await row(page, 'Reports').getByRole('link', { name: 'What happened to it' }).click();
  await expect(page.locator('.event-link')).toHaveText([
    'Deleted access token Reports',
    'Rotated access token Reports: it has another secret',
    'Renamed access token SIEM to Reports',
    'Created access token SIEM with audit:read',
  ]);
});

test('what was typed is kept, and the error is at its field', async ({ browse, organization }) => {
  const page = await browse(organization.owner);
  await visit(page, tokens(organization));
  await page.getByLabel('Name').fill('=SUM(A1) <b>robot</b>');
  await page.getByRole('button', { name: 'Make access token' }).click();
  await expect(page.locator('#scope-error')).toContainText('at least one scope');
  await expect(page.getByLabel('Name')).toHaveValue('=SUM(A1) <b>robot</b>');
  await make(page, '=SUM(A1) <b>robot</b>', ['events:write']);
  await page.getByRole('link', { name: 'Back to the access tokens' }).click();
  await expect(row(page, '=SUM(A1) <b>robot</b>')).toBeVisible();
});

test('two who change the same token at once: the second is told', async ({ browse, organization }) => {
  const helen = await join(organization, 'admin', 'Helen Ling');
  const page = await browse(organization.owner);
  await visit(page, tokens(organization));
  await make(page, 'SIEM', ['audit:read']);
  await page.getByRole('link', { name: 'Back to the access tokens' }).click();
  const hers = await browse(helen);
  await visit(hers, new URL(page.url()).pathname + new URL(page.url()).search);
  await hers.getByLabel('Name').fill('Hers');
  await hers.getByRole('button', { name: 'Save changes' }).click();
  await expect(hers.getByRole('status')).toHaveText('Saved.');
  await page.getByLabel('Name').fill('His');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByRole('alert')).toContainText('Somebody else has changed this access token');
  await expect(page.getByLabel('Name'), 'as it is now').toHaveValue('Hers');
});

test('members neither see the page nor the way to it', async ({ browse, organization }) => {
  const barbara = await join(organization, 'member', 'Barbara Canright');
  const page = await browse(barbara);
  await visit(page, `/${organization.slug}`);
  await expect(page.getByRole('link', { name: 'Access tokens' })).toHaveCount(0);
  await visit(page, tokens(organization), 403);
});
