// One's own account, the same with JavaScript and without.

import { signIn, somebody } from '../support/people.ts';
import { expect, hydrated, test, visit } from '../support/test.ts';

test('a name is changed, and the organization hears of it', async ({ browse, organization }) => {
  const page = await browse(organization.owner);
  await visit(page, '/account');
  await page.getByLabel('Name').fill('Mary W. Jackson');
  await page.getByRole('button', { name: 'Save name' }).click();
  await expect(page.getByRole('status')).toHaveText('Saved.');
  await expect(page.locator('.user-menu .switcher-name')).toContainText('Mary W. Jackson');
  await expect(async () => {
    await visit(page, `/${organization.slug}/settings/audit-logs?kind=login&action=account.updated`);
    await expect(page.locator('.event-link')).toHaveText(`Renamed themselves from ${organization.owner.name} to Mary W. Jackson`, { timeout: 500 });
  }).toPass();
});

test('a new password ends every other session', async ({ browse, organization, playwright }) => {
  const { owner } = organization;
  const page = await browse(owner);
  const elsewhere = await (await page.context().browser()!.newContext({ storageState: await signIn(playwright, owner) })).newPage();
  await visit(elsewhere, '/account');
  await visit(page, '/account');
  await page.getByLabel('Present password').fill('not the password');
  await page.getByLabel('New password').fill('the password of tomorrow');
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByLabel('Present password')).toHaveAccessibleDescription('This is not your present password.');
  await hydrated(page);
  await page.getByLabel('Present password').fill(owner.password);
  await page.getByLabel('New password').fill('the password of tomorrow');
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByRole('status')).toContainText('Your password was changed.');
  await elsewhere.reload();
  await expect(elsewhere).toHaveURL(/\/login/);
  await elsewhere.context().close();
  await page.reload();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Your account');
});

test('sessions are listed and ended', async ({ browse, organization, playwright }) => {
  const { owner } = organization;
  const page = await browse(owner);
  await signIn(playwright, owner);
  const other = await page.context().browser()!.newContext({ storageState: await signIn(playwright, owner) });
  await visit(page, '/account');
  const rows = page.getByRole('listitem').filter({ hasText: 'last used' });
  await expect(rows).toHaveCount(3);
  await expect(rows.first()).toContainText('this one');
  await page.getByRole('button', { name: /^End the session of/ }).first().click();
  await expect(page.getByRole('status')).toHaveText('The session was ended.');
  await expect(rows).toHaveCount(2);
  await hydrated(page);
  await page.locator('summary', { hasText: 'End all others' }).click();
  await page.getByRole('button', { name: 'End all other sessions' }).click();
  await expect(page.getByRole('status')).toHaveText('All your other sessions were ended.');
  await expect(rows).toHaveCount(1);
  expect((await other.request.post('/api/viewer')).status()).toBe(401);
  await other.close();
});

test('who is in no organization has an account all the same', async ({ page }) => {
  const { name, email, password } = somebody();
  await visit(page, '/signup');
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign up' }).click();
  await expect(page).not.toHaveURL('/signup');
  await visit(page, '/account');
  await expect(page.getByLabel('Name')).toHaveValue(name);
  await expect(page.getByRole('link', { name: 'New organization' })).toBeVisible();
});
