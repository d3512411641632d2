// Graphs, the same with JavaScript and without.

import { readFile } from 'node:fs/promises';

import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { APOLLO, PRODUCTS, RELAY, makeInventory } from '../support/graphs.ts';
import { type Organization, join } from '../support/people.ts';
import { runsScripts } from '../support/scripts.ts';
import { expect, hydrated, test, visit, whereabouts } from '../support/test.ts';

function graphs(organization: Organization): string {
  return `/${organization.slug}/graphs`;
}

async function create(page: Page, organization: Organization, name: string): Promise<void> {
  await visit(page, graphs(organization));
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Slug').fill('inventory');
  await page.getByRole('button', { name: 'Create graph' }).click();
  await expect(page.getByRole('status')).toHaveText('The graph was created.');
  await hydrated(page);
}

async function publish(page: Page, schema: string): Promise<void> {
  await page.getByLabel('Name', { exact: true }).fill('products');
  await page.getByLabel('Schema').fill(schema);
  await page.getByRole('button', { name: 'Publish' }).click();
  await hydrated(page);
}

test('a graph is made, published to, read, and deleted', async ({ browse, organization }) => {
  const page = await browse(organization.owner);
  await visit(page, `/${organization.slug}`);
  await page.getByRole('navigation').getByRole('link', { name: 'Graphs' }).click();
  await expect(page.getByText('No graphs yet.')).toBeVisible();
  await create(page, organization, 'Inventory');
  await page.getByRole('link', { name: 'main', exact: true }).click();
  await expect(page.getByText('No subgraphs yet.')).toBeVisible();
  await publish(page, PRODUCTS);
  await expect(page.getByRole('status')).toHaveText('Version 1 of products was published. It is part of supergraph 1.');
  await publish(page, PRODUCTS);
  await expect(page.getByRole('status')).toContainText('Nothing was published');
  await publish(page, PRODUCTS.replace('name', 'title'));
  await expect(page.getByRole('status')).toContainText('Version 2 of products was published.');

  await page.getByRole('link', { name: 'Version 2 of products' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('products, version 2');
  await expect(page.locator('ins')).toContainText('title: String!');
  await expect(page.locator('del')).toContainText('name: String!');
  await page.getByRole('heading', { name: 'Changed since' }).getByRole('link').click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('products, version 1');
  await expect(page.getByRole('region', { name: 'Schema of products, version 1' })).toContainText('name: String!');

  await visit(page, `${graphs(organization)}/inventory`);
  await page.locator('summary', { hasText: 'Delete graph' }).click();
  await page.getByRole('button', { name: 'Delete graph Inventory' }).click();
  await expect(page).toHaveURL(graphs(organization));
  await expect(page.getByRole('status')).toHaveText('The graph was deleted.');
});

test('what does not compose is told place by place, and kept', async ({ browse, organization }) => {
  const page = await browse(organization.owner);
  await create(page, organization, 'Inventory');
  await page.getByRole('link', { name: 'main', exact: true }).click();
  const broken = 'type Query {\n  a: Int % }';
  await publish(page, broken);
  await expect(page.getByText('products, line 2, column 10:')).toBeVisible();
  await expect(page.getByLabel('Schema')).toHaveValue(broken);
  await expect(page.getByText('No subgraphs yet.')).toBeVisible();
});

test('a member reads, and changes nothing', async ({ browse, organization }) => {
  const helen = await join(organization, 'member', 'Helen Ling');
  const page = await browse(organization.owner);
  await create(page, organization, 'Inventory');
  const hers = await browse(helen);
  await visit(hers, `${graphs(organization)}/inventory`);
  await expect(hers.getByRole('heading', { level: 1 })).toHaveText('Inventory');
  await expect(hers.locator('main form')).toHaveCount(0);
  await hers.getByRole('link', { name: 'main', exact: true }).click();
  await expect(hers.getByText('Publishing takes the permission publish')).toBeVisible();
  await expect(hers.locator('main form')).toHaveCount(0);
  await hers.getByRole('link', { name: 'Trusted documents' }).click();
  await expect(hers.getByText('Submitting a manifest takes the permission publish')).toBeVisible();
  await expect(hers.locator('main form')).toHaveCount(0);
});

async function submit(page: Page, client: string, manifest: string): Promise<void> {
  await page.getByLabel('Client', { exact: true }).fill(client);
  await page.getByLabel('Manifest', { exact: true }).fill(manifest);
  await page.getByRole('button', { name: 'Submit manifest' }).click();
  await hydrated(page);
}

test('manifests are submitted, and their documents searched and read', async ({ browse, organization }) => {
  const page = await browse(organization.owner);
  await create(page, organization, 'Inventory');
  const branch = `${graphs(organization)}/inventory/branches/main`;
  await visit(page, `${branch}/documents`);
  await expect(page.getByText('publish a subgraph before you submit a manifest')).toBeVisible();
  await visit(page, branch);
  await publish(page, PRODUCTS);
  await page.getByRole('link', { name: 'Trusted documents' }).click();
  await expect(page.getByText('No trusted documents yet.')).toBeVisible();
  await submit(page, 'web', RELAY);
  await expect(page.getByRole('status')).toHaveText('The manifest of web was taken: 2 documents, 2 of them new.');
  expect(whereabouts(page)).toBe(`${branch}/documents?client=web`);
  await submit(page, 'web', RELAY);
  await expect(page.getByRole('status')).toContainText('Nothing was submitted');

  await page.getByRole('searchbox', { name: 'Search documents' }).fill('NAME');
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await expect(page.getByRole('link', { name: 'unnamed query' })).toHaveCount(0);
  await page.getByRole('link', { name: 'Products', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Products');
  const text = page.getByRole('region', { name: 'Text of Products' });
  await expect(text.locator('.code-line')).toHaveCount(6);
  await expect(text.locator('.sdl-keyword')).toHaveText('query');
  await page.getByRole('link', { name: 'web', exact: true }).click();
  await page.getByRole('link', { name: 'What happened to it: web' }).click();
  await expect(page.locator('.event-link')).toHaveCount(1);
});

test('a refused manifest opens on what is wrong, document by document', async ({ browse, organization }) => {
  const page = await browse(organization.owner);
  const documents = `${await makeInventory(page.request, organization)}/documents`;
  await visit(page, documents);
  const bad = '{"one": "{ products { price } }", "two": "{ nothing }", "good": "{ products { id } }"}';
  await submit(page, 'web', bad);
  const wrong = page.getByRole('group', { name: 'What is wrong' });
  await expect(wrong.getByRole('listitem')).toHaveText([
    /^one, line 1, column 3: /,
    /^one, line 1, column 14: .*price/,
    /^two, line 1, column 3: .*nothing/,
  ]);
  await expect(wrong).toBeFocused();
  await expect(wrong).toBeInViewport();
  await page.keyboard.press('Tab');
  await expect(page.getByLabel('Client', { exact: true })).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(page.getByLabel('Manifest', { exact: true })).toBeFocused();
  await expect(page.getByLabel('Manifest', { exact: true })).toHaveValue(bad);
  await page.getByLabel('Manifest', { exact: true }).fill(APOLLO.replace('reviews { text }', 'id'));
  await page.getByRole('button', { name: 'Submit manifest' }).press('Enter');
  await expect(page.getByLabel('Manifest', { exact: true }), 'an id stands for one text').toHaveAttribute('aria-invalid', 'true');
});

test('supergraphs say what they changed, and any two are compared', async ({ browse, organization }) => {
  const page = await browse(organization.owner);
  await visit(page, await makeInventory(page.request, organization));
  await page.getByRole('link', { name: 'All supergraphs' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Supergraphs');
  await expect(page.locator('.graph-changes')).toHaveText([
    'version 2 of products instead of version 1',
    'version 1 of reviews came in',
    'version 1 of products came in',
  ]);
  await page.getByRole('link', { name: 'Supergraph 3' }).click();
  const clients = page.getByRole('region', { name: 'Lines for clients that differ from supergraph 2' });
  await expect(clients.locator('ins')).toContainText('sku: String!');
  await page.getByLabel('Compare with supergraph').fill('1');
  await page.getByRole('button', { name: 'Compare' }).click();
  await expect(page.getByRole('heading', { name: 'Changed since' })).toHaveText('Changed since supergraph 1');
  await expect(page.getByRole('region', { name: 'Lines for clients that differ from supergraph 1' })).toContainText('reviews: [Review!]!');
  await page.getByRole('link', { name: 'Version 2 of products' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('products, version 2');
});

test('a schema is downloaded, by members too', async ({ browse, organization }) => {
  const helen = await join(organization, 'member', 'Helen Ling');
  const branch = await makeInventory((await browse(organization.owner)).request, organization);
  const page = await browse(helen);
  await visit(page, `${branch}/subgraphs/products/versions/1`);
  const [version] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download' }).click()]);
  expect(version.suggestedFilename()).toBe('inventory-main-products-version-1.graphql');
  expect(await readFile(await version.path(), 'utf8')).toBe(PRODUCTS);
  await visit(page, `${branch}/supergraphs/1`);
  const [api] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download' }).first().click()]);
  expect(await readFile(await api.path(), 'utf8')).not.toContain('join__');
});

test('long and hostile names fit where the screen is narrow, and axe finds nothing', async ({ browse, organization }) => {
  test.slow();
  const page = await browse(organization.owner, { viewport: { width: 320, height: 640 } });
  await create(page, organization, `<b>${'W'.repeat(80)}</b>`);
  await expect(page.getByRole('heading', { level: 1 })).toContainText('<b>WWW');
  const branch = `${graphs(organization)}/inventory/branches/main`;
  await visit(page, branch);
  await publish(page, `${PRODUCTS}\n# ${'x'.repeat(300)}`);
  await publish(page, `${PRODUCTS}\n# ${'y'.repeat(300)}`);
  await visit(page, `${branch}/documents`);
  await submit(page, `<i>${'M'.repeat(90)}</i>`, `{"<b>${'W'.repeat(190)}</b>": "query ${'Q'.repeat(200)} { products { id } }"}`);
  const client = whereabouts(page);
  const one = await page.getByRole('link', { name: /^QQQ/ }).getAttribute('href');
  const paths = [graphs(organization), `${graphs(organization)}/inventory`, branch, `${branch}/subgraphs/products`, client, one ?? ''];
  for (const path of [...paths, `${branch}/subgraphs/products/versions/2`, `${branch}/supergraphs`, `${branch}/supergraphs/2`]) {
    await visit(page, path);
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(sideways, path).toBe(0);
    // It waits by itself, which nothing does where no script runs.
    if (runsScripts()) expect((await new AxeBuilder({ page }).analyze()).violations, path).toEqual([]);
  }
});
