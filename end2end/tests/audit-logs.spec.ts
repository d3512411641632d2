// Settings → Audit Logs: the table, the filters, the pages and the detail.

import type { Page } from '@playwright/test';

import { AuditLogs, dayAgo } from '../support/audit-logs.ts';
import { DEMO, join } from '../support/people.ts';
import { expect, hydrated, test, visit } from '../support/test.ts';

// Days of the demo that are over: nothing that tests do changes them.
const LAST_MONTH = { start: dayAgo(30), end: dayAgo(1) };

/** Collects every layout shift of the pages to come in `window.shifts`. */
const watchShifts = (page: Page) =>
  page.addInitScript(() => {
    const shifts: number[] = [];
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => shifts.push(...list.getEntries().map((entry) => (entry as unknown as { value: number }).value))).observe({
      type: 'layout-shift',
      buffered: true,
    });
  });

test('the first HTML holds the table, and the scripts take it over', async ({ browse }) => {
  const page = await browse('owner');
  const logs = new AuditLogs(page);
  const html = await (await page.request.get(`${logs.path}?${new URLSearchParams(LAST_MONTH)}`, { headers: { accept: 'text/html' } })).text();
  const sent = [...html.matchAll(/id="(event-[^"]+)"/g)].map((match) => match[1]);
  expect(sent).toHaveLength(50);
  expect(html).toContain('events');

  await logs.open(LAST_MONTH);
  expect(await logs.ids()).toEqual(sent);
});

test('nothing moves when the count arrives', async ({ browse }) => {
  const page = await browse('owner');
  const logs = new AuditLogs(page);
  await watchShifts(page);
  await logs.open(LAST_MONTH);
  await logs.count();
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  expect(await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts), 'layout shifts').toEqual([]);
});

test('it starts with the changes of 30 days, newest first', async ({ browse }) => {
  const logs = new AuditLogs(await browse('admin'));
  await logs.open();
  const times = await logs.times();
  expect(times).toHaveLength(50);
  expect(times).toEqual([...times].sort().reverse());
  expect(times.at(-1)! >= dayAgo(29)).toBe(true);
  await expect(logs.chips).toHaveCount(0);
  await expect(logs.page.locator('.range-menu > summary')).toContainText('Last 30 days');
});

test('filter by action: a group, then one of it, by the picker', async ({ browse }) => {
  const logs = new AuditLogs(await browse('owner'));
  await logs.open(LAST_MONTH);
  const panel = await logs.pick('Action');
  await panel.getByRole('searchbox', { name: 'Find an action' }).fill('member');
  await expect(panel.getByText('organization.updated')).toBeHidden();
  await panel.getByRole('link', { name: /^member\.\*/ }).click();
  await logs.expectQuery({ ...LAST_MONTH, action: 'member.*' });
  await expect(logs.chips).toHaveText(['action: member.*']);
  for (const action of await logs.actions.allInnerTexts()) expect(action).toMatch(/^member\./);
  await logs.chips.first().click();
  await logs.expectQuery(LAST_MONTH);
  await expect(logs.chips).toHaveCount(0);
  await expect(logs.events).toHaveCount(50);
});

test('filter by actor: only what that person did', async ({ browse }) => {
  const { name, email } = DEMO.admin;
  const logs = new AuditLogs(await browse('owner'));
  await logs.open(LAST_MONTH);
  const panel = await logs.pick('Actor');
  await panel.getByRole('searchbox', { name: 'Find an actor' }).fill('grace');
  await panel.getByRole('link', { name: new RegExp(email) }).click();
  await expect(logs.chips).toHaveText([`actor: ${name}`]);
  const actors = await logs.table.locator('.who-text').allInnerTexts();
  expect(actors.length).toBeGreaterThan(0);
  for (const actor of actors) expect(actor).toContain(name);
});

test('each kind has its table, and the columns that fit', async ({ browse }) => {
  const logs = new AuditLogs(await browse('owner'));
  await logs.open({ ...LAST_MONTH, action: 'member.*' });
  const columns = logs.table.getByRole('columnheader');
  await expect(columns).toHaveText([/^Time/, 'Actor', 'Event', 'Address']);
  await logs.kind('Sign-ins').click();
  await logs.expectQuery({ ...LAST_MONTH, kind: 'login' });
  await expect(columns).toHaveText([/^Time/, 'Actor', 'Attempt', 'E-mail as typed', 'Address']);
  await expect(logs.kind('Sign-ins')).toHaveAttribute('aria-current', 'true');
  await expect(logs.chips).toHaveCount(0);
  await expect(logs.table.locator('.cell-extra').first()).toHaveText(/@/);
  await expect.poll(async () => new Set(await logs.actions.allInnerTexts())).toEqual(new Set(['login.attempted']));
  await logs.kind('Operations').click();
  await expect(columns).toHaveText([/^Time/, 'Actor', 'Operation', 'Name from the client', 'Address']);
  await expect(logs.table.locator('.cell-extra', { hasText: 'create_access_token' }).first()).toBeVisible();
  await logs.kind('Changes').click();
  await logs.expectQuery(LAST_MONTH);
  await expect(columns).toHaveCount(4);
});

