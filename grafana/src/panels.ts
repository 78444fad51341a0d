/**
 * Builders of the kinds of panel that the dashboards have. A panel says what it shows, for whom and
 * in which unit; place and numbers come from layout.ts. The SDK leaves legends off and refIds out,
 * so both are set here.
 */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  AxisPlacement,
  BigValueColorMode,
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type DataTransformerConfig,
  type GridPos,
  MappingType,
  type Panel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import {
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  HeatmapColorScale,
  PanelBuilder as HeatmapPanel,
  HeatmapTooltipBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatPanel } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimelinePanel } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeseriesPanel } from '@grafana/grafana-foundation-sdk/timeseries';

export const DATASOURCE: { readonly type: string; readonly uid: string } = {
  type: 'prometheus',
  uid: '$datasource',
};

/** Grafana's ids of units. */
export type Unit = 'bytes' | 'cps' | 'percentunit' | 'reqps' | 's' | 'short';

export interface Query {
  readonly expr: string;
  /** Legend, with labels as `{{label}}`. */
  readonly legend: string;
}

export interface PanelOptions {
  readonly title: string;
  readonly description: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Columns of 24. */
  readonly width: number;
}

export interface TimeseriesOptions extends PanelOptions {
  readonly isStacked?: boolean;
  /** Upper end of the axis where the values have one. */
  readonly max?: number;
  /** Legends, as a regular expression, that belong to an axis on the right, with its unit. */
  readonly rightAxis?: { readonly legends: string; readonly unit: Unit };
}

/** A panel without its place. */
export interface UnplacedPanel {
  readonly width: number;
  readonly height: number;
  place(id: number, gridPos: GridPos): Panel;
}

const GRAPH_HEIGHT = 8;
const STAT_HEIGHT = 4;

interface PlaceableBuilder extends Builder<Panel> {
  id(id: number): this;
  gridPos(gridPos: GridPos): this;
}

function unplaced(builder: PlaceableBuilder, width: number, height: number): UnplacedPanel {
  return { width, height, place: (id, gridPos) => builder.id(id).gridPos(gridPos).build() };
}

/** Queries with refIds A, B, C, …. */
function targets(queries: readonly Query[]): DataqueryBuilder[] {
  return queries.map(({ expr, legend }, index) =>
    new DataqueryBuilder()
      .refId(String.fromCharCode('A'.charCodeAt(0) + index))
      .datasource(DATASOURCE)
      .expr(expr)
      .legendFormat(legend)
      .range(),
  );
}

function tableLegend(): VizLegendOptionsBuilder {
  return new VizLegendOptionsBuilder()
    .showLegend(true)
    .displayMode(LegendDisplayMode.Table)
    .placement(LegendPlacement.Bottom)
    .calcs(['lastNotNull', 'max']);
}

function allSeriesTooltip(): VizTooltipOptionsBuilder {
  return new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending);
}

export function timeseries(options: TimeseriesOptions): UnplacedPanel {
  const { title, description, unit, queries, width, isStacked = false, max, rightAxis } = options;
  const panel = new TimeseriesPanel()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit(unit)
    .min(0)
    .legend(tableLegend())
    .tooltip(allSeriesTooltip())
    .showPoints(VisibilityMode.Never)
    .lineWidth(1)
    .fillOpacity(isStacked ? 40 : 5)
    .targets(targets(queries));
  if (isStacked) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
  if (max !== undefined) panel.max(max);
  if (rightAxis !== undefined) {
    panel.overrideByRegexp(`/${rightAxis.legends}/`, [
      { id: 'unit', value: rightAxis.unit },
      { id: 'custom.axisPlacement', value: AxisPlacement.Right },
      { id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 4] } },
    ]);
  }
  return unplaced(panel, width, GRAPH_HEIGHT);
}

export interface StatOptions extends PanelOptions {
  /** Shown where the query answers nothing, as on an idle server. */
  readonly noValue: string;
  /** Above the first orange, above the second red. */
  readonly thresholds?: readonly [number, number];
}

export function stat(options: StatOptions): UnplacedPanel {
  const { title, description, unit, queries, width, noValue, thresholds } = options;
  const steps = [{ value: null, color: 'green' }];
  const [warning, critical] = thresholds ?? [];
  const limits = [
    ...(warning === undefined ? [] : [{ value: warning, color: 'orange' }]),
    ...(critical === undefined ? [] : [{ value: critical, color: 'red' }]),
  ];
  const panel = new StatPanel()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit(unit)
    .noValue(noValue)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('').values(false))
    .graphMode(BigValueGraphMode.Area)
    .colorMode(BigValueColorMode.Value)
    .thresholds(
      new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([...steps, ...limits]),
    )
    .targets(targets(queries));
  return unplaced(panel, width, STAT_HEIGHT);
}

/** A band a series: text and colour by value. */
export function stateTimeline(
  options: PanelOptions & {
    readonly states: Readonly<Record<string, { readonly text: string; readonly color: string }>>;
  },
): UnplacedPanel {
  const { title, description, unit, queries, width, states } = options;
  const panel = new StateTimelinePanel()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit(unit)
    .mappings([{ type: MappingType.ValueToText, options: states }])
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .calcs([]),
    )
    .tooltip(allSeriesTooltip())
    .showValue(VisibilityMode.Never)
    .targets(targets(queries));
  return unplaced(panel, width, GRAPH_HEIGHT);
}

/** Of a histogram's buckets: the query sums their increase by `le`. */
export function heatmap(options: Omit<PanelOptions, 'queries'> & { expr: string }): UnplacedPanel {
  const { title, description, unit, width, expr } = options;
  const [target] = targets([{ expr, legend: '{{le}}' }]);
  if (target === undefined) throw new Error('a heatmap has one query');
  const panel = new HeatmapPanel()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .calculate(false)
    .yAxis(new YAxisConfigBuilder().unit(unit).axisPlacement(AxisPlacement.Left))
    .color(
      new HeatmapColorOptionsBuilder()
        .mode(HeatmapColorMode.Scheme)
        .scheme('Spectral')
        .scale(HeatmapColorScale.Exponential)
        .exponent(0.5)
        .fill('dark-orange')
        .steps(64)
        .reverse(true),
    )
    .tooltip(new HeatmapTooltipBuilder().mode(TooltipDisplayMode.Single).yHistogram(true))
    .showLegend()
    .unit(unit)
    .targets([target.format(PromQueryFormat.Heatmap)]);
  return unplaced(panel, width, GRAPH_HEIGHT);
}

/** Labels as columns, one row a series, as it is now. */
export function table(
  options: Omit<PanelOptions, 'queries'> & {
    expr: string;
    /** Label -> title of its column, in their order; other columns are left out. */
    columns: Readonly<Record<string, string>>;
  },
): UnplacedPanel {
  const { title, description, unit, width, expr, columns } = options;
  const [target] = targets([{ expr, legend: '' }]);
  if (target === undefined) throw new Error('a table has one query');
  const names = Object.keys(columns);
  const keep: DataTransformerConfig = {
    id: 'filterFieldsByName',
    options: { include: { names } },
  };
  const organize: DataTransformerConfig = {
    id: 'organize',
    options: {
      excludeByName: {},
      indexByName: Object.fromEntries(names.map((name, index) => [name, index])),
      renameByName: columns,
    },
  };
  const panel = new TablePanel()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit(unit)
    .transformations([keep, organize])
    .targets([target.instant().format(PromQueryFormat.Table)]);
  return unplaced(panel, width, GRAPH_HEIGHT);
}
