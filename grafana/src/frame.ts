/**
 * What all dashboards have: the variables that choose a Prometheus, a job and an instance, marks
 * for rolls and restarts, and links to each other.
 */
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableHide,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { placeRows, type Row } from './layout.ts';
import { DATASOURCE } from './panels.ts';
import { increase, sumBy, TARGET } from './queries.ts';

export interface FrameOptions {
  /** Part of the address, so that links survive. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** Metrics whose series have every job and instance that the dashboard is about. */
  readonly subjects: readonly string[];
  /** Beside those three. */
  readonly variables: readonly QueryVariableBuilder[];
  readonly rows: readonly Row[];
}

const TAG = 'plugind';

export function frame(options: FrameOptions): Dashboard {
  const { uid, title, description, subjects, variables, rows } = options;
  const names = `__name__=~"${subjects.join('|')}"`;
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([TAG])
    .readonly()
    .timezone('browser')
    .time({ from: 'now-30m', to: 'now' })
    .refresh('10s')
    .tooltip(DashboardCursorSync.Crosshair)
    .annotations(annotations())
    .link(
      new DashboardLinkBuilder('plugind')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .asDropdown(false)
        .includeVars(true)
        .keepTime(true)
        .icon('external link')
        .tooltip('The other dashboards of plugind')
        .url(''),
    )
    .variables([
      new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'),
      labelVariable('job', 'Job', `label_values({${names}}, job)`),
      labelVariable('instance', 'Instance', `label_values({${names}, job=~"$job"}, instance)`),
      ...variables,
    ]);
  return withoutExtras({ ...builder.build(), panels: placeRows(rows) });
}

/**
 * The SDK fills in what Grafana's own schema has not: settings of interval variables in every
 * variable, and a place in a menu, where newer versions would hide links and marks.
 */
function withoutExtras(dashboard: Dashboard): Dashboard {
  const { templating, annotations: marks, links = [] } = dashboard;
  const variables = templating.list ?? [];
  return {
    ...dashboard,
    templating: {
      list: variables.map(({ auto, auto_min, auto_count, ...variable }) => variable),
    },
    annotations: { list: (marks.list ?? []).map(({ placement, ...mark }) => mark) },
    links: links.map(({ placement, ...link }) => link),
  };
}

/** A variable of a label's values: several or all, all to begin with. */
export function labelVariable(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .hide(VariableHide.DontHide)
    .datasource(DATASOURCE)
    .query(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.NaturalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.+')
    .current({ selected: true, text: ['All'], value: ['$__all'] });
}

function annotations(): AnnotationQueryBuilder[] {
  const mark = (name: string, iconColor: string, expr: string): AnnotationQueryBuilder =>
    new AnnotationQueryBuilder()
      .name(name)
      .datasource(DATASOURCE)
      .enable(true)
      .iconColor(iconColor)
      .target(new DataqueryBuilder().refId('Anno').datasource(DATASOURCE).expr(expr).range());
  return [
    mark('Rolls', 'blue', `${sumBy(['instance', 'result'], increase('plugind_rolls_total'))} > 0`)
      .titleFormat('roll {{result}}')
      .textFormat('{{instance}}'),
    mark(
      'Restarts',
      'red',
      `${sumBy(['instance', 'worker', 'reason'], increase('plugind_worker_restarts_total'))} > 0`,
    )
      .titleFormat('worker {{worker}} restarted: {{reason}}')
      .textFormat('{{instance}}'),
    // The sample's value is the time of the mark, so a start stands where it was.
    mark('Worker starts', 'green', `process_start_time_seconds{${TARGET}} * 1000`)
      .useValueForTime(true)
      .titleFormat('worker {{worker}} started')
      .textFormat('{{instance}}'),
  ];
}
