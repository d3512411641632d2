// Whether the browsers of this project run the pages' scripts.

import { test } from '@playwright/test';

/** True but for the project "without JavaScript". */
export function runsScripts(): boolean {
  return test.info().project.use.javaScriptEnabled !== false;
}
