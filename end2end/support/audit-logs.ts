// Settings → Audit Logs, as the tests drive it.

import type { Locator, Page } from '@playwright/test';

import { ACME } from './people.ts';
import { expect, visit } from './test.ts';

const DAY_MS = 86_400_000;

/** The day `days` ago in UTC, as `YYYY-MM-DD`. Days before today do not change any more, so two tests can read them at once. */
export function dayAgo(days: number): string {
  return new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);
}

/** The page of one organization in one browser. */
export class AuditLogs {
  readonly page: Page;
  readonly path: string;
  readonly table: Locator;
  /** One link per event, newest first. */
  readonly events: Locator;
  /** The dotted names in the rows. */
  readonly actions: Locator;
  readonly chips: Locator;
  readonly download: Locator;

  constructor(page: Page, slug = ACME) {
    this.page = page;
    this.path = `/${slug}/settings/audit-logs`;
    this.table = page.getByRole('table', { name: 'Events, newest first' });
    this.events = this.table.locator('.event-link');
    this.actions = this.table.locator('.event-line code');
    this.chips = page.getByRole('list', { name: 'Filters' }).locator('.chip');
    this.download = page.getByRole('link', { name: /^Download CSV/ });
  }

  async open(query: Record<string, string> = {}, status = 200): Promise<void> {
    const search = new URLSearchParams(query).toString();
    await visit(this.page, search ? `${this.path}?${search}` : this.path, status);
  }

  /** The query of the page, as an object. */
  query(): Record<string, string> {
    return Object.fromEntries(new URL(this.page.url()).searchParams);
  }

  /** Waits until the URL says exactly this. */
  async expectQuery(query: Record<string, string>): Promise<void> {
    await expect.poll(() => this.query()).toEqual(query);
  }

  /** Ids of the events on this page. */
  async ids(): Promise<string[]> {
    return this.table.locator('[id^=event-]').evaluateAll((rows) => rows.map((row) => row.id));
  }

  /** The moments of the rows, RFC 3339. */
  async times(): Promise<string[]> {
    return this.table.locator('.cell-time time').evaluateAll((times) => times.map((time) => time.getAttribute('datetime') ?? ''));
  }

  /** Waits until the list has come whose rows all belong where they should; the one before is there until then. */
  async expectTimes(belongs: (time: string) => boolean): Promise<void> {
    await expect.poll(async () => (await this.times()).filter((time) => !belongs(time))).toEqual([]);
  }

  /** How many events the download will contain, as its button says. */
  async count(): Promise<number> {
    await expect(this.download).toContainText(/· [\d,]+ events?$/);
    const text = await this.download.innerText();
    return Number(/· ([\d,]+) event/.exec(text)?.[1].replaceAll(',', ''));
  }

  /** The link to the table of one kind, or of everything. */
  kind(name: string): Locator {
    return this.page.getByRole('navigation', { name: 'Kinds of events' }).getByRole('link', { name, exact: true });
  }

  /** Opens one of the pickers: Actor, Action or Object. */
  async pick(picker: string): Promise<Locator> {
    const menu = this.page.locator('details.menu').filter({ has: this.page.locator('summary', { hasText: new RegExp(`^\\s*${picker}`) }) });
    await menu.locator('summary').click();
    return menu.locator('.panel');
  }

  /** Opens the range picker. */
  async openRange(): Promise<Locator> {
    await this.page.locator('.range-menu > summary').click();
    const dialog = this.page.getByRole('dialog', { name: 'Choose a range' });
    await expect(dialog).toBeVisible();
    return dialog;
  }
}
