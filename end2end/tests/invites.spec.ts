// Settings → Invites, what a link leads to, and forgotten passwords, the same with JavaScript and without.

import type { Page } from '@playwright/test';

import { mailedLink } from '../support/mail.ts';
import { type Organization, type Person, join, somebody } from '../support/people.ts';
import { expect, hydrated, test, visit } from '../support/test.ts';

function invites(organization: Organization): string {
  return `/${organization.slug}/settings/invites`;
}

function row(page: Page, email: string) {
  return page.getByRole('listitem').filter({ has: page.locator('.member-name', { hasText: email }) });
}

/** Sends an invite, and answers the path of the link that is shown. */
async function invite(page: Page, organization: Organization, person: Person, role = 'member'): Promise<string> {
  await visit(page, invites(organization));
  await page.getByLabel('E-mail').fill(person.email);
  await page.getByLabel('Role', { exact: true }).last().selectOption(role);
  await page.getByRole('button', { name: 'Send invite' }).click();
  await expect(page.getByRole('heading', { name: 'The invite was sent' })).toBeVisible();
  const link = await page.getByLabel('Link').inputValue();
  return new URL(link).pathname;
}

test('who is invited makes an account by the mailed link, and is a member', async ({ browse, organization }) => {
  const katherine = somebody('Katherine Johnson');
  const page = await browse(organization.owner);
  const shown = await invite(page, organization, katherine, 'admin');
  expect(await mailedLink(katherine.email, '/invites'), 'the mail has the same link').toBe(shown);
  await page.getByRole('link', { name: 'Back to the invites' }).click();
  await expect(row(page, katherine.email)).toContainText(`by ${organization.owner.name}`);

  const hers = await browse();
  await visit(hers, shown);
  await expect(hers.getByText(organization.name)).toBeVisible();
  await hers.getByLabel('Name').fill(katherine.name);
  await hers.getByLabel('Password').fill('too short');
  await hers.getByRole('button', { name: 'Make an account and join' }).click();
  await expect(hers.getByLabel('Password')).toHaveAccessibleDescription(/12 to 128 characters; this one has 9/);
  await expect(hers.getByLabel('Name')).toHaveValue(katherine.name);
  await hers.getByLabel('Password').fill(katherine.password);
  await hers.getByRole('button', { name: 'Make an account and join' }).click();
  await expect(hers).toHaveURL(`/${organization.slug}`);

  await visit(page, invites(organization));
  await expect(page.getByText('Nobody is invited at the moment.')).toBeVisible();
  await visit(page, `/${organization.slug}/settings/audit-logs?action=member.created`);
  await expect(page.locator('.event-link').first()).toHaveText(`Added ${katherine.name} as admin, invited by ${organization.owner.name}`);
});

test('who has an account signs in and accepts', async ({ browse, organization, playwright }) => {
  const elsewhere = await join(organization, 'member', 'Dorothy Vaughan');
  const page = await browse(organization.owner);
  await visit(page, invites(organization));
  await page.getByLabel('E-mail').fill(elsewhere.email);
  await page.getByRole('button', { name: 'Send invite' }).click();
  await expect(page.getByLabel('E-mail'), 'a member is not invited').toHaveAccessibleDescription(/member already/);

  const owner = somebody('Annie Easley');
  const request = await playwright.request.newContext({ baseURL: new URL(page.url()).origin });
  const { name, email, password } = owner;
  await request.post('/api/signup', { form: { name, email, password } });
  await request.dispose();
  const link = await invite(page, organization, owner);
  const hers = await browse();
  await visit(hers, link);
  await hers.getByRole('link', { name: 'Sign in' }).click();
  await hydrated(hers);
  await hers.getByLabel('E-mail').fill(owner.email);
  await hers.getByLabel('Password').fill(owner.password);
  await hers.getByRole('button', { name: 'Sign in' }).click();
  await expect(hers).toHaveURL(link);
  await hydrated(hers);
  await hers.getByRole('button', { name: `Join ${organization.name}` }).click();
  await expect(hers).toHaveURL(`/${organization.slug}`);
  await visit(hers, link, 410);
  await expect(hers.getByRole('heading', { name: 'This invite was used' })).toBeVisible();
});

