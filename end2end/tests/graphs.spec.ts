// Graphs, the same with JavaScript and without.

import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { type Organization, join } from '../support/people.ts';
import { expect, hydrated, test, visit } from '../support/test.ts';

const PRODUCTS = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
type Query { products: [Product!]! }
type Product @key(fields: "id") { id: ID! name: String! }`;

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
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`long and hostile names fit where the screen is narrow, and axe finds nothing: ${colorScheme}`, async ({ browse, organization }) => {
    const page = await browse(organization.owner, { viewport: { width: 320, height: 640 }, colorScheme });
    await create(page, organization, `<b>${'W'.repeat(80)}</b>`);
    await expect(page.getByRole('heading', { level: 1 })).toContainText('<b>WWW');
    const branch = `${graphs(organization)}/inventory/branches/main`;
    await visit(page, branch);
    await publish(page, `${PRODUCTS}\n# ${'x'.repeat(300)}`);
    await publish(page, `${PRODUCTS}\n# ${'y'.repeat(300)}`);
    const paths = [graphs(organization), `${graphs(organization)}/inventory`, branch, `${branch}/subgraphs/products`];
    for (const path of [...paths, `${branch}/subgraphs/products/versions/2`, `${branch}/supergraphs/2`]) {
      await visit(page, path);
      const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(sideways, path).toBe(0);
      expect((await new AxeBuilder({ page }).analyze()).violations, path).toEqual([]);
    }
  });
}
