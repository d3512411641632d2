// How the end-to-end tests run: which browser, how many at once, and what starts the server (support/server.ts).

import { defineConfig } from '@playwright/test';

// Tests that must come out the same whether the browser runs scripts or not.
const WITH_AND_WITHOUT_SCRIPTS = /(access-tokens|account|sign-in|sign-up|general|graphs|invites|members|teams)\.spec\.ts$/;
const WITHOUT_SCRIPTS = /without-javascript\.spec\.ts$/;

export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  globalSetup: './support/server.ts',
  // Tests of one file run one after another; two files at once.
  workers: 2,
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: process.env.CI ? 'list' : [['list'], ['html', { open: 'never' }]],
  use: {
    browserName: 'chromium',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    },
    locale: 'en-GB',
    // Far from UTC, so that a time in the wrong zone shows.
    timezoneId: 'America/New_York',
    viewport: { width: 1280, height: 900 },
    screenshot: 'only-on-failure',
  },
  projects: [
    { name: 'with JavaScript', testIgnore: WITHOUT_SCRIPTS },
    {
      name: 'without JavaScript',
      testMatch: [WITH_AND_WITHOUT_SCRIPTS, WITHOUT_SCRIPTS],
      use: { javaScriptEnabled: false },
    },
  ],
});