test('filter by object and by words, then all filters are cleared', async ({ browse }) => {
  const logs = new AuditLogs(await browse('owner'));
  await logs.open(LAST_MONTH);
  const panel = await logs.pick('Object');
  await panel.getByLabel('Object').fill('member');
  await panel.getByRole('button', { name: 'Apply' }).click();
  await logs.expectQuery({ ...LAST_MONTH, object: 'member' });
  await expect(logs.chips).toHaveText(['object: member']);
  await logs.page.locator('#search').fill('member.updated');
  await logs.page.keyboard.press('Enter');
  await logs.expectQuery({ ...LAST_MONTH, object: 'member', q: 'member.updated' });
  await expect(logs.chips).toHaveText(['object: member', 'words: member.updated']);
  for (const action of await logs.actions.allInnerTexts()) expect(action).toBe('member.updated');
  await logs.page.getByRole('link', { name: 'Clear all' }).click();
  await logs.expectQuery(LAST_MONTH);
  await expect(logs.events).toHaveCount(50);
});

test('older and newer pages cover everything once', async ({ browse }) => {
  test.slow();
  const page = await browse('owner');
  const logs = new AuditLogs(page);
  await logs.open(LAST_MONTH);
  const count = await logs.count();
  const older = page.getByRole('link', { name: 'Older', disabled: false });
  const pages = [await logs.ids()];
  while (await older.isVisible()) {
    const before = page.url();
    await older.click();
    await expect(page).not.toHaveURL(before);
    await expect.poll(async () => (await logs.ids())[0]).not.toBe(pages.at(-1)?.[0]);
    pages.push(await logs.ids());
  }
  const all = pages.flat();
  expect(new Set(all).size, 'no event twice').toBe(all.length);
  expect(all.length, 'as many as the button says').toBe(count);
  await page.getByRole('link', { name: 'Newer' }).click();
  await expect.poll(() => logs.ids(), 'and the same way back').toEqual(pages.at(-2));
});

test('an event opens in place, with what changed first', async ({ browse, organization }) => {
  await join(organization, 'member', 'Helen Ling');
  const page = await browse(organization.owner);
  const logs = new AuditLogs(page, organization.slug);
  await visit(page, `/${organization.slug}/settings`);
  await page.getByLabel('Name').fill('West Computing');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByRole('status')).toHaveText('Saved.');

  await logs.open({ action: 'organization.updated' });
  const event = logs.events.first();
  await expect(event).toHaveAttribute('aria-expanded', 'false');
  await event.click();
  await expect(event).toHaveAttribute('aria-expanded', 'true');
  const changed = page.getByRole('table', { name: 'Changed fields' });
  await expect(changed.getByRole('row')).toHaveText([/Field/, /name.*West Computing/]);
  await expect(changed).toContainText(organization.name);
  await expect(page.getByText(/unchanged fields?$/)).toBeVisible();
  expect(logs.query()).toMatchObject({ action: 'organization.updated', event: expect.any(String) });
  await event.click();
  await expect(changed).toHaveCount(0);
  await logs.expectQuery({ action: 'organization.updated' });
});

test('the link to an event is copied, and opens it for somebody else', async ({ browse }) => {
  const page = await browse('owner');
  const logs = new AuditLogs(page);
  await logs.open(LAST_MONTH);
  const sentence = await logs.events.nth(3).innerText();
  await logs.events.nth(3).click();
  const copy = page.getByRole('link', { name: 'Copy link' });
  await copy.click();
  await expect(page.getByRole('link', { name: 'Link copied' })).toBeVisible();
  const search = page.locator('#search');
  await search.fill('');
  await search.press('Control+v');
  const link = await search.inputValue();
  expect(link).toBe(new URL(`${logs.path}?event=${logs.query().event}`, page.url()).href);

  const others = await browse('admin');
  expect((await others.goto(link))?.status()).toBe(200);
  await hydrated(others);
  await expect(others.locator('.detail')).toBeVisible();
  await expect(others.locator('.event-link[aria-expanded=true]')).toHaveText(sentence);
});

test('from an event to everything its actor did, and to the history of its object', async ({ browse }) => {
  const page = await browse('owner');
  const logs = new AuditLogs(page);
  await logs.open({ ...LAST_MONTH, action: 'member.updated' });
  const actor = await logs.table.locator('.who-text').first().innerText();
  await logs.events.first().click();
  await page.getByRole('link', { name: 'Everything this actor did' }).click();
  await expect(logs.chips).toHaveText([/^actor: /]);
  for (const other of await logs.table.locator('.who-text').allInnerTexts()) expect(other).toBe(actor);

  await logs.open({ ...LAST_MONTH, action: 'member.updated' });
  await logs.events.first().click();
  await page.getByRole('link', { name: 'History of this object' }).click();
  await expect(logs.chips).toHaveText([/^object: member:/]);
});

