// A graph with a history: two subgraphs in several versions, and the documents of two clients.

import { type APIRequestContext, expect } from '@playwright/test';

import type { Organization } from './people.ts';

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])';

export const PRODUCTS = `${LINK}
type Query { products: [Product!]! }
type Product @key(fields: "id") { id: ID! name: String! }`;

const REVIEWS = `${LINK}
"What people say of products."
type Review { text: String! product: Product! }
type Query { reviews: [Review!]! }
type Product @key(fields: "id") { id: ID! reviews: [Review!]! }`;

const ID = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

/** A manifest of Relay's form. */
export const RELAY = JSON.stringify({ [ID]: 'query Products {\n  products {\n    id\n    name\n  }\n}', short: '{ products { id } }' });

/** A manifest of Apollo's form. */
export const APOLLO = JSON.stringify({
  format: 'apollo-persisted-query-manifest',
  version: 1,
  operations: [{ id: ID, name: 'Products', type: 'query', body: 'query Products { products { name reviews { text } } }' }],
});

/** Makes the graph `inventory` as a program does that is signed in; gives back the path of its branch `main`. */
export async function makeInventory(request: APIRequestContext, organization: Organization): Promise<string> {
  const post = async (form: string, fields: Record<string, string>) => {
    const answer = await request.post(`/api/${form}`, { form: { organization: organization.slug, graph: 'inventory', branch: 'main', ...fields } });
    expect(answer.status(), `${form}: ${await answer.text()}`).toBe(200);
  };
  await post('create_graph', { name: 'Inventory', slug: 'inventory', description: 'Everything that can be ordered, and what people say of it.' });
  await post('publish_subgraph', { name: 'products', url: 'https://products.example/graphql', schema: PRODUCTS });
  await post('publish_subgraph', { name: 'reviews', url: 'https://reviews.example/graphql', schema: REVIEWS });
  await post('publish_subgraph', { name: 'products', schema: PRODUCTS.replace('name: String!', 'name: String! sku: String!') });
  await post('submit_manifest', { client: 'web', manifest: RELAY });
  await post('submit_manifest', { client: 'ios', manifest: APOLLO });
  return `/${organization.slug}/graphs/inventory/branches/main`;
}
