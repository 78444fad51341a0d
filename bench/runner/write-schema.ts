/** Writes bench/results/schema.json: node --import tsx bench/runner/write-schema.ts */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../contenders.ts';
import { reportJsonSchema } from './report-schema.ts';

const file = path.join(ROOT, 'bench/results/schema.json');
writeFileSync(file, `${JSON.stringify(reportJsonSchema(), null, 2)}\n`);
