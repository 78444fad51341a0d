/**
 * One chart: uPlot on the page's colours, with the marks drawn over it. It draws what it is given;
 * which lines there are is the panel's business.
 */
import { lineColour, lineDash, themeColour } from './palette.js';
import uPlot from './uplot.js';

/** @typedef {import('./marks.js').Mark} Mark */
/** @typedef {import('./figures.js').Line} Line */

/**
 * @typedef {object} Series
 * @property {string} label
 * @property {Line} values
 * @property {number} colour place in the palette
 * @property {boolean} [onRight] on the axis at the right, as a filled step
 * @property {boolean} [isBandTop] filled down to the series before it
 */

/**
 * @typedef {object} ChartOptions
 * @property {HTMLElement} parent
 * @property {(value: number) => string} format of the left axis
 * @property {'linear' | 'log'} scale of the left axis
 * @property {((value: number) => string) | undefined} formatRight there is a right axis
 * @property {number | undefined} top the left axis reaches at least so far
 * @property {(index: number | null) => void} onCursor
 */

const HEIGHT = 168;
const FONT = '11px system-ui, sans-serif';
const SYNC = 'plugind';

export class Chart {
  /** @type {ChartOptions} */
  #options;
  /** @type {uPlot | null} */
  #plot = null;
  /** Labels of the series that the plot was made for. */
  #shape = '';
  /** @type {readonly Mark[]} */
  #marks = [];
  /** @type {number[]} */
  #times = [0];
  /** @type {readonly Series[]} */
  #series = [];

  /** @param {ChartOptions} options */
  constructor(options) {
    this.#options = options;
    new ResizeObserver(() => {
      this.#plot?.setSize(this.#size());
    }).observe(options.parent);
  }

  /**
   * @param {number[]} times
   * @param {readonly Series[]} series
   * @param {readonly Mark[]} marks
   */
  draw(times, series, marks) {
    this.#marks = marks;
    this.#times = times;
    this.#series = series;
    /** @type {uPlot.AlignedData} */
    const data = [times, ...series.map(({ values }) => values)];
    const shape = series.map(({ label, colour }) => `${label} ${colour}`).join('|');
    if (this.#plot !== null && shape === this.#shape) {
      this.#plot.setData(data);
      return;
    }
    this.#shape = shape;
    this.#plot?.destroy();
    this.#plot = new uPlot(this.#plotOptions(), data, this.#options.parent);
  }

  /** Draws again in the colours of now. */
  repaint() {
    this.#plot?.redraw(false, true);
  }

