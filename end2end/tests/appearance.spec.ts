// How every page looks and whom it shuts out: axe in light and dark, wide and narrow; nothing to scroll sideways at 320 px.
//
// Leaves a picture of each in screenshots/, for people to look at.

import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { dayAgo } from '../support/audit-logs.ts';
import { damage } from '../support/damage.ts';
import { ACME } from '../support/people.ts';
import { type Who, expect, hydrated, test, visit } from '../support/test.ts';

const AUDIT_LOGS = `/${ACME}/settings/audit-logs`;

// A few rows, where the look is about something else than the rows.
const FEW = `${AUDIT_LOGS}?start=${dayAgo(80)}&end=${dayAgo(1)}&action=graph.*`;

interface Look {
  /** What the picture is called. */
  name: string;
  path: string;
  who?: Who;
  status?: number;
  /** What is done before one looks. */
  prepare?: (page: Page) => Promise<void>;
}

const open = (summary: string) => (page: Page) => page.locator('summary').filter({ hasText: summary }).click();

test.describe.configure({ mode: 'parallel' });

const LOOKS: Look[] = [
  { name: 'login', path: '/login' },
  { name: 'login-refused', path: '/login', prepare: refuseLogin },
  { name: 'signup', path: '/signup' },
  { name: 'signup-refused', path: '/signup', prepare: refuseSignup },
  { name: 'account', path: '/account', who: 'owner' },
  { name: 'organization-new', path: '/organizations/new', who: 'owner' },
  { name: 'overview', path: `/${ACME}`, who: 'owner' },
  { name: 'general-owner', path: `/${ACME}/settings`, who: 'owner' },
  { name: 'general-admin', path: `/${ACME}/settings`, who: 'admin' },
  { name: 'general-member', path: `/${ACME}/settings`, who: 'member' },
  { name: 'members', path: `/${ACME}/settings/members`, who: 'owner' },
  { name: 'members-remove', path: `/${ACME}/settings/members?search=gr`, who: 'owner', prepare: (page) => page.locator('.member summary').first().click() },
  { name: 'members-nobody', path: `/${ACME}/settings/members?search=nobody-at-all`, who: 'admin' },
  { name: 'invites', path: `/${ACME}/settings/invites`, who: 'owner' },
  { name: 'invites-forbidden', path: `/${ACME}/settings/invites`, who: 'member', status: 403 },
  { name: 'invite-unknown', path: '/invites/nothing', status: 404 },
  { name: 'forgot', path: '/forgot' },
  { name: 'reset-unknown', path: '/reset/nothing', status: 404 },
  { name: 'teams', path: `/${ACME}/settings/teams`, who: 'owner' },
  { name: 'team', path: `/${ACME}/settings/teams`, who: 'owner', prepare: (page) => page.locator('.list a').first().click() },
  { name: 'team-unknown', path: `/${ACME}/settings/teams/nothing`, who: 'member', status: 404 },
  { name: 'access-tokens', path: `/${ACME}/settings/access-tokens`, who: 'owner' },
  { name: 'access-tokens-open', path: `/${ACME}/settings/access-tokens`, who: 'admin', prepare: (page) => page.locator('.tokens .member-name a').first().click() },
  { name: 'access-tokens-forbidden', path: `/${ACME}/settings/access-tokens`, who: 'member', status: 403 },
  { name: 'audit-logs', path: AUDIT_LOGS, who: 'owner' },
  { name: 'audit-logs-everything', path: `${AUDIT_LOGS}?start=${dayAgo(2)}&end=${dayAgo(1)}&kind=all`, who: 'admin' },
  { name: 'audit-logs-sign-ins', path: `${AUDIT_LOGS}?start=${dayAgo(2)}&end=${dayAgo(1)}&kind=login`, who: 'owner' },
  { name: 'audit-logs-operations', path: `${AUDIT_LOGS}?start=${dayAgo(2)}&end=${dayAgo(1)}&kind=operation`, who: 'owner' },
  { name: 'audit-logs-exports', path: `${AUDIT_LOGS}?range=90d&kind=export`, who: 'owner' },
  { name: 'audit-logs-detail', path: `${AUDIT_LOGS}?start=${dayAgo(30)}&end=${dayAgo(1)}&action=member.updated`, who: 'owner', prepare: openFirstEvent },
  { name: 'audit-logs-filtered', path: `${AUDIT_LOGS}?start=${dayAgo(30)}&end=${dayAgo(1)}&action=member.*,organization.updated&object=member&q=grace`, who: 'owner' },
  { name: 'audit-logs-range', path: FEW, who: 'owner', prepare: (page) => page.locator('.range-menu > summary').click() },
  { name: 'audit-logs-actors', path: FEW, who: 'owner', prepare: open('Actor') },
  { name: 'audit-logs-actions', path: FEW, who: 'owner', prepare: open('Action') },
  { name: 'audit-logs-object', path: FEW, who: 'owner', prepare: open('Object') },
  { name: 'audit-logs-formats', path: FEW, who: 'owner', prepare: (page) => page.locator('summary[aria-label="More formats"]').click() },
  { name: 'audit-logs-keys', path: FEW, who: 'owner', prepare: (page) => page.keyboard.press('?') },
  { name: 'audit-logs-nothing', path: `${AUDIT_LOGS}?q=zebra-crossing&action=member.*`, who: 'owner' },
  { name: 'audit-logs-bad-range', path: `${AUDIT_LOGS}?start=2020-01-01&end=2020-12-31`, who: 'owner', status: 422 },
  { name: 'audit-logs-forbidden', path: AUDIT_LOGS, who: 'member', status: 403 },
  { name: 'models', path: `/${ACME}/models`, who: 'owner' },
  { name: 'models-member', path: `/${ACME}/models`, who: 'member' },
  { name: 'model', path: `/${ACME}/models/gripper-failure`, who: 'owner' },
  { name: 'model-refused', path: `/${ACME}/models/gripper-failure`, who: 'member', prepare: refuseUpload },
  { name: 'model-unknown', path: `/${ACME}/models/nothing`, who: 'member', status: 404 },
  { name: 'not-found', path: '/nobodys-organization', who: 'owner', status: 404 },
  { name: 'download-refused', path: `/api/export_audit_logs?organization=${ACME}&start=2020-01-01&end=2020-12-31`, who: 'owner', status: 422 },
];

