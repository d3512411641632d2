// Programs that download without a browser: curl, wget and Python's own library.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import type { Person } from './people.ts';
import { url } from './server.ts';

const run = promisify(execFile);

/** What a program got. */
export interface Got {
  status: number;
  contentType: string;
  body: Buffer;
}

/** Signs in with curl; gives back its cookie jar. */
export async function curlSignIn({ email, password }: Person, folder: string): Promise<string> {
  const jar = path.join(folder, 'cookies.txt');
  const fields = ['--data-urlencode', `email=${email}`, '--data-urlencode', `password=${password}`];
  await run('curl', ['--silent', '--fail', '--cookie-jar', jar, ...fields, `${url()}/api/login`]);
  return jar;
}

/** Downloads with curl: with a cookie jar, or with `Authorization: Bearer`. */
export async function curl(target: string, folder: string, credential: string[] = []): Promise<Got> {
  const file = path.join(folder, 'curl.out');
  const write = ['--silent', '--output', file, '--write-out', '%{http_code} %{content_type}'];
  const { stdout } = await run('curl', [...write, ...credential, url() + target]);
  const [status, ...contentType] = stdout.split(' ');
  return { status: Number(status), contentType: contentType.join(' '), body: await readFile(file) };
}

/** Downloads with wget and an access token. */
export async function wget(target: string, folder: string, token: string): Promise<Buffer> {
  const file = path.join(folder, 'wget.out');
  await run('wget', ['--quiet', '--output-document', file, `--header=Authorization: Bearer ${token}`, url() + target]);
  return readFile(file);
}

const PYTHON = `
import csv, io, json, sys, urllib.request
request = urllib.request.Request(sys.argv[1], headers={"Authorization": "Bearer " + sys.argv[2]})
with urllib.request.urlopen(request) as response:
    text = io.TextIOWrapper(response, encoding="utf-8", newline="")
    print(json.dumps(list(csv.reader(text, strict=True))))
`;

/** The records that Python's csv module reads, fetched with an access token. */
export async function python(target: string, token: string): Promise<string[][]> {
  const { stdout } = await run('python3', ['-c', PYTHON, url() + target, token], { maxBuffer: 256 * 1024 * 1024 });
  return JSON.parse(stdout);
}
