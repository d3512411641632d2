// Signing in and out, the same with JavaScript and without.

import type { Page } from '@playwright/test';

import { ACME, DEMO, type Person, somebody } from '../support/people.ts';
import { expect, test, visit, whereabouts } from '../support/test.ts';

const AUDIT_LOGS = `/${ACME}/settings/audit-logs`;
const WRONG = 'The e-mail address or the password is wrong.';

async function fillAndSend(page: Page, { email, password }: Pick<Person, 'email' | 'password'>): Promise<void> {
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function sessionCookie(page: Page) {
  const cookies = await page.context().cookies();
  return cookies.find((cookie) => cookie.name === 'sid');
}

test('who signs in comes to their organization', async ({ page }) => {
  await visit(page, '/login');
  await fillAndSend(page, DEMO.member);
  await expect(page).toHaveURL(`/${ACME}`);
  await expect(page.getByText(DEMO.member.email)).toBeAttached();
  await visit(page, '/login');
  expect(whereabouts(page), 'who is signed in has nothing to do there').toBe(`/${ACME}`);
});

test('a wrong password and an unknown address are refused alike', async ({ page }) => {
  for (const person of [{ ...DEMO.admin, password: 'not this one, surely' }, somebody()]) {
    await visit(page, '/login');
    await fillAndSend(page, person);
    await expect(page.getByRole('alert')).toHaveText(WRONG);
    expect(whereabouts(page), 'neither error nor address are in the URL').toBe('/login');
    await expect(page.getByLabel('E-mail')).toHaveValue(person.email);
    await expect(page.getByLabel('Password')).toHaveValue('');
  }
  await visit(page, '/login');
  await expect(page.getByRole('alert'), 'the message is shown once').toHaveCount(0);
});

test('a page that needs a sign-in is where one comes after it', async ({ page }) => {
  const response = await visit(page, `${AUDIT_LOGS}?range=7d`);
  expect(await response.request().redirectedFrom()?.response().then((first) => first?.status())).toBe(303);
  expect(whereabouts(page)).toBe(`/login?${new URLSearchParams({ next: `${AUDIT_LOGS}?range=7d` })}`);
  await fillAndSend(page, { ...DEMO.owner, password: 'mistyped at first' });
  await expect(page.getByRole('alert')).toHaveText(WRONG);
  await fillAndSend(page, DEMO.owner);
  await expect(page.getByRole('heading', { name: 'Audit logs' })).toBeVisible();
  expect(whereabouts(page), 'after a mistyped password too').toBe(`${AUDIT_LOGS}?range=7d`);
});

test('a sign-in leads to no other site', async ({ page }) => {
  for (const next of ['https://evil.example/', '//evil.example', '/\\evil.example']) {
    await page.context().clearCookies();
    await visit(page, `/login?${new URLSearchParams({ next })}`);
    await fillAndSend(page, DEMO.member);
    await expect(page, next).toHaveURL(`/${ACME}`);
  }
});

test('the session cookie is for this server alone, and new at sign-in', async ({ page }) => {
  await visit(page, '/login');
  await fillAndSend(page, { ...DEMO.admin, password: 'not this one, surely' });
  await expect(page.getByRole('alert')).toBeVisible();
  const before = await sessionCookie(page);
  await fillAndSend(page, DEMO.admin);
  await expect(page).toHaveURL(`/${ACME}`);
  const cookie = await sessionCookie(page);
  expect(cookie).toMatchObject({ domain: '127.0.0.1', path: '/', httpOnly: true, sameSite: 'Lax', secure: false });
  expect(cookie?.value).toMatch(/^[\w-]{43}$/);
  expect(cookie?.value, 'a session that was planted before is worth nothing').not.toBe(before?.value);
});

test('who signs out is out, and cannot go back', async ({ page }) => {
  await visit(page, '/login');
  await fillAndSend(page, DEMO.owner);
  await expect(page).toHaveURL(`/${ACME}`);
  await visit(page, AUDIT_LOGS);
  const session = await sessionCookie(page);
  await page.locator('.user-menu summary').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL('/login');
  await page.goBack();
  await expect(page).toHaveURL(/\/login\?next=/);
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
  if (session) await page.context().addCookies([session]);
  await visit(page, '/account');
  expect(whereabouts(page), 'the old cookie opens nothing any more').toBe('/login?next=%2Faccount');
});