  #size() {
    return { width: Math.max(200, this.#options.parent.clientWidth), height: HEIGHT };
  }

  /** @returns {uPlot.Options} */
  #plotOptions() {
    const { onCursor } = this.#options;
    const bands = this.#series
      .map(({ isBandTop }, index) => ({ isBandTop, series: [index + 1, index] }))
      .filter(({ isBandTop }) => isBandTop);
    return {
      ...this.#size(),
      pxAlign: 0,
      padding: [8, this.#options.formatRight === undefined ? 14 : 4, 0, 0],
      legend: { show: false },
      scales: this.#scales(),
      axes: this.#axes(),
      series: [{}, ...this.#series.map((one) => seriesOptions(one))],
      bands: bands.map(({ series }) => ({
        series: /** @type {[number, number]} */ (series),
        fill: () => themeColour('band'),
      })),
      cursor: {
        sync: { key: SYNC, setSeries: false },
        focus: { prox: 12 },
        points: { size: 6 },
        drag: { x: false, y: false },
        y: false,
      },
      focus: { alpha: 0.3 },
      hooks: {
        setCursor: [
          (plot) =>
            onCursor(
              plot.cursor.left !== undefined && plot.cursor.left >= 0
                ? (plot.cursor.idx ?? null)
                : null,
            ),
        ],
        drawClear: [(plot) => this.#drawSpans(plot)],
        draw: [(plot) => this.#drawMarks(plot)],
      },
    };
  }

  /** @returns {uPlot.Scales} */
  #scales() {
    const { scale, top = 0, formatRight } = this.#options;
    /** @type {uPlot.Scales} */
    const scales = {
      x: { range: () => [this.#times[0] ?? 0, this.#times.at(-1) ?? 1] },
      y:
        scale === 'log'
          ? { distr: 3, range: (_plot, min, max) => decades(min, max) }
          : { range: (_plot, _min, max) => [0, roof(Math.max(top, max ?? 0))] },
    };
    if (formatRight !== undefined) {
      // Who waits stays in the lower third, beneath the times.
      scales.right = { range: (_plot, _min, max) => [0, roof(Math.max(1, max ?? 0)) * 3] };
    }
    return scales;
  }

  /** @returns {uPlot.Axis[]} */
  #axes() {
    const { format, formatRight, scale } = this.#options;
    // Of a logarithmic axis the powers of ten only.
    const filter = scale === 'log' ? onlyPowers : undefined;
    /** @type {uPlot.Axis} */
    const base = {
      stroke: () => themeColour('muted'),
      grid: { stroke: () => themeColour('grid'), width: 1 },
      ticks: { show: false },
      font: FONT,
      gap: 4,
    };
    /** @type {uPlot.Axis[]} */
    const axes = [
      { ...base, size: 24, space: 52, values: (_plot, splits) => splits.map(clockLabel) },
      {
        ...base,
        size: 52,
        space: 28,
        ...(filter !== undefined && { filter, grid: { ...base.grid, filter } }),
        values: (_plot, splits) => splits.map((value) => (value === null ? '' : format(value))),
      },
    ];
    if (formatRight !== undefined) {
      axes.push({
        ...base,
        scale: 'right',
        side: 1,
        size: 40,
        space: 28,
        grid: { show: false },
        values: (_plot, splits) =>
          splits.map((value) => (Number.isInteger(value) ? formatRight(value) : '')),
      });
    }
    return axes;
  }

  /** Rolls, beneath the lines: a tinted span. @param {uPlot} plot */
  #drawSpans({ ctx, bbox, valToPos }) {
    const end = this.#times.at(-1) ?? 0;
    ctx.save();
    for (const { tone, atMs, endMs, key } of this.#marks) {
      if ((tone !== 'roll' && tone !== 'failed-roll') || key.endsWith('-end')) continue;
      const from = Math.max(bbox.left, valToPos(atMs / 1000, 'x', true));
      const to = Math.min(
        bbox.left + bbox.width,
        valToPos(Math.min(end, (endMs ?? end * 1000) / 1000), 'x', true),
      );
      ctx.fillStyle = themeColour(tone);
      if (to > from) ctx.fillRect(from, bbox.top, to - from, bbox.height);
    }
    ctx.restore();
  }

  /** Trouble is a line, a step in a worker's life a notch at the foot. @param {uPlot} plot */
  #drawMarks({ ctx, bbox, valToPos }) {
    const pixel = devicePixelRatio;
    ctx.save();
    ctx.lineWidth = pixel;
    for (const { tone, atMs } of this.#marks) {
      const x = Math.round(valToPos(atMs / 1000, 'x', true)) + 0.5;
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      const isTrouble = tone === 'trouble';
      const isRoll = tone === 'roll' || tone === 'failed-roll';
      const foot = bbox.top + bbox.height;
      ctx.setLineDash(isTrouble ? [4 * pixel, 3 * pixel] : []);
      ctx.strokeStyle = themeColour(isTrouble ? 'bad' : isRoll ? `${tone}-edge` : 'muted');
      ctx.beginPath();
      ctx.moveTo(x, isTrouble || isRoll ? bbox.top : foot - 7 * pixel);
      ctx.lineTo(x, foot);
      ctx.stroke();
    }
    ctx.restore();
  }
}

/** @param {Series} series @returns {uPlot.Series} */
function seriesOptions({ label, colour, onRight = false }) {
  if (onRight) {
    return {
      label,
      scale: 'right',
      stroke: () => themeColour('waiters'),
      fill: () => themeColour('waiters-fill'),
      width: 1,
      points: { show: false },
    };
  }
  return {
    label,
    stroke: () => lineColour(colour),
    width: 1.5,
    dash: [...lineDash(colour)],
    // One second between two gaps would otherwise not be seen.
    points: { show: false },
  };
}

/** @type {uPlot.Axis.Filter} */
function onlyPowers(_plot, splits) {
  return splits.map((split) =>
    Number.isInteger(Math.round(Math.log10(split) * 1e6) / 1e6) ? split : null,
  );
}

/** The next round number. @param {number} value */
function roof(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((one) => one * power >= value) ?? 10;
  return step * power;
}

/**
 * Whole powers of ten around the values.
 * @param {number | null} min
 * @param {number | null} max
 * @returns {[number, number]}
 */
function decades(min, max) {
  if (min === null || max === null || !(min > 0)) return [1e-5, 1e-2];
  const low = Math.floor(Math.log10(min));
  return [10 ** low, 10 ** Math.max(low + 1, Math.ceil(Math.log10(max)))];
}

/** @param {number} second */
function clockLabel(second) {
  const date = new Date(second * 1000);
  const two = (/** @type {number} */ value) => String(value).padStart(2, '0');
  const seconds = date.getSeconds();
  const minute = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return seconds === 0 ? minute : `${minute}:${two(seconds)}`;
}
