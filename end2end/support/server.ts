// The product under test: `orgtrail demo` on a free loopback port, with a data folder of its own that goes with it.
//
// With END2END_URL and END2END_DATA_DIR set, a server that runs already is used instead and left alone.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const BINARY = process.env.END2END_BINARY ?? fileURLToPath(new URL('../../target/release/orgtrail', import.meta.url));

// Reachable for the unprivileged user that Postgres runs as, and short enough for the path of its socket.
const FOLDERS = '/tmp/orgtrail-end2end-';

const START_MS = 300_000;
const STOP_MS = 20_000;

/** Starts the server before the first test; what it returns is done after the last. */
export default async function start(): Promise<() => Promise<void>> {
  if (process.env.END2END_URL) return async () => {};
  const folder = await mkdtemp(FOLDERS);
  await chmod(folder, 0o755);
  const log = path.join(folder, 'server.log');
  process.env.END2END_DATA_DIR = path.join(folder, 'data');
  const output = await open(log, 'w');
  const server = spawn(BINARY, ['demo'], {
    env: { ...environment(), ORGTRAIL_ADDR: '127.0.0.1:0', ORGTRAIL_LOG: 'warn' },
    stdio: ['ignore', 'pipe', output.fd],
  });
  const listening = address(server);
  const stop = async () => {
    await output.close();
    await end(server);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    process.env.END2END_URL = await listening;
    await ready(process.env.END2END_URL);
  } catch (error) {
    const said = await readFile(log, 'utf8');
    await stop();
    throw new Error(`${BINARY} demo did not start: ${error}\n${said}`);
  }
  return stop;
}

/** `http://127.0.0.1:…` of the server. */
export function url(): string {
  return process.env.END2END_URL ?? '';
}

/** Runs another command of the product on the server's data, and gives back what it printed. */
export async function orgtrail(args: string[], more: NodeJS.ProcessEnv = {}): Promise<string> {
  const { stdout } = await promisify(execFile)(BINARY, args, { env: { ...environment(), ...more } });
  return stdout.trim();
}

/** What is set on this machine for another server must not reach this one. */
function environment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('ORGTRAIL_') && name !== 'DATABASE_URL');
  return { ...Object.fromEntries(inherited), ORGTRAIL_DATA_DIR: process.env.END2END_DATA_DIR };
}

/** The address that the server prints once it listens. */
function address(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = '';
    server.stdout?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      const listens = /listens on (http:\S+)/.exec(printed);
      if (listens) resolve(listens[1]);
    });
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`it ended with ${code}`)));
    setTimeout(() => reject(new Error(`it does not listen after ${START_MS} ms`)), START_MS).unref();
  });
}

async function ready(server: string): Promise<void> {
  const answer = await fetch(`${server}/readyz`);
  if (!answer.ok) throw new Error(`/readyz answers ${answer.status}`);
}

/** Asks it to stop, and waits until it has; one that does not is killed. */
async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGTERM');
  const patience = setTimeout(() => server.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(patience);
}
