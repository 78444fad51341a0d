/**
 * The rules of https://github.com/grafana/dashboard-linter that mean something for Prometheus
 * dashboards, and those of the layout. Written anew: the linter is a Go program.
 */
import {
  type Dashboard,
  graphsOf,
  type Panel,
  type Target,
  type Variable,
} from './dashboard-files.ts';
import { labelsIn, parseLabelValues, parsePromql } from './promql.ts';

const COLUMNS = 24;
const UNITS = ['bytes', 'cps', 'percentunit', 'reqps', 's', 'short'];
const REFRESH_ON_TIME_CHANGE = 2;

/** What is wrong, each as `rule: where: what`. */
export function lintDashboard(dashboard: Dashboard): string[] {
  const problems: string[] = [];
  const say = (rule: string, where: string, what: string): void => {
    problems.push(`${rule}: ${where}: ${what}`);
  };
  if (dashboard.editable) say('uneditable', dashboard.title, 'is editable');
  lintVariables(dashboard, say);
  for (const panel of graphsOf(dashboard)) {
    lintPanel(panel, say);
    for (const target of panel.targets ?? []) lintTarget(panel, target, say);
  }
  lintLayout(dashboard.panels, say);
  return problems;
}

type Say = (rule: string, where: string, what: string) => void;

function lintVariables({ title, templating }: Dashboard, say: Say): void {
  const byName = new Map(templating.list.map((variable) => [variable.name, variable]));
  const datasource = byName.get('datasource');
  if (datasource?.type !== 'datasource' || datasource.query !== 'prometheus') {
    say('template-datasource', title, 'has no variable datasource of type prometheus');
  } else if (datasource.label !== 'Data source') {
    say('template-datasource', title, `is labelled ${datasource.label}`);
  }
  for (const name of ['job', 'instance']) {
    if (!byName.has(name)) say(`template-${name}`, title, `has no variable ${name}`);
  }
  for (const variable of templating.list.filter(({ type }) => type === 'query')) {
    lintQueryVariable(variable, say);
  }
}

function lintQueryVariable(variable: Variable, say: Say): void {
  const { name, label, multi, allValue, refresh, query = '' } = variable;
  const rule = name === 'job' || name === 'instance' ? `template-${name}` : 'template-query';
  if (variable.datasource?.uid !== '$datasource') say(rule, name, 'does not use $datasource');
  if (label === undefined || !/^[A-Z]/.test(label)) say(rule, name, `is labelled ${label}`);
  if (multi !== true) say(rule, name, 'is not a multi select');
  if (allValue !== '.+') say(rule, name, `has allValue ${allValue}`);
  if (refresh !== REFRESH_ON_TIME_CHANGE) {
    say('template-on-time-change-reload', name, `refreshes ${refresh}`);
  }
  try {
    parsePromql(parseLabelValues(query).selector);
  } catch (error) {
    say('template-label-promql', name, (error as Error).message);
  }
}

function lintPanel(panel: Panel, say: Say): void {
  const { title = '', description = '', targets = [], fieldConfig, options } = panel;
  const where = `panel ${panel.id} ${title}`;
  if (title === '') say('panel-title-description', where, 'has no title');
  if (description === '') say('panel-title-description', where, 'has no description');
  if (panel.datasource?.uid !== '$datasource') {
    say('panel-datasource', where, 'does not use $datasource');
  }
  if (!UNITS.includes(fieldConfig?.defaults.unit ?? '')) {
    say('panel-units', where, `has the unit ${fieldConfig?.defaults.unit}`);
  }
  if (targets.length === 0) say('panel-no-targets', where, 'has no query');
  const refIds = targets.map(({ refId }) => refId);
  if (new Set(refIds).size < refIds.length || refIds.includes('')) {
    say('panel-ref-ids', where, `has the refIds ${refIds.join(', ')}`);
  }
  const hasLegend = ['timeseries', 'state-timeline'].includes(panel.type);
  if (hasLegend && options?.legend?.showLegend !== true) say('panel-legend', where, 'has none');
}

function lintTarget(panel: Panel, target: Target, say: Say): void {
  const where = `panel ${panel.id} ${panel.title} ${target.refId}`;
  if (target.datasource?.uid !== '$datasource') {
    say('panel-datasource', where, 'does not use $datasource');
  }
  let parsed: ReturnType<typeof parsePromql>;
  try {
    // A range is no variable to the parser.
    parsed = parsePromql(target.expr.replaceAll('$__rate_interval', '8869990787ms'));
  } catch (error) {
    say('target-promql', where, (error as Error).message);
    return;
  }
  for (const { metrics, matchers } of parsed.selectors) {
    for (const name of ['job', 'instance']) {
      const wanted = `${name}=~"$${name}"`;
      if (!matchers.includes(wanted)) say(`target-${name}`, where, `${metrics} lacks ${wanted}`);
    }
  }
  for (const { function: name, range } of parsed.ranges) {
    if (range !== '8869990787ms') say('target-rate-interval', where, `${name} over ${range}`);
  }
  for (const name of parsed.bareCounters) say('target-counter-agg', where, `${name} is not a rate`);
  const legend = target.legendFormat ?? '';
  if (legend === '' && panel.type !== 'table') say('target-legend', where, 'has no legend');
  const labels = labelsIn(legend);
  if (labels.includes('worker') && !labels.includes('instance')) {
    say('target-legend', where, 'does not tell the workers of two instances apart');
  }
}

function lintLayout(panels: readonly Panel[], say: Say): void {
  const ids = panels.map(({ id }) => id);
  if (new Set(ids).size < ids.length || ids.some((id) => !(id > 0))) {
    say('layout-ids', 'dashboard', `has the ids ${ids.join(', ')}`);
  }
  if (panels[0]?.type !== 'row') say('layout-rows', 'dashboard', 'does not begin with a row');
  for (const [index, panel] of panels.entries()) {
    const { x, y, w, h } = panel.gridPos;
    const where = `panel ${panel.id} ${panel.title}`;
    if (x < 0 || y < 0 || w < 1 || h < 1 || x + w > COLUMNS) {
      say('layout-grid', where, `is at ${x}, ${y} with ${w} x ${h}`);
    }
    if (panel.type === 'row' && w !== COLUMNS) say('layout-rows', where, 'is no whole line');
    for (const other of panels.slice(index + 1)) {
      const that = other.gridPos;
      const isApart =
        x + w <= that.x || that.x + that.w <= x || y + h <= that.y || that.y + that.h <= y;
      if (!isApart) say('layout-overlap', where, `overlaps panel ${other.id}`);
    }
  }
}
