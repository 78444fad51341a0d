/**
 * Writes plugind.schema.json anew: `node --import tsx test/config/write-schema.ts`.
 * schema.test.ts fails where the committed file and the schema differ.
 */
import { writeFileSync } from 'node:fs';
import { jsonSchema } from '../../src/config/schema.ts';

const file = new URL('../../plugind.schema.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(jsonSchema(), null, 2)}\n`);
