// The range picker: presets, two months of days by mouse and by keyboard, typed dates, zones, and the 90 days.

import type { Page } from '@playwright/test';

import { AuditLogs, dayAgo } from '../support/audit-logs.ts';
import { expect, test } from '../support/test.ts';

function day(page: Page, iso: string) {
  return page.locator(`.calendar [data-day="${iso}"]`);
}

function focusedDay(page: Page): Promise<string | null | undefined> {
  return page.evaluate(() => document.activeElement?.getAttribute('data-day'));
}

async function turnTo(page: Page, iso: string): Promise<void> {
  while (!(await day(page, iso).isVisible())) await page.getByRole('button', { name: 'Earlier month' }).click();
}

test('presets', async ({ browse }) => {
  const logs = new AuditLogs(await browse('owner'));
  await logs.open({ kind: 'all' });
  for (const [name, range, days] of [
    ['Last 24 hours', '24h', 1],
    ['Last 7 days', '7d', 6],
    ['This month', 'month', 30],
    ['Last 90 days', '90d', 89],
  ] as const) {
    const dialog = await logs.openRange();
    await dialog.getByRole('link', { name }).click();
    await logs.expectQuery({ kind: 'all', range });
    await expect(logs.page.locator('.range-menu > summary')).toContainText(name);
    await logs.expectTimes((time) => time >= dayAgo(days));
  }
});

test('a range by mouse, in whatever order the days are clicked', async ({ browse }) => {
  const logs = new AuditLogs(await browse('owner'));
  await logs.open();
  const [first, last] = [dayAgo(25), dayAgo(18)];
  const dialog = await logs.openRange();
  await turnTo(logs.page, first);
  await day(logs.page, last).click();
  await day(logs.page, first).click();
  await expect(dialog.getByLabel('First day')).toHaveValue(first);
  await expect(dialog.getByLabel('Last day')).toHaveValue(last);
  await dialog.getByRole('button', { name: 'Show' }).click();
  await logs.expectQuery({ start: first, end: last, tz: 'UTC' });
  await expect(dialog).toBeHidden();
  await logs.expectTimes((time) => time.slice(0, 10) >= first && time.slice(0, 10) <= last);
  expect((await logs.times()).length).toBeGreaterThan(0);
});

test('a range by keyboard alone', async ({ browse }) => {
  const logs = new AuditLogs(await browse('owner'));
  await logs.open();
  const { page } = logs;
  const press = async (...keys: string[]) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  await page.locator('.range-menu > summary').focus();
  await press('Enter');
  await expect.poll(() => focusedDay(page)).toBe(dayAgo(0));
  await press('ArrowUp', 'ArrowUp', 'ArrowLeft');
  await expect.poll(() => focusedDay(page)).toBe(dayAgo(15));
  await press('Enter');
  await press('ArrowRight', 'ArrowDown');
  await expect.poll(() => focusedDay(page)).toBe(dayAgo(7));
  await press('Enter');
  await expect(page.getByLabel('First day')).toHaveValue(dayAgo(15));
  await expect(page.getByLabel('Last day')).toHaveValue(dayAgo(7));
  for (let tab = 0; tab < 20; tab += 1) {
    await press('Tab');
    if (await page.getByRole('button', { name: 'Show' }).evaluate((button) => button === document.activeElement)) break;
  }
  await press('Enter');
  await logs.expectQuery({ start: dayAgo(15), end: dayAgo(7), tz: 'UTC' });
});

test('Escape closes the picker and gives the focus back', async ({ browse }) => {
  const logs = new AuditLogs(await browse('owner'));
  await logs.open();
  const dialog = await logs.openRange();
  await expect.poll(() => focusedDay(logs.page)).toBe(dayAgo(0));
  await logs.page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(logs.page.locator('.range-menu > summary')).toBeFocused();
});

test('days outside of the 90 are grey, say why, and cannot be chosen', async ({ browse }) => {
  const logs = new AuditLogs(await browse('owner'));
  await logs.open({ start: dayAgo(3), end: dayAgo(2) });
  const dialog = await logs.openRange();
  await expect(dialog).toContainText(/Events are kept for 90 days: days before .* are gone, and days after .* have not come yet/);
  const tomorrow = day(logs.page, dayAgo(-1));
  // On the last day of a month tomorrow is on a page that cannot be turned to.
  if ((await tomorrow.count()) > 0) {
    await expect(tomorrow).toHaveAttribute('aria-disabled', 'true');
    await expect(tomorrow).toHaveAccessibleName(/not yet come/);
  }
  await turnTo(logs.page, dayAgo(90));
  await expect(day(logs.page, dayAgo(89))).not.toHaveAttribute('aria-disabled');
  const gone = day(logs.page, dayAgo(90));
  await expect(gone).toHaveAttribute('aria-disabled', 'true');
  await expect(gone).toHaveAccessibleName(/no longer kept/);
  await gone.click({ force: true });
  await expect(dialog.getByLabel('First day')).toHaveValue(dayAgo(3));
  await expect(dialog.getByLabel('Last day')).toHaveValue(dayAgo(2));
});

