// Settings → General, the same with JavaScript and without.

import { ACME, join, unique } from '../support/people.ts';
import { expect, test, visit, whereabouts } from '../support/test.ts';

test('an owner renames the organization', async ({ browse, organization }) => {
  const page = await browse(organization.owner);
  await visit(page, `/${organization.slug}/settings`);
  await page.getByLabel('Name', { exact: true }).fill('Renamed & <b>bold</b>');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByRole('status')).toHaveText('Saved.');
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Renamed & <b>bold</b>');
  await expect(page.locator('.switcher-name').first(), 'at once in the frame too').toHaveText('Renamed & <b>bold</b>');
});

test('an owner changes the slug, and old links lead to the new one', async ({ browse, organization }) => {
  const old = organization.slug;
  const slug = `org-${unique()}`;
  const page = await browse(organization.owner);
  await visit(page, `/${old}/settings`);
  await page.getByLabel('Slug').fill(slug);
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page).toHaveURL(`/${slug}/settings`);
  for (const rest of ['', '/settings', '/settings/members?search=mary', '/settings/audit-logs?range=7d&tz=Asia%2FTokyo']) {
    const response = await visit(page, `/${old}${rest}`);
    expect((await response.request().redirectedFrom()?.response())?.status(), rest).toBe(308);
    expect(whereabouts(page)).toBe(`/${slug}${rest}`);
  }
});

test('what cannot be accepted is said at its field, and nothing is lost', async ({ browse, organization }) => {
  const page = await browse(organization.owner);
  await visit(page, `/${organization.slug}/settings`);
  await page.getByLabel('Name', { exact: true }).fill('A new name');
  await page.getByLabel('Slug').fill('A--B');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByLabel('Slug')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('Slug')).toHaveAccessibleDescription(/A slug has 2 to 39 characters/);
  await expect(page.getByLabel('Slug')).toHaveValue('A--B');
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('A new name');
  await visit(page, `/${organization.slug}/settings`);
  await expect(page.getByLabel('Name', { exact: true }), 'nothing was saved').toHaveValue(organization.name);
});

test('a slug that is taken is refused', async ({ browse, organization }) => {
  const page = await browse(organization.owner);
  await visit(page, `/${organization.slug}/settings`);
  await page.getByLabel('Slug').fill(ACME);
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByText(/is taken/)).toBeVisible();
  await expect(page).toHaveURL(`/${organization.slug}/settings`);
});

test('an admin renames, but does not change the slug, even by a forged form', async ({ browse, organization }) => {
  const helen = await join(organization, 'admin', 'Helen Ling');
  const page = await browse(helen);
  await visit(page, `/${organization.slug}/settings`);
  await expect(page.getByLabel('Slug')).toHaveAttribute('readonly', '');
  await expect(page.getByText('Only an owner can change the slug.')).toBeVisible();
  await page.getByLabel('Name', { exact: true }).fill('Renamed by an admin');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByRole('status')).toHaveText('Saved.');

  const form = { organization: organization.slug, name: 'x', slug: `org-${unique()}` };
  const forged = await page.request.post('/api/update_organization', { form });
  expect(forged.status()).toBe(403);
  await visit(page, `/${organization.slug}/settings`);
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Renamed by an admin');
});

test('a member reads', async ({ browse }) => {
  const page = await browse('member');
  await visit(page, `/${ACME}/settings`);
  await expect(page.getByText('An owner or admin can rename the organization.')).toBeVisible();
  await expect(page.getByRole('textbox')).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Save changes' })).toHaveCount(0);
});
