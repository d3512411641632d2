// PostGraphile over the table of events, as its documentation starts it: every column can be filtered and ordered by, and (organization,
// index) is the key, so that its cursors are places in an order, and no numbers of rows.

import { jsonPgSmartTags } from 'graphile-utils';
import { makePgService } from 'postgraphile/adaptors/pg';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';

export default {
  extends: [PostGraphileAmberPreset],
  disablePlugins: ['PgIndexBehaviorsPlugin', 'PgMutationCreatePlugin', 'PgMutationUpdateDeletePlugin'],
  plugins: [
    jsonPgSmartTags({
      version: 1,
      config: { class: { 'orgtrail.events': { tags: { primaryKey: 'organization_id,index' } } } },
    }),
  ],
  pgServices: [makePgService({ connectionString: process.env.DATABASE_URL, schemas: ['orgtrail'], pubsub: false })],
  grafserv: { host: '127.0.0.1', port: Number(process.env.PORT), watch: false, websockets: false, graphiql: false },
  grafast: { explain: false },
};
