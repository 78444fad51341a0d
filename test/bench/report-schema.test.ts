import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { formatReport, parseReport, reportJsonSchema } from '../../bench/runner/report-schema.ts';
import { ROOT } from '../helpers/paths.ts';
import { sampleContender, sampleReport, sampleScenario } from './samples.ts';

const RESULTS = path.join(ROOT, 'bench/results');

describe('the schema of results', () => {
  it('is what bench/results/schema.json holds (write it anew with bench/runner/write-schema.ts)', () => {
    const file = path.join(RESULTS, 'schema.json');
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), reportJsonSchema());
  });

  it('accepts every committed result', () => {
    const files = readdirSync(RESULTS).filter(
      (name) => name.endsWith('.json') && name !== 'schema.json',
    );
    for (const name of files) {
      parseReport(JSON.parse(readFileSync(path.join(RESULTS, name), 'utf8')));
    }
  });

  it('accepts a report and gives it back', () => {
    const report = sampleReport([sampleScenario('hello-100', [sampleContender('plugind', [1])])]);
    assert.deepEqual(parseReport(JSON.parse(formatReport(report))), report);
  });

  it('names the place of what it refuses', () => {
    const report = JSON.parse(formatReport(sampleReport([])));
    assert.throws(() => parseReport({ ...report, scenarios: [{}] }), /scenarios\/0/);
    assert.throws(() => parseReport({ ...report, more: 1 }), /not a bench result/);
    assert.throws(() => formatReport({ ...report, format: 2 }), /format/);
  });
});
