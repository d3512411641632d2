// Settings → Teams, the same with JavaScript and without.

import type { Page } from '@playwright/test';

import { type Organization, join } from '../support/people.ts';
import { expect, hydrated, test, visit } from '../support/test.ts';

const HELEN = 'Helen Ling';

function teams(organization: Organization): string {
  return `/${organization.slug}/settings/teams`;
}

function row(page: Page, name: string) {
  return page.getByRole('listitem').filter({ has: page.locator('.member-name', { hasText: name }) });
}

async function create(page: Page, organization: Organization, name: string): Promise<void> {
  await visit(page, teams(organization));
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Create team' }).click();
  await expect(page.getByRole('status')).toHaveText('The team was created.');
  await hydrated(page);
}

async function add(page: Page, email: string, role: string): Promise<void> {
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Role in the team').selectOption(role);
  await page.getByRole('button', { name: 'Add to the team' }).click();
  await expect(page.getByRole('status')).toHaveText('The member was added.');
  await hydrated(page);
}

test('a team is made, filled, renamed and deleted, and the trail has it', async ({ browse, organization }) => {
  const helen = await join(organization, 'member', HELEN);
  const page = await browse(organization.owner);
  await visit(page, teams(organization));
  await expect(page.getByText('No teams yet.')).toBeVisible();
  await create(page, organization, 'Security');
  await add(page, helen.email, 'member');

  await page.getByLabel(`Role of ${HELEN}`, { exact: true }).selectOption('maintainer');
  await page.getByRole('button', { name: `Save the role of ${HELEN}` }).click();
  await expect(page.getByRole('status')).toHaveText('The role was changed.');
  await expect(page.getByLabel(`Role of ${HELEN}`, { exact: true })).toHaveValue('maintainer');

  await page.getByLabel('Name').fill('Safety');
  await page.getByRole('button', { name: 'Rename' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Safety');
  await hydrated(page);
  await page.getByRole('link', { name: 'What happened to it: Safety' }).click();
  await expect(page.locator('.event-link')).toHaveText([
    'Renamed team Security to Safety',
    `Changed ${HELEN} from member to maintainer in team Security`,
    `Added ${HELEN} to team Security as member`,
    'Created team Security',
  ]);

  await visit(page, teams(organization));
  await page.getByRole('link', { name: 'Safety' }).click();
  await page.locator('summary', { hasText: 'Delete team' }).click();
  await page.getByRole('button', { name: 'Delete team Safety' }).click();
  await expect(page).toHaveURL(teams(organization));
  await expect(page.getByRole('status')).toHaveText('The team was deleted.');
  await expect(page.getByText('No teams yet.')).toBeVisible();
});

test('a maintainer says who is in the team, and no more', async ({ browse, organization }) => {
  const helen = await join(organization, 'member', HELEN);
  const barbara = await join(organization, 'member', 'Barbara Canright');
  const page = await browse(organization.owner);
  await create(page, organization, 'Security');
  await add(page, helen.email, 'maintainer');

  const hers = await browse(helen);
  await visit(hers, teams(organization));
  await expect(hers.getByRole('button', { name: 'Create team' })).toHaveCount(0);
  await expect(hers.getByRole('listitem').filter({ hasText: 'Security' })).toContainText('you: maintainer');
  await hers.getByRole('link', { name: 'Security' }).click();
  await expect(hers.getByRole('button', { name: 'Rename' })).toHaveCount(0);
  await add(hers, barbara.email, 'member');

  const other = await browse(barbara);
  await visit(other, new URL(hers.url()).pathname);
  await expect(other.locator('select')).toHaveCount(0);
  await row(other, 'Barbara Canright').locator('summary').click();
  await row(other, 'Barbara Canright').getByRole('button', { name: 'Leave team Security' }).click();
  await expect(other.getByRole('status')).toHaveText('You left the team.');
  await expect(row(other, 'Barbara Canright')).toHaveCount(0);
});

test('what cannot be accepted is said at its field', async ({ browse, organization }) => {
  const page = await browse(organization.owner);
  await create(page, organization, 'Security');
  await page.getByLabel('E-mail').fill('nobody@people.example');
  await page.getByRole('button', { name: 'Add to the team' }).click();
  await expect(page.getByLabel('E-mail')).toHaveAccessibleDescription(/No member of the organization has this e-mail address/);
  await expect(page.getByLabel('E-mail')).toHaveValue('nobody@people.example');
  await visit(page, teams(organization));
  await page.getByLabel('Name').fill('SECURITY');
  await page.getByRole('button', { name: 'Create team' }).click();
  await expect(page.getByLabel('Name')).toHaveAccessibleDescription(/Another team of this organization has this name/);
});

test('long and hostile names fit where the screen is narrow', async ({ browse, organization }) => {
  const page = await browse(organization.owner, { viewport: { width: 320, height: 640 } });
  const name = `<b>${'W'.repeat(80)}</b>\u202e`;
  await create(page, organization, name);
  await expect(page.getByRole('heading', { level: 1 })).toContainText('<b>WWW');
  const sideways = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(await sideways(), 'the page of the team').toBe(0);
  await visit(page, teams(organization));
  expect(await sideways(), 'the list').toBe(0);
});