test('the keys: j and k, Enter, / and ?', async ({ browse }) => {
  const page = await browse('owner');
  const logs = new AuditLogs(page);
  await logs.open(LAST_MONTH);
  for (const key of ['j', 'j', 'j', 'k']) await page.keyboard.press(key);
  await expect(logs.events.nth(1)).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('.detail')).toBeVisible();
  await expect(logs.events.nth(1)).toHaveAttribute('aria-expanded', 'true');
  await expect(logs.events.nth(1), 'the focus stays where one reads').toBeFocused();
  await page.keyboard.press('/');
  await expect(page.locator('#search')).toBeFocused();
  await page.keyboard.type('j?');
  await expect(page.locator('#search'), 'letters are letters in there').toHaveValue('j?');
  await page.locator('h1').click();
  await page.keyboard.press('?');
  const keys = page.getByRole('dialog', { name: 'Keys' });
  await expect(keys).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(keys).toBeHidden();
});

test('when nothing matches it says which filter to drop', async ({ browse }) => {
  const page = await browse('owner');
  const logs = new AuditLogs(page);
  await logs.open({ ...LAST_MONTH, action: 'member.updated', q: 'zebracrossing' });
  await expect(page.getByRole('heading', { name: 'Nothing matches' })).toBeVisible();
  await expect(logs.table).toHaveCount(0);
  expect(await logs.count()).toBe(0);
  await expect(page.getByRole('link', { name: 'Drop action: member.updated' })).toBeVisible();
  await page.getByRole('link', { name: 'Drop words: zebracrossing' }).click();
  await logs.expectQuery({ ...LAST_MONTH, action: 'member.updated' });
  await expect(logs.events.first()).toBeVisible();
});

test('what is not understood is refused, naming what is allowed', async ({ browse }) => {
  const page = await browse('owner');
  const logs = new AuditLogs(page);
  for (const [query, message] of [
    [{ kind: 'changes' }, /one of change, login, operation and export/],
    [{ action: 'members.*' }, /or a group: .*member\.\*/],
    [{ range: 'fortnight' }, /one of 24h, 7d, 30d, 90d, month/],
    [{ tz: 'Mars' }, /an IANA name like Europe\/Berlin/],
    [{ page: '2' }, /no parameter “page”/],
  ] as const) {
    await logs.open(query, 422);
    await expect(page.getByRole('main')).toContainText(message);
  }
  await logs.open({ after: 'bm90IGEgY3Vyc29y' }, 400);
  await page.getByRole('link', { name: 'Start again without filters' }).click();
  await expect(logs.events.first()).toBeVisible();
});

test('an event that cannot be is 422 and one that is not here 404; the list is shown all the same', async ({ browse, organization }) => {
  const logs = new AuditLogs(await browse('owner'));
  await logs.open(LAST_MONTH);
  const ofAcme = (await logs.ids())[0].replace('event-', '');
  const linked = logs.page.getByRole('region', { name: 'Linked event' });
  for (const [event, status, message] of [
    ['7', 422, /named by its UUID/],
    ['00000000-0000-7000-8000-000000000000', 404, /nothing here/],
  ] as const) {
    await logs.open({ ...LAST_MONTH, event }, status);
    await expect(linked).toContainText(message);
    await expect(logs.events).toHaveCount(50);
  }
  await linked.getByRole('link', { name: 'Close' }).click();
  await expect(linked).toHaveCount(0);

  await new AuditLogs(await browse(organization.owner), organization.slug).open({ event: ofAcme }, 404);
});

test('the other formats close when one is chosen, with Escape and by a click elsewhere', async ({ browse }) => {
  const logs = new AuditLogs(await browse('owner'));
  await logs.open(LAST_MONTH);
  const opener = logs.page.locator('summary[aria-label="More formats"]');
  const format = logs.page.getByRole('link', { name: /^NDJSON/ });
  for (const leave of [
    () => Promise.all([logs.page.waitForEvent('download'), format.click()]),
    () => logs.page.keyboard.press('Escape'),
    () => logs.page.locator('h1').click(),
  ]) {
    await opener.click();
    await expect(format).toBeVisible();
    await leave();
    await expect(format).toBeHidden();
  }
});

test('everything is a kind too; several kinds, but not all, are a chip', async ({ browse }) => {
  const logs = new AuditLogs(await browse('owner'));
  await logs.open({ ...LAST_MONTH, kind: 'all' });
  await expect(logs.kind('Everything')).toHaveAttribute('aria-current', 'true');
  await expect(logs.chips).toHaveCount(0);
  await logs.open({ ...LAST_MONTH, kind: 'change,login' });
  await expect(logs.chips).toHaveText(['kind: change, login']);
  await logs.page.getByRole('link', { name: 'Clear all' }).click();
  await logs.expectQuery(LAST_MONTH);
});
