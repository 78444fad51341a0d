/** The shipped rules and their tests, read. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { ROOT } from '../helpers/paths.ts';

export const GRAFANA_DIR: string = path.join(ROOT, 'grafana');

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface RuleTest {
  readonly name: string;
  readonly alert_rule_test: readonly {
    readonly alertname: string;
    readonly exp_alerts: readonly unknown[];
  }[];
}

export const RULE_FILES: readonly string[] = ymlFiles('rules');
export const RULE_TEST_FILES: readonly string[] = ymlFiles('rules/tests');

function ymlFiles(folder: string): string[] {
  const dir = path.join(GRAFANA_DIR, folder);
  return readdirSync(dir)
    .filter((file) => file.endsWith('.yml'))
    .sort()
    .map((file) => path.join(dir, file));
}

/** @throws Error of the parser when the file is not YAML. */
export function readYaml(file: string): unknown {
  return parse(readFileSync(file, 'utf8'));
}

export function readRules(): Rule[] {
  return RULE_FILES.flatMap((file) => {
    const { groups } = readYaml(file) as { groups: { rules: Rule[] }[] };
    return groups.flatMap(({ rules }) => rules);
  });
}

export function readRuleTests(): RuleTest[] {
  return RULE_TEST_FILES.flatMap((file) => (readYaml(file) as { tests: RuleTest[] }).tests);
}
