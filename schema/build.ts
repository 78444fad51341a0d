/**
 * Writes plugind.schema.json, which the server reads and editors know. `npm run build:schema`;
 * test/config/schema.test.ts fails where the committed file is not what these sources make.
 */
import { writeFileSync } from 'node:fs';
import { jsonSchema } from './config-file.ts';

const file = new URL('../plugind.schema.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(jsonSchema(), null, 2)}\n`);
