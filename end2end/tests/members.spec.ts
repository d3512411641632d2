// Settings → Members, the same with JavaScript and without.

import type { Page } from '@playwright/test';

import { type Organization, join, unique } from '../support/people.ts';
import { orgtrail } from '../support/server.ts';
import { expect, hydrated, test, visit } from '../support/test.ts';

const HELEN = 'Helen Ling';

function members(organization: Organization): string {
  return `/${organization.slug}/settings/members`;
}

function row(page: Page, name: string) {
  return page.getByRole('listitem').filter({ has: page.locator('.member-name', { hasText: name }) });
}

async function changeRole(page: Page, name: string, role: string): Promise<void> {
  await page.getByLabel(`Role of ${name}`, { exact: true }).selectOption(role);
  await page.getByRole('button', { name: `Save the role of ${name}` }).click();
}

test('an owner changes a role, and the trail has it', async ({ browse, organization }) => {
  await join(organization, 'member', HELEN);
  const page = await browse(organization.owner);
  await visit(page, members(organization));
  await changeRole(page, HELEN, 'admin');
  await expect(page.getByRole('status')).toHaveText('The role was changed.');
  await expect(page).toHaveURL(members(organization));
  await expect(page.getByLabel(`Role of ${HELEN}`, { exact: true })).toHaveValue('admin');

  await visit(page, `/${organization.slug}/settings/audit-logs?action=member.updated`);
  await expect(page.locator('.event-link')).toHaveText(`Changed ${HELEN} from member to admin`);
});

test('an owner removes a member, who is asked for once and is out at once', async ({ browse, organization }) => {
  const helen = await join(organization, 'member', HELEN);
  const hers = await browse(helen);
  await visit(hers, `/${organization.slug}`);
  const page = await browse(organization.owner);
  await visit(page, members(organization));
  await row(page, HELEN).locator('summary', { hasText: 'Remove' }).click();
  await expect(row(page, HELEN), 'it says what it does').toContainText(`Remove ${HELEN} from ${organization.name}?`);
  await row(page, HELEN).getByRole('button', { name: `Remove ${HELEN}` }).click();
  await expect(page.getByRole('status')).toHaveText('The member was removed.');
  await expect(row(page, HELEN)).toHaveCount(0);
  await expect(page.getByText('1 member in')).toBeVisible();

  await hers.reload();
  await expect(hers).toHaveURL(/\/login/);
});

test('the last owner cannot step down or leave, and is told so', async ({ browse, organization }) => {
  await join(organization, 'admin', HELEN);
  const { name } = organization.owner;
  const page = await browse(organization.owner);
  await visit(page, members(organization));
  await changeRole(page, name, 'member');
  await expect(page.getByRole('alert')).toContainText(/owner/);
  await hydrated(page);
  await row(page, name).locator('summary').click();
  await row(page, name).getByRole('button', { name: `Leave ${organization.name}` }).click();
  await expect(page.getByRole('alert')).toContainText(/owner/);
  await expect(page.getByLabel(`Role of ${name}`, { exact: true })).toHaveValue('owner');
});

test('an owner ends the sessions of a member, who stays one', async ({ browse, organization }) => {
  const helen = await join(organization, 'member', HELEN);
  const hers = await browse(helen);
  await visit(hers, `/${organization.slug}`);
  const page = await browse(organization.owner);
  await visit(page, members(organization));
  await row(page, HELEN).locator('summary', { hasText: 'End sessions' }).click();
  await row(page, HELEN).getByRole('button', { name: `End the sessions of ${HELEN}` }).click();
  await expect(page.getByRole('status')).toHaveText('The sessions were ended.');
  await expect(row(page, HELEN)).toHaveCount(1);
  await hers.reload();
  await expect(hers).toHaveURL(/\/login/);

  await visit(page, `/${organization.slug}/settings/audit-logs?kind=all&action=member.sessions.ended`);
  await expect(page.locator('.event-link')).toHaveText(`Ended 1 session of ${HELEN}`);
});

test('two who change the same role: the second is told', async ({ browse, organization }) => {
  await join(organization, 'member', HELEN);
  const [page, other] = [await browse(organization.owner), await browse(organization.owner)];
  await visit(page, members(organization));
  await visit(other, members(organization));
  await changeRole(other, HELEN, 'owner');
  await expect(other.getByRole('status')).toHaveText('The role was changed.');
  await changeRole(page, HELEN, 'admin');
  await expect(page.getByRole('alert')).toContainText(`The role of ${HELEN} was changed to owner meanwhile`);
  await expect(page.getByLabel(`Role of ${HELEN}`, { exact: true })).toHaveValue('owner');
});

test('who leaves is gone', async ({ browse, organization }) => {
  const helen = await join(organization, 'member', HELEN);
  const page = await browse(helen);
  await visit(page, members(organization));
  await row(page, HELEN).locator('summary').click();
  await row(page, HELEN).getByRole('button', { name: `Leave ${organization.name}` }).click();
  await expect(page).toHaveURL('/account');
  await expect(page.getByRole('status')).toHaveText(`You left ${organization.name}.`);
  const response = await page.goto(`/${organization.slug}`);
  expect([404, 200], '404, or 200 of the sign-in page').toContain(response?.status());
  await expect(page.getByText(organization.name)).toHaveCount(0);
});

test('an admin cannot touch owners, a member nobody', async ({ browse, organization }) => {
  const helen = await join(organization, 'admin', HELEN);
  const barbara = await join(organization, 'member', 'Barbara Canright');
  const page = await browse(helen);
  await visit(page, members(organization));
  await expect(row(page, organization.owner.name).locator('select, summary')).toHaveCount(0);
  await expect(page.getByLabel('Role of Barbara Canright', { exact: true }).locator('option')).toHaveText(['admin', 'member']);

  const hers = await browse(barbara);
  await visit(hers, members(organization));
  await expect(hers.locator('select')).toHaveCount(0);
  await expect(row(hers, HELEN).locator('summary')).toHaveCount(0);
});

test('members are found by name and address', async ({ browse, organization }) => {
  const helen = await join(organization, 'member', HELEN);
  const page = await browse(organization.owner);
  await visit(page, members(organization));
  await page.getByRole('searchbox').fill('helen L');
  await page.getByRole('button', { name: 'Search' }).click();
  await expect(page).toHaveURL(`${members(organization)}?search=helen+L`);
  await expect(page.locator('.member-name')).toHaveText([HELEN]);
  await visit(page, `${members(organization)}?${new URLSearchParams({ search: helen.email })}`);
  await expect(page.locator('.member-name')).toHaveText([HELEN]);
  await visit(page, `${members(organization)}?search=nobody-at-all`);
  await expect(page.getByText('Nobody here is called “nobody-at-all”.')).toBeVisible();
  await page.getByRole('link', { name: 'Show all members' }).click();
  await expect(page.locator('.member-name')).toHaveCount(2);
});

test('a very long address breaks where the screen is narrow', async ({ browse, organization }) => {
  const email = `${'very.long.'.repeat(24)}${'x'.repeat(40)}${unique()}@people.example`;
  const args = ['user', 'create', '--email', email, '--name', 'W'.repeat(100), '--organization', organization.slug, '--role', 'member'];
  await orgtrail(args, { ORGTRAIL_USER_PASSWORD: 'the password of somebody' });
  const page = await browse(organization.owner, { viewport: { width: 320, height: 640 } });
  await visit(page, members(organization));
  await expect(page.getByText(email)).toBeVisible();
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(sideways, 'pixels to scroll sideways').toBe(0);
  await page.screenshot({ path: 'screenshots/members-long-320.png' });
});
