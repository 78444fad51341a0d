/** Puts panels in rows on Grafana's grid of 24 columns and numbers them, in reading order. */
import type { Panel, RowPanel } from '@grafana/grafana-foundation-sdk/dashboard';
import type { UnplacedPanel } from './panels.ts';

export interface Row {
  readonly title: string;
  readonly panels: readonly UnplacedPanel[];
}

const COLUMNS = 24;

/** Panels wrap where a line is full; each line is as high as its highest panel. */
export function placeRows(rows: readonly Row[]): (Panel | RowPanel)[] {
  const placed: (Panel | RowPanel)[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    const gridPos = { x: 0, y, w: COLUMNS, h: 1 };
    placed.push({
      type: 'row',
      id: placed.length + 1,
      title,
      collapsed: false,
      gridPos,
      panels: [],
    });
    y += 1;
    let x = 0;
    let lineHeight = 0;
    for (const panel of panels) {
      const { width: w, height: h } = panel;
      if (x + w > COLUMNS) {
        x = 0;
        y += lineHeight;
        lineHeight = 0;
      }
      placed.push(panel.place(placed.length + 1, { x, y, w, h }));
      x += w;
      lineHeight = Math.max(lineHeight, h);
    }
    y += lineHeight;
  }
  return placed;
}
