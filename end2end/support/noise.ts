// Whatever a browser complains about: each test fails on it.

import type { BrowserContext, ConsoleMessage, Response } from '@playwright/test';

import { runsScripts } from './scripts.ts';

const LOAD_FAILED = /^Failed to load resource: the server responded with a status of (\d{3})/;

// Chromium says so when it is itself who does not run the scripts that a page announces.
const OF_SCRIPTS_SWITCHED_OFF = /^request failed: \S+\.js csp$/;

// A matter of seconds: it is said of what waits longer for its use than Chromium likes, on a busy machine or without scripts.
const OF_PATIENCE = /^console warning: .* was preloaded using link preload but not used within a few seconds/;

/** Listens to contexts and keeps what went wrong in them. */
export class Noise {
  readonly #heard: string[] = [];
  readonly #refusedPages = new Set<string>();
  readonly #expected: RegExp[] = [];

  /** Console errors (a violated Content-Security-Policy is one) and warnings, page errors, failed requests. */
  listen(context: BrowserContext): void {
    this.#expected.push(OF_PATIENCE);
    if (!runsScripts()) this.#expected.push(OF_SCRIPTS_SWITCHED_OFF);
    context.on('console', (message) => this.#console(message));
    context.on('weberror', (error) => this.#heard.push(`page error: ${error.error()}`));
    context.on('response', (response) => this.#response(response));
    context.on('requestfailed', (request) => {
      const why = request.failure()?.errorText;
      // The browser itself let go: the page was left, or a navigation became a download.
      if (why !== 'net::ERR_ABORTED') this.#heard.push(`request failed: ${request.url()} ${why}`);
    });
  }

  /** Announces a complaint that belongs to what the test does. */
  expect(complaint: RegExp): void {
    this.#expected.push(complaint);
  }

  /** What nobody expected. A page's own status is for the test to judge; Chromium also notes it in the console. */
  unexpected(): string[] {
    const refused = [...this.#refusedPages].map((url) => `console error: page ${url}`);
    const surprising = this.#heard.filter((complaint) => !refused.some((page) => complaint.startsWith(page)));
    return surprising.filter((complaint) => !this.#expected.some((expected) => expected.test(complaint)));
  }

  #console(message: ConsoleMessage): void {
    if (message.type() === 'warning') this.#heard.push(`console warning: ${message.location().url} ${message.text()}`);
    if (message.type() !== 'error') return;
    const of = LOAD_FAILED.test(message.text()) ? `page ${message.location().url}` : message.location().url;
    this.#heard.push(`console error: ${of} ${message.text()}`);
  }

  #response(response: Response): void {
    if (response.status() < 400) return;
    if (response.request().isNavigationRequest()) this.#refusedPages.add(response.url());
    else this.#heard.push(`response ${response.status()}: ${response.url()}`);
  }
}