test('an invite is changed and revoked, and its link is dead', async ({ browse, organization }) => {
  const person = somebody();
  const page = await browse(organization.owner);
  const link = await invite(page, organization, person);
  await visit(page, invites(organization));
  await row(page, person.email).getByText('Change', { exact: true }).click();
  await row(page, person.email).getByLabel('Role').selectOption('admin');
  await row(page, person.email).getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByRole('status')).toHaveText('The invite was changed. Its link stays good.');
  await expect(row(page, person.email).locator('.badge').first()).toHaveText('admin');
  await hydrated(page);
  await row(page, person.email).getByText('Revoke', { exact: true }).click();
  await row(page, person.email).getByRole('button', { name: `Revoke the invite of ${person.email}`, exact: true }).click();
  await expect(page.getByRole('status')).toHaveText('The invite was revoked. Its link leads nowhere now.');

  const theirs = await browse();
  await visit(theirs, link, 410);
  await expect(theirs.getByRole('heading', { name: 'This invite was taken back' })).toBeVisible();
  await visit(theirs, `/invites/${'A'.repeat(43)}`, 404);
  await expect(theirs.getByRole('heading', { name: 'This link leads nowhere' })).toBeVisible();
});

test('an invite for somebody else says so', async ({ browse, organization }) => {
  const page = await browse(organization.owner);
  const person = somebody();
  const link = await invite(page, organization, person);
  await visit(page, link);
  await expect(page.getByText(`This invite is for ${person.email}, but you are signed in as ${organization.owner.email}.`)).toBeVisible();
});

test('a forgotten password is replaced by a mailed link, and ends every session', async ({ browse, organization }) => {
  const person = await join(organization, 'member', 'Evelyn Boyd');
  const before = await browse(person);
  await visit(before, `/${organization.slug}`);
  const page = await browse();
  await visit(page, '/login');
  await page.getByRole('link', { name: 'Forgotten your password?' }).click();
  await hydrated(page);
  for (const email of [somebody().email, person.email]) {
    await page.getByLabel('E-mail').fill(email);
    await page.getByRole('button', { name: 'Mail me a link' }).click();
    await expect(page.getByRole('status')).toHaveText('If this address has an account, a mail is on its way. Its link is good for an hour.');
    await hydrated(page);
  }
  const link = await mailedLink(person.email, '/reset');
  await visit(page, link);
  const password = 'quite another password';
  await page.getByLabel('New password').fill(password);
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page).toHaveURL('/login');
  await expect(page.getByRole('status')).toHaveText('Your password was changed. Sign in with the new one.');
  await hydrated(page);
  await page.getByLabel('E-mail').fill(person.email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).not.toHaveURL(/login/);
  await visit(page, link, 404);

  await before.reload();
  await expect(before).toHaveURL(/\/login/);
});

test('another address is confirmed from its mailbox', async ({ browse, organization }) => {
  const person = await join(organization, 'member', 'Miriam Mann');
  const address = somebody().email;
  const page = await browse(person);
  await visit(page, '/account');
  await page.getByLabel('New e-mail').fill(address);
  await page.getByLabel('Your password').fill(person.password);
  await page.getByRole('button', { name: 'Change e-mail' }).click();
  await expect(page.getByRole('status')).toHaveText('Your address changes when you open the link that was mailed to the new one.');
  await visit(page, await mailedLink(address, '/account/email'));
  await page.getByRole('button', { name: 'Confirm the address' }).click();
  await expect(page).toHaveURL('/account');
  await expect(page.getByRole('status')).toHaveText('Your e-mail address was changed.');
  await expect(page.locator('dl').getByText(address)).toBeVisible();
});
