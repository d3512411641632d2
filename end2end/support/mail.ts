// What the server mailed: without a mail server each mail is a file in the outbox of its data folder.

import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';

import { expect } from '@playwright/test';

/** The path of the newest link to `page` (`/invites`, `/reset` …) that was mailed to an address; waits for the mail. */
export async function mailedLink(address: string, page: string): Promise<string> {
  const link = new RegExp(`${page}/[A-Za-z0-9_-]{43}`);
  let found: string | undefined;
  const look = async () => {
    const mails = await mailsTo(address);
    found = mails.map((mail) => link.exec(mail)?.[0]).filter((match) => match !== undefined).at(-1);
    return found !== undefined;
  };
  await expect.poll(look, { message: `a link to ${page} was mailed to ${address}` }).toBe(true);
  return found ?? '';
}

/** The mails to an address, oldest first. */
async function mailsTo(address: string): Promise<string[]> {
  const outbox = path.join(process.env.END2END_DATA_DIR ?? '', 'outbox');
  const names = await readdir(outbox).catch(() => []);
  const files = names.filter((name) => name.endsWith('.eml')).sort();
  const mails = await Promise.all(files.map((name) => readFile(path.join(outbox, name), 'utf8')));
  return mails.filter((mail) => mail.includes(`To: ${address}\r\n`)).map(plain);
}

/** Quoted-printable text (RFC 2045) without the breaks that it adds to long lines. */
function plain(mail: string): string {
  return mail.replaceAll('=\r\n', '');
}
