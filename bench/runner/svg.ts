/**
 * Just enough SVG for the bench's charts: a card with a title, bars, and lines over two axes. Colours
 * follow the reader's light or dark theme, and the card has a ground of its own, so that it reads on any page.
 */

export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Ours stands out. */
  readonly isOurs: boolean;
}

export interface Line {
  readonly label: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Holds each value until the next point, as a histogram's shares do. */
  readonly isStepped?: boolean;
}

export interface Axis {
  readonly title: string;
  readonly isLog: boolean;
  readonly ticks: readonly (readonly [value: number, label: string])[];
}

const WIDTH = 760;
const FONT = 'system-ui, -apple-system, "Segoe UI", sans-serif';
/** Distinct for colour-blind readers too (Okabe and Ito), bright enough for both grounds. */
const COLOURS = ['#2f81d7', '#d55e00', '#009e73', '#cc79a7', '#b58900', '#56b4e9'];

const STYLE = `
    .card { fill: #ffffff; stroke: #d0d7de }
    text { fill: #1f2328; font-family: ${FONT.replaceAll('"', "'")}; font-size: 13px }
    .title { font-size: 16px; font-weight: 600 }
    .faint { fill: #59636e }
    .grid { stroke: #d0d7de }
    .spread { stroke: #1f2328 }
    @media (prefers-color-scheme: dark) {
      .card { fill: #161b22; stroke: #3d444d }
      text { fill: #e6edf3 }
      .faint { fill: #9198a1 }
      .grid { stroke: #3d444d }
      .spread { stroke: #e6edf3 }
    }
  `;

/** Horizontal bars, each with its value and its lowest and highest round. */
export function barChart(title: string, unit: string, bars: readonly Bar[]): string {
  const [left, right, top, step] = [336, 84, 48, 30];
  const most = Math.max(1, ...bars.map(({ high }) => high));
  const scale = (value: number): number => (value / most) * (WIDTH - left - right);
  const parts = bars.map(({ label, value, low, high, isOurs }, index) => {
    const y = top + index * step;
    const [from, to] = [left + scale(low), left + scale(high)];
    const middle = y + 9;
    return [
      text(left - 10, y + 14, label, 'end'),
      `<rect x="${left}" y="${y}" width="${round(scale(value))}" height="18" rx="2" fill="${COLOURS[isOurs ? 1 : 0]}"/>`,
      `<path class="spread" d="M${round(from)} ${middle}H${round(to)}M${round(from)} ${middle - 4}v8M${round(to)} ${middle - 4}v8" fill="none"/>`,
      text(Math.max(to, left) + 8, y + 14, Math.round(value).toLocaleString('en-US')),
    ].join('\n  ');
  });
  const height = top + bars.length * step + 30;
  const foot = text(left, height - 14, unit, 'start', 'faint');
  return document(title, height, [...parts, foot]);
}

/** Lines with a legend at the right. */
export function lineChart(title: string, x: Axis, y: Axis, lines: readonly Line[]): string {
  const [left, right, top, bottom, height] = [70, 210, 72, 54, 400];
  const scaleX = scaleOf(x, left, WIDTH - right);
  const scaleY = scaleOf(y, height - bottom, top);
  const grid = [
    ...x.ticks.map(([value, label]) => {
      const at = round(scaleX(value));
      const line = `<path class="grid" d="M${at} ${top}V${height - bottom}"/>`;
      return line + text(at, height - bottom + 18, label, 'middle', 'faint');
    }),
    ...y.ticks.map(([value, label]) => {
      const at = round(scaleY(value));
      const line = `<path class="grid" d="M${left} ${at}H${WIDTH - right}"/>`;
      return line + text(left - 8, at + 4, label, 'end', 'faint');
    }),
    text((left + WIDTH - right) / 2, height - 14, x.title, 'middle', 'faint'),
    text(20, top - 16, y.title, 'start', 'faint'),
  ];
  const drawn = lines.map(({ label, points, isStepped = false }, index) => {
    const colour = COLOURS[index % COLOURS.length];
    const path = points
      .map(([valueX, valueY], place) => {
        const [atX, atY] = [round(scaleX(valueX)), round(scaleY(valueY))];
        if (place === 0) return `M${atX} ${atY}`;
        return isStepped ? `H${atX}V${atY}` : `L${atX} ${atY}`;
      })
      .join('');
    const atY = top + 14 + index * 22;
    const atX = WIDTH - right + 16;
    return [
      `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2.5" stroke-linejoin="round"/>`,
      `<path d="M${atX} ${atY - 4}h18" stroke="${colour}" stroke-width="3"/>`,
      text(atX + 24, atY, label),
    ].join('\n  ');
  });
  return document(title, height, [...grid, ...drawn]);
}

/** Values beyond the ticks are drawn at the edge. */
function scaleOf({ isLog, ticks }: Axis, from: number, to: number): (value: number) => number {
  const [first, last] = [ticks[0]?.[0] ?? 0, ticks.at(-1)?.[0] ?? 1];
  const place = (value: number): number => (isLog ? Math.log10(value) : value);
  const span = place(last) - place(first) || 1;
  return (value) => {
    const kept = Math.min(Math.max(value, first), last);
    return from + ((place(kept) - place(first)) / span) * (to - from);
  };
}

function document(title: string, height: number, parts: readonly string[]): string {
  const shape = `width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${shape} role="img" aria-label="${escapeXml(title)}">
  <style>${STYLE}</style>
  <rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
  ${[text(20, 28, title, 'start', 'title'), ...parts].join('\n  ')}
</svg>
`;
}

function text(
  x: number,
  y: number,
  content: string,
  anchor: 'start' | 'middle' | 'end' = 'start',
  className?: string,
): string {
  const more = className === undefined ? '' : ` class="${className}"`;
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${more}>${escapeXml(content)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(content: string): string {
  return content
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