test('the keyboard stops at the first day that is kept', async ({ browse }) => {
  const logs = new AuditLogs(await browse('owner'));
  await logs.open({ start: dayAgo(3), end: dayAgo(2) });
  await logs.openRange();
  await expect.poll(() => focusedDay(logs.page)).toBe(dayAgo(2));
  for (const key of ['PageUp', 'PageUp', 'PageUp', 'PageUp', 'ArrowLeft', 'ArrowUp']) await logs.page.keyboard.press(key);
  await expect.poll(() => focusedDay(logs.page)).toBe(dayAgo(89));
  await logs.page.keyboard.press('ArrowRight');
  await expect.poll(() => focusedDay(logs.page)).toBe(dayAgo(88));
});

test('whatever months are shown, one can tab into them, and arrows go on from the day that has the focus', async ({ browse }) => {
  const logs = new AuditLogs(await browse('owner'));
  await logs.open({ start: dayAgo(3), end: dayAgo(2) });
  await logs.openRange();
  await turnTo(logs.page, dayAgo(89));
  await expect(logs.page.locator('.calendar [data-day][tabindex="0"]')).toHaveCount(1);
  await logs.page.locator(`[data-day="${dayAgo(88)}"]`).focus();
  await logs.page.keyboard.press('ArrowRight');
  await expect.poll(() => focusedDay(logs.page)).toBe(dayAgo(87));
});

test('a typed range that is too long is refused with the days that are allowed', async ({ browse, noise }) => {
  const logs = new AuditLogs(await browse('owner'));
  const allowed = `Choose days from ${dayAgo(89)} to ${dayAgo(0)} (UTC), at most 90 of them.`;
  for (const [start, end, wrong] of [
    [dayAgo(100), dayAgo(0), '101 days'],
    [dayAgo(95), dayAgo(94), 'too long ago'],
    [dayAgo(1), dayAgo(2), 'before the first'],
    [dayAgo(1), dayAgo(-1), 'in the future'],
    ['2026-02-30', dayAgo(1), 'There is no day 2026-02-30'],
  ]) {
    await logs.open({ start, end }, 422);
    await expect(logs.page.getByRole('main')).toContainText(wrong);
    await expect(logs.page.getByRole('main')).toContainText(allowed);
  }

  await logs.open();
  const dialog = await logs.openRange();
  const start = dialog.getByLabel('First day');
  await start.fill(dayAgo(100));
  await dialog.getByRole('button', { name: 'Show' }).click();
  expect(await start.evaluate((input: HTMLInputElement) => input.validity.rangeUnderflow), 'the browser says so first').toBe(true);
  await logs.expectQuery({});

  noise.expect(/422/);
  await start.evaluate((input: HTMLInputElement) => input.removeAttribute('min'));
  await dialog.getByRole('button', { name: 'Show' }).click();
  await expect(logs.page.getByRole('main')).toContainText(allowed);
});

test('times in the own zone and back', async ({ browse }) => {
  const logs = new AuditLogs(await browse('owner'));
  await logs.open({ start: dayAgo(30), end: dayAgo(1) });
  const time = logs.table.locator('.cell-time time').first();
  const utc = await time.innerText();
  const moment = new Date((await time.getAttribute('datetime')) ?? '');
  const inNewYork = moment.toLocaleTimeString('en-GB', { timeZone: 'America/New_York' });
  await logs.page.getByRole('button', { name: 'Time (UTC)' }).click();
  await expect(logs.page.getByRole('button', { name: 'Time (America/New_York)' })).toBeVisible();
  await expect(time).toContainText(inNewYork);
  await logs.page.getByRole('button', { name: 'Time (America/New_York)' }).click();
  await expect(time).toHaveText(utc);
});

test('the zone of the days is chosen with them, and shown', async ({ browse }) => {
  const logs = new AuditLogs(await browse('owner'));
  await logs.open();
  const dialog = await logs.openRange();
  await expect(dialog.getByLabel('Zone').locator('option[value="America/New_York"]')).toHaveCount(1);
  await dialog.getByLabel('First day').fill(dayAgo(20));
  await dialog.getByLabel('Last day').fill(dayAgo(20));
  await dialog.getByLabel('Zone').selectOption('Asia/Tokyo');
  await dialog.getByRole('button', { name: 'Show' }).click();
  await logs.expectQuery({ start: dayAgo(20), end: dayAgo(20), tz: 'Asia/Tokyo' });
  await expect(logs.page.locator('.range-menu > summary')).toContainText('Asia/Tokyo');
  const from = new Date(`${dayAgo(20)}T00:00:00+09:00`);
  const to = new Date(from.getTime() + 86_400_000);
  await logs.expectTimes((time) => new Date(time) >= from && new Date(time) < to);
});