async function refuseLogin(page: Page): Promise<void> {
  await page.getByLabel('E-mail').fill('nobody@people.example');
  await page.getByLabel('Password').fill('not a password of anybody');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
}

async function refuseSignup(page: Page): Promise<void> {
  await page.getByLabel('Name').fill('Mary Jackson');
  await page.getByLabel('E-mail').fill('mary@people.example');
  await page.getByLabel('Password').fill('short');
  await page.getByRole('button', { name: 'Sign up' }).click();
  await expect(page.getByText('this one has 5')).toBeVisible();
}

async function refuseUpload(page: Page): Promise<void> {
  await page.getByLabel('Or paste records').fill('{"robot": "R-0001"}\n["no record"]\n{"time": "yesterday"}');
  await page.getByRole('button', { name: 'Add records' }).click();
  await expect(page.getByRole('group', { name: 'What is wrong' })).toBeVisible();
}

async function openFirstEvent(page: Page): Promise<void> {
  await page.locator('.event-link').first().click();
  await expect(page.locator('.detail')).toBeVisible();
}

/** What axe finds. */
async function violations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}: ${node.target.join(' ')}`));
}

/** By how many pixels the page is wider than the window. */
async function sidewaysScroll(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** Takes the pictures of a page that is there, and looks at it everywhere. */
async function lookAt(page: Page, name: string): Promise<void> {
  await hydrated(page);
  for (const [width, height] of [
    [1280, 900],
    [390, 844],
  ] as const) {
    await page.setViewportSize({ width, height });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.screenshot({ path: `screenshots/${name}-${width}-${colorScheme}.png` });
      // Every width once and every colour once: they do not depend on each other.
      if ((colorScheme === 'dark') === (width === 390)) expect.soft(await violations(page), `${name} at ${width} px, ${colorScheme}`).toEqual([]);
    }
  }
  await page.setViewportSize({ width: 320, height: 640 });
  expect.soft(await sidewaysScroll(page), 'pixels to scroll sideways at 320 px').toBe(0);
}

for (const { name, path, who, status, prepare } of LOOKS) {
  test(name, async ({ browse }) => {
    test.slow();
    const page = await browse(who);
    await visit(page, path, status);
    if (prepare) await prepare(page);
    await lookAt(page, name);
  });
}

// Of a graph that nobody changes: paths are below its organization.
const BRANCH = '/graphs/inventory/branches/main';

const GRAPH_LOOKS: Look[] = [
  { name: 'graphs', path: '/graphs' },
  { name: 'models-empty', path: '/models' },
  { name: 'graph', path: '/graphs/inventory' },
  { name: 'graph-member', path: '/graphs/inventory', who: 'member' },
  { name: 'branch', path: BRANCH },
  { name: 'branch-member', path: BRANCH, who: 'member' },
  { name: 'branch-refused', path: BRANCH, prepare: refusePublish },
  { name: 'subgraph', path: `${BRANCH}/subgraphs/products` },
  { name: 'version', path: `${BRANCH}/subgraphs/products/versions/2` },
  { name: 'supergraphs', path: `${BRANCH}/supergraphs` },
  { name: 'supergraph', path: `${BRANCH}/supergraphs/3` },
  { name: 'supergraph-first', path: `${BRANCH}/supergraphs/1` },
  { name: 'supergraph-unknown', path: `${BRANCH}/supergraphs/3?since=9`, status: 404 },
  { name: 'documents', path: `${BRANCH}/documents` },
  { name: 'documents-of-one', path: `${BRANCH}/documents?client=web` },
  { name: 'documents-member', path: `${BRANCH}/documents`, who: 'member' },
  { name: 'documents-nothing', path: `${BRANCH}/documents?search=zebra-crossing` },
  { name: 'documents-refused', path: `${BRANCH}/documents`, prepare: refuseManifest },
  { name: 'document', path: `${BRANCH}/documents/document?client=web&id=short` },
];

async function refusePublish(page: Page): Promise<void> {
  await page.getByLabel('Name', { exact: true }).fill('orders');
  await page.getByLabel('Schema').fill('type Query {\n  orders: [Order!]!\n}\ntype Query {\n  more: Missing\n}');
  await page.getByRole('button', { name: 'Publish' }).click();
  await expect(page.getByRole('group', { name: 'What is wrong' })).toBeVisible();
}

async function refuseManifest(page: Page): Promise<void> {
  await page.getByLabel('Client', { exact: true }).fill('web');
  await page.getByLabel('Manifest', { exact: true }).fill('{"one": "{ products { price } }", "two": "{ nothing }"}');
  await page.getByRole('button', { name: 'Submit manifest' }).click();
  await expect(page.getByRole('group', { name: 'What is wrong' })).toBeVisible();
}

for (const { name, path, who, status, prepare } of GRAPH_LOOKS) {
  test(name, async ({ browse, inventory }) => {
    test.slow();
    const page = await browse(who === 'member' ? inventory.member : inventory.organization.owner);
    await visit(page, `/${inventory.organization.slug}${path}`, status);
    if (prepare) await prepare(page);
    await lookAt(page, name);
  });
}

test('audit-logs-damaged', async ({ browse, organization }) => {
  test.slow();
  const page = await browse(organization.owner);
  const logs = `/${organization.slug}/settings/audit-logs`;
  const notice = page.getByRole('region', { name: 'This log is damaged' });
  await visit(page, logs);
  await expect(notice).toBeHidden();
  await damage(organization);
  // The server looks within a minute.
  await expect(async () => {
    await visit(page, logs);
    await expect(notice).toBeVisible({ timeout: 1 });
  }).toPass({ timeout: 120_000 });
  await notice.getByText('What was found').click();
  await expect(notice.getByRole('listitem').first()).toHaveText('event 0 is longer or shorter than when recorded');
  await expect(page.getByText('Not complete: damaged')).toBeVisible();
  await expect(page.getByText('Complete through')).toBeHidden();
  await lookAt(page, 'audit-logs-damaged');
  await visit(page, `${logs}?kind=operation`);
  await expect(page.getByText('Read the audit log again: it is not as it was recorded')).toBeVisible();
});

test('the navigation of narrow screens', async ({ browse }) => {
  const page = await browse('owner', { viewport: { width: 390, height: 844 } });
  await visit(page, FEW);
  await expect(page.getByRole('link', { name: 'Members' })).toBeHidden();
  await page.getByRole('button', { name: 'Menu' }).click();
  await expect(page.getByRole('link', { name: 'Members' })).toBeVisible();
  await page.screenshot({ path: 'screenshots/navigation-390-light.png' });
  expect.soft(await violations(page)).toEqual([]);
  await page.getByRole('link', { name: 'Members' }).click();
  await expect(page.getByRole('heading', { name: 'Members' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'General' }), 'it closes when one has chosen').toBeHidden();
});
