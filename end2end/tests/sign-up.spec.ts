// Making an account and an organization, the same with JavaScript and without.

import { ACME, somebody, unique } from '../support/people.ts';
import { expect, test, visit } from '../support/test.ts';

test('who signs up and makes an organization is its owner', async ({ page }) => {
  const person = somebody('Katherine Johnson');
  const slug = `org-${unique()}`;
  await visit(page, '/login');
  await page.getByRole('link', { name: 'Sign up' }).click();
  await page.getByLabel('Name').fill(person.name);
  await page.getByLabel('E-mail').fill(person.email);
  await page.getByLabel('Password').fill(person.password);
  await page.getByRole('button', { name: 'Sign up' }).click();

  await expect(page, 'who has no organization makes one').toHaveURL('/organizations/new');
  await page.getByLabel('Name').fill('Langley Computing');
  await page.getByLabel('Slug').fill(slug);
  await page.getByRole('button', { name: 'Create organization' }).click();

  await expect(page).toHaveURL(`/${slug}`);
  await expect(page.getByRole('heading', { name: 'Langley Computing' })).toBeVisible();
  await expect(page.locator('dl').getByText('owner', { exact: true })).toBeVisible();

  await visit(page, `/${slug}/settings/audit-logs`);
  await expect(page.locator('.event-line code')).toHaveText(['member.created', 'organization.created']);
});

test('what cannot be accepted is said at its field, and nothing is lost', async ({ page }) => {
  const person = somebody();
  await visit(page, '/signup');
  await page.getByLabel('Name').fill(person.name);
  await page.getByLabel('E-mail').fill(person.email);
  await page.getByLabel('Password').fill('too short');
  await page.getByRole('button', { name: 'Sign up' }).click();
  const password = page.getByLabel('Password');
  await expect(password).toHaveAttribute('aria-invalid', 'true');
  await expect(password).toHaveAccessibleDescription(/12 to 128 characters; this one has 9/);
  await expect(password, 'a password is never sent back').toHaveValue('');
  await expect(page.getByLabel('Name')).toHaveValue(person.name);
  await expect(page.getByLabel('E-mail')).toHaveValue(person.email);
});

test('a taken slug is said at its field', async ({ browse, organization }) => {
  const page = await browse(organization.owner);
  await visit(page, '/organizations/new');
  await page.getByLabel('Name').fill('Another one');
  await page.getByLabel('Slug').fill(ACME);
  await page.getByRole('button', { name: 'Create organization' }).click();
  await expect(page.getByLabel('Slug')).toHaveAccessibleDescription(/taken/);
});

test('a slug that cannot be had is said at its field', async ({ browse, organization }) => {
  const page = await browse(organization.owner);
  for (const [slug, complaint] of [
    ['Not-A-Slug', /2 to 39 characters of a-z, 0-9 and -/],
    ['login', /reserved/],
  ] as const) {
    await visit(page, '/organizations/new');
    await page.getByLabel('Name').fill('Another one');
    await page.getByLabel('Slug').fill(slug);
    await page.getByRole('button', { name: 'Create organization' }).click();
    await expect.soft(page.getByLabel('Slug'), slug).toHaveAttribute('aria-invalid', 'true');
    await expect.soft(page.getByLabel('Slug'), slug).toHaveAccessibleDescription(complaint);
    await expect(page.getByLabel('Slug')).toHaveValue(slug);
    await expect(page.getByLabel('Name')).toHaveValue('Another one');
  }
});
