// What every test gets: browsers that are somebody, and no mercy for what the console says.

import { type BrowserContextOptions, type Page, type Response, expect, test as base } from '@playwright/test';

import { makeInventory } from './graphs.ts';
import { Noise } from './noise.ts';
import { DEMO, type Organization, type Person, type Role, type Session, found, join, signIn, somebody } from './people.ts';
import { runsScripts } from './scripts.ts';
import { url } from './server.ts';

/** Somebody of the demo by role, or anybody else. */
export type Who = Role | Person;

interface Fixtures {
  /** What the browsers complained about. */
  noise: Noise;
  /** A page in a new browser of somebody who is signed in; of nobody without `who`. */
  browse: (who?: Who, options?: BrowserContextOptions) => Promise<Page>;
  /** A new organization for this test alone. */
  organization: Organization;
}

interface WorkerFixtures {
  /** The sessions of those who signed in already. */
  sessions: Map<string, Session>;
  /** An organization with the graph `inventory`, and a member of it: to be looked at, never changed. */
  inventory: { organization: Organization; member: Person };
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  baseURL: async ({}, use) => use(url()),

  sessions: [async ({}, use) => use(new Map()), { scope: 'worker' }],

  inventory: [
    async ({ playwright, sessions }, use) => {
      const { organization, session } = await found(playwright, somebody());
      sessions.set(organization.owner.email, session);
      const request = await playwright.request.newContext({ baseURL: url(), storageState: session });
      await makeInventory(request, organization);
      await request.dispose();
      await use({ organization, member: await join(organization, 'member', 'Helen Ling') });
    },
    { scope: 'worker' },
  ],

  noise: [
    async ({}, use) => {
      const noise = new Noise();
      await use(noise);
      expect(noise.unexpected(), 'what the browser complained about').toEqual([]);
    },
    { auto: true },
  ],

  context: async ({ context, noise }, use) => {
    noise.listen(context);
    await use(context);
  },

  browse: async ({ browser, playwright, sessions, noise }, use) => {
    const session = async (person: Person) => {
      const known = sessions.get(person.email) ?? (await signIn(playwright, person));
      sessions.set(person.email, known);
      return known;
    };
    const contexts: { close(): Promise<void> }[] = [];
    await use(async (who, options) => {
      const person = typeof who === 'string' ? DEMO[who] : who;
      const context = await browser.newContext({ ...options, storageState: person && (await session(person)) });
      contexts.push(context);
      noise.listen(context);
      return context.newPage();
    });
    await Promise.all(contexts.map((context) => context.close()));
  },

  organization: async ({ playwright, sessions }, use) => {
    const { organization, session } = await found(playwright, somebody());
    sessions.set(organization.owner.email, session);
    await use(organization);
  },
});

export { expect };

/** Goes to a page, and waits until its scripts have taken over, if the browser runs any. */
export async function visit(page: Page, path: string, status = 200): Promise<Response> {
  const response = await page.goto(path);
  if (!response) throw new Error(`no response for ${path}`);
  expect(response.status(), `status of ${path}`).toBe(status);
  await hydrated(page);
  return response;
}

/** Waits until the scripts of the page have taken over; at once where there are none. */
export async function hydrated(page: Page): Promise<void> {
  const hasScripts = (await page.locator('script[type=module]').count()) > 0;
  if (runsScripts() && hasScripts) await expect(page.locator('html')).toHaveAttribute('data-hydrated', '');
}

/** Path and query of where the page is. */
export function whereabouts(page: Page): string {
  const { pathname, search } = new URL(page.url());
  return pathname + search;
}
