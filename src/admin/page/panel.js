/**
 * A card with one chart: its title, the figures of now as text (or those under the pointer), and
 * the chart, which is described in words for those who do not see it.
 */
import { Chart } from './chart.js';
import { formatTime } from './format.js';
import { createSwatch } from './palette.js';

/** @typedef {import('./chart.js').Series} Series */
/** @typedef {import('./figures.js').Line} Line */

/**
 * @typedef {object} PanelOptions
 * @property {string} title
 * @property {string} hint what exactly is shown
 * @property {(value: number | null | undefined) => string} format
 * @property {'linear' | 'log'} [scale] default linear
 * @property {number} [top] the axis reaches at least so far
 * @property {((value: number | null | undefined) => string)} [formatRight] there is a right axis
 * @property {string} [empty] said where there is no line
 */

/**
 * @typedef {object} Drawing
 * @property {number[]} times
 * @property {readonly Series[]} series
 * @property {readonly import('./marks.js').Mark[]} marks
 * @property {(index: number) => string} headline figure of all together, at a place of the lines
 */

/** Nobody is read a description as often as the figures change. */
const DESCRIBE_MS = 5000;

let lastId = 0;

export class Panel {
  element = document.createElement('figure');
  /** @type {PanelOptions} */
  #options;
  #headline = document.createElement('output');
  #when = document.createElement('span');
  #legend = document.createElement('ul');
  #picture = document.createElement('div');
  #chart;
  /** @type {Drawing | null} */
  #drawing = null;
  /** Place under the pointer. @type {number | null} */
  #pointed = null;
  /** Labels that the legend was made for. @type {string | null} */
  #legendShape = null;
  #describeAt = 0;
  /** @type {HTMLElement[]} */
  #values = [];

  /** @param {PanelOptions} options */
  constructor(options) {
    const { title, hint, format, formatRight, scale = 'linear', top } = options;
    this.#options = options;
    const id = `panel-${++lastId}`;
    const heading = document.createElement('h2');
    heading.id = id;
    heading.textContent = title;
    heading.title = hint;
    const head = document.createElement('figcaption');
    this.#headline.className = 'headline';
    // Changes each second: it is there to be read, not to be announced.
    this.#headline.setAttribute('aria-live', 'off');
    this.#when.className = 'when';
    head.append(heading, this.#when, this.#headline);
    this.#legend.className = 'legend';
    this.#legend.setAttribute('aria-label', `${title}: figures of now`);
    this.#picture.className = 'picture';
    this.#picture.setAttribute('role', 'img');
    this.element.className = 'card';
    this.element.setAttribute('aria-labelledby', id);
    this.element.append(head, this.#picture, this.#legend);
    this.#chart = new Chart({
      parent: this.#picture,
      format,
      formatRight,
      scale,
      top,
      onCursor: (index) => {
        this.#pointed = index;
        this.#write();
      },
    });
  }

  /** @param {Drawing} drawing */
  draw(drawing) {
    this.#drawing = drawing;
    this.#chart.draw(drawing.times, drawing.series, drawing.marks);
    this.#write();
    if (performance.now() < this.#describeAt) return;
    this.#describeAt = performance.now() + DESCRIBE_MS;
    this.#picture.setAttribute('aria-label', this.#describe(drawing));
  }

  repaint() {
    this.#chart.repaint();
  }

  /** The figures as text. */
  #write() {
    if (this.#drawing === null) return;
    const { times, series, headline } = this.#drawing;
    const index = this.#pointed ?? times.length - 1;
    this.#when.textContent =
      this.#pointed === null ? '' : formatTime((times[this.#pointed] ?? 0) * 1000);
    this.#headline.textContent = headline(index);
    const shape = series.map(({ label, colour }) => `${label} ${colour}`).join('|');
    if (shape !== this.#legendShape) this.#makeLegend(series, shape);
    for (const [place, one] of series.entries()) {
      const value = this.#values[place];
      if (value !== undefined) value.textContent = this.#format(one, one.values[index]);
    }
  }

  /** @param {readonly Series[]} series @param {string} shape */
  #makeLegend(series, shape) {
    this.#legendShape = shape;
    this.#values = series.map(() => document.createElement('b'));
    const items = series.map(({ label, colour, onRight }, place) => {
      const item = document.createElement('li');
      const swatch = createSwatch(colour);
      if (onRight) swatch.setAttribute('class', 'swatch waiters');
      const name = document.createElement('span');
      name.textContent = label;
      item.append(swatch, name, /** @type {HTMLElement} */ (this.#values[place]));
      return item;
    });
    if (items.length === 0) {
      const item = document.createElement('li');
      item.textContent = this.#options.empty ?? '';
      items.push(item);
    }
    this.#legend.replaceChildren(...items);
  }

  /** @param {Series} series @param {number | null | undefined} value */
  #format({ onRight }, value) {
    const { format, formatRight } = this.#options;
    return onRight && formatRight !== undefined ? formatRight(value) : format(value);
  }

  /** @param {Drawing} drawing */
  #describe({ times, series, headline }) {
    const { title, hint } = this.#options;
    const lines = series.slice(0, 8).map((one) => {
      const known = one.values.filter((value) => value !== null);
      if (known.length === 0) return `${one.label}: nothing`;
      const [low, high] = [Math.min(...known), Math.max(...known)];
      return `${one.label}: ${this.#format(one, low)} to ${this.#format(one, high)}`;
    });
    const more = series.length > 8 ? `, and ${series.length - 8} more` : '';
    const minutes = Math.round(times.length / 60);
    return `${title}. ${hint}. Now ${headline(times.length - 1)}. In ${minutes} minutes ${lines.join(', ')}${more}.`;
  }
}
