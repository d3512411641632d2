// People: the demo's three, and new ones who sign up; each with a session, made as a program makes one.

import { randomBytes } from 'node:crypto';

import { type APIRequestContext, type PlaywrightWorkerArgs, expect } from '@playwright/test';

import { orgtrail, url } from './server.ts';

/** Somebody who can sign in. */
export interface Person {
  name: string;
  email: string;
  password: string;
}

/** What a browser of somebody who is signed in holds. */
export type Session = Awaited<ReturnType<APIRequestContext['storageState']>>;

/** The roles of the demo's organization. */
export type Role = 'owner' | 'admin' | 'member';

/** Slug of the demo's organization. */
export const ACME = 'acme';

/** The demo's people whose sign-ins it prints. */
export const DEMO: Record<Role, Person> = {
  owner: { name: 'Ada Lovelace', email: 'owner@acme.example', password: 'orgtrail-demo-password' },
  admin: { name: 'Grace Hopper', email: 'admin@acme.example', password: 'orgtrail-demo-password' },
  member: { name: 'Linus Fjällström', email: 'member@acme.example', password: 'orgtrail-demo-password' },
};

/** An organization that nobody else looks at. */
export interface Organization {
  slug: string;
  name: string;
  owner: Person;
}

/** Letters that nothing else here is called by. */
export function unique(): string {
  return randomBytes(5).toString('hex');
}

/** Somebody who has no account yet. */
export function somebody(name = 'Mary Jackson'): Person {
  return { name, email: `${unique()}@people.example`, password: `the password of ${unique()}` };
}

/** Signs in as a program does (contract: `POST /api/login`). */
export async function signIn(playwright: PlaywrightWorkerArgs['playwright'], person: Person): Promise<Session> {
  return withRequests(playwright, async (request) => {
    const { email, password } = person;
    expect((await request.post('/api/login', { form: { email, password } })).status()).toBe(200);
  });
}

/** Makes an account, and an organization of which it is the owner. */
export async function found(playwright: PlaywrightWorkerArgs['playwright'], owner: Person): Promise<{ organization: Organization; session: Session }> {
  const slug = `org-${unique()}`;
  const organization = { slug, name: `Organization ${slug}`, owner };
  const session = await withRequests(playwright, async (request) => {
    const { name, email, password } = owner;
    expect((await request.post('/api/signup', { form: { name, email, password } })).status()).toBe(200);
    const made = await request.post('/api/create_organization', { form: { name: organization.name, slug } });
    expect(made.status()).toBe(200);
  });
  return { organization, session };
}

/** Adds a new person to an organization, by the operator's hand. */
export async function join(organization: Organization, role: Role, name: string): Promise<Person> {
  const person = somebody(name);
  const args = ['user', 'create', '--email', person.email, '--name', person.name, '--organization', organization.slug, '--role', role];
  await orgtrail(args, { ORGTRAIL_USER_PASSWORD: person.password });
  return person;
}

async function withRequests(playwright: PlaywrightWorkerArgs['playwright'], act: (request: APIRequestContext) => Promise<void>): Promise<Session> {
  const request = await playwright.request.newContext({ baseURL: url() });
  await act(request);
  const session = await request.storageState();
  await request.dispose();
  return session;
}
