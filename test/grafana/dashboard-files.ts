/** The generated dashboards as they are committed, reduced to what the tests look at. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../helpers/paths.ts';

export const DASHBOARD_DIR: string = path.join(ROOT, 'grafana/dashboards');

export interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat?: string;
  readonly datasource?: { readonly uid?: string };
}

export interface Override {
  readonly matcher: { readonly id: string; readonly options?: unknown };
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title?: string;
  readonly description?: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly datasource?: { readonly uid?: string };
  readonly targets?: readonly Target[];
  readonly options?: {
    readonly legend?: { readonly showLegend?: boolean; readonly show?: boolean };
  };
  readonly fieldConfig?: {
    readonly defaults: { readonly unit?: string };
    readonly overrides: readonly Override[];
  };
  readonly transformations?: readonly {
    readonly id: string;
    readonly options: { readonly include?: { readonly names?: readonly string[] } };
  }[];
}

export interface Variable {
  readonly name: string;
  readonly type: string;
  readonly label?: string;
  readonly query?: string;
  readonly datasource?: { readonly uid?: string };
  readonly multi?: boolean;
  readonly allValue?: string;
  readonly refresh?: number;
}

export interface Annotation {
  readonly name: string;
  readonly target: Target;
  readonly titleFormat: string;
  readonly textFormat: string;
  readonly useValueForTime?: boolean;
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly editable: boolean;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
  readonly annotations: { readonly list: readonly Annotation[] };
}

export function readDashboards(): Dashboard[] {
  return readdirSync(DASHBOARD_DIR)
    .sort()
    .map((file) => JSON.parse(readFileSync(path.join(DASHBOARD_DIR, file), 'utf8')) as Dashboard);
}

/** Without the rows. */
export function graphsOf({ panels }: Pick<Dashboard, 'panels'>): Panel[] {
  return panels.filter(({ type }) => type !== 'row');
}
