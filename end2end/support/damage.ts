// What only somebody with all powers over the database can do: the product under test has no way to it.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import type { Organization } from './people.ts';

/** Has the superuser of the server's Postgres run statements. */
async function superuser(sql: string): Promise<void> {
  const socket = await readFile(path.join(process.env.END2END_DATA_DIR ?? '', 'postgres.socket'), 'utf8');
  const to = ['--host', socket.trim(), '--username', 'postgres', '--dbname', 'orgtrail'];
  await promisify(execFile)('psql', ['--no-psqlrc', '--quiet', '--set', 'ON_ERROR_STOP=1', ...to, '--command', sql]);
}

/** Alters the first event of an organization past everything that guards it, which is put back, and has the server read all trails again. */
export async function damage({ slug }: Organization): Promise<void> {
  const parts = (setting: string) =>
    `for part in select relid from pg_partition_tree('orgtrail.events') loop execute format('alter table %s ${setting} trigger append_only', part); end loop;`;
  await superuser(`do $$ declare part regclass; begin
    ${parts('disable')}
    update orgtrail.events set actor_user_name = actor_user_name || ' the Second'
    where index = 0 and organization_id = (select id from orgtrail.organizations where slug = '${slug}');
    ${parts('enable always')}
  end $$`);
  await superuser(`delete from orgtrail.upkeep_jobs where job = 'integrity'`);
}
